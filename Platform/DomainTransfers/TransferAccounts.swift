import Fees
import Kernel
import Ledger
import PostgreSQL

/// The ledger accounts that transfers of a domain touch.
struct TransferAccounts: Sendable {
    let accounts: LedgerAccounts
    /// The kind of a customer's account.
    let kind: String

    /// The customer's account, opened if it isn't yet.
    func customer(_ user: ID<User>, _ asset: Asset) async throws -> ID<LedgerAccount> {
        try await accounts.open(AccountKey(user, kind, asset))
    }

    /// What is on its way to or from another domain; nil where no migration declares it.
    func inTransit(_ other: String, _ asset: Asset) async throws -> ID<LedgerAccount>? {
        let key = AccountKey(house: "in_transit:\(other)", asset)
        return try await accounts.find([key])[key]
    }

    /// A transfer from the payer for each charged fee line.
    func feeTransfers(
        _ lines: [FeeLine],
        from payer: ID<LedgerAccount>,
        _ funding: NewTransfer.Funding,
        _ ids: IDGenerator
    ) async throws -> [LedgerCommand] {
        let keys = lines.map { AccountKey(house: "fee_income:\($0.category.rawValue)", $0.amount.asset) }
        let found = try await accounts.find(keys)
        return try zip(lines, keys).map { line, key in
            guard let income = found[key] else { throw LedgerFault.accountVanished(key) }
            return .transfer(
                NewTransfer(
                    id: ids.next(),
                    debit: payer,
                    credit: income,
                    amount: line.amount.minorUnits,
                    code: "fee_\(line.category.rawValue)",
                    funding: funding
                )
            )
        }
    }
}
