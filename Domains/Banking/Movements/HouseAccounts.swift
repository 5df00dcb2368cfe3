import Fees
import Kernel
import Ledger

/// The house's own ledger accounts, as the migrations declare them.
enum HouseAccounts {
    /// What a provider has collected for us and not paid out yet; below zero.
    static func clearing(_ provider: String, _ asset: Asset) -> AccountKey {
        AccountKey(house: "provider_clearing:\(provider)", asset)
    }

    /// What we owe a provider for its services.
    static func payable(_ provider: String, _ asset: Asset) -> AccountKey {
        AccountKey(house: "provider_payable:\(provider)", asset)
    }

    /// What costs turned out to be less (or more) than customers were promised.
    static func variance(_ asset: Asset) -> AccountKey { AccountKey(house: "fee_variance", asset) }

    /// The kind of account in which a customer owes us; below zero.
    static let receivable = "receivable"

    /// What left through a provider's payouts.
    static func payout(_ provider: String, _ asset: Asset) -> AccountKey {
        AccountKey(house: "payout_clearing:\(provider)", asset)
    }

    /// What a provider did that we can't match to a customer's money.
    static func suspense(_ provider: String, _ asset: Asset) -> AccountKey {
        AccountKey(house: "suspense:\(provider)", asset)
    }

    /// What is on its way to or from another domain.
    static func inTransit(_ domain: String, _ asset: Asset) -> AccountKey {
        AccountKey(house: "in_transit:\(domain)", asset)
    }

    /// Where a fee of that category goes.
    static func fee(_ category: FeeCategory, provider: String?, _ asset: Asset) -> AccountKey {
        switch category {
        case .provider: payable(provider ?? "sandbox", asset)
        case .platform, .network, .compliance, .premium: AccountKey(house: "fee_income:\(category.rawValue)", asset)
        }
    }
}

/// The ledger accounts that a movement touches, found beforehand.
struct MovementAccounts: Sendable {
    private let found: [AccountKey: ID<LedgerAccount>]

    /// Finds accounts of the house and opens those of customers.
    init(customers: [AccountKey], house: [AccountKey], _ accounts: LedgerAccounts) async throws {
        var found = try await accounts.find(customers + house)
        for key in customers where found[key] == nil { found[key] = try await accounts.open(key) }
        self.found = found
    }

    /// The account's id; that of a house account that no migration declares is a fault of ours.
    subscript(key: AccountKey) -> ID<LedgerAccount> {
        get throws {
            guard let id = found[key] else { throw LedgerFault.accountVanished(key) }
            return id
        }
    }
}

extension Movement {
    /// Where the charged fees go.
    func feeAccounts(provider: String?) -> [AccountKey] {
        chargedLines.map { HouseAccounts.fee($0.category, provider: provider, amount.asset) }
    }

    /// A transfer for each charged fee line, from the payer.
    func feeTransfers(
        from payer: ID<LedgerAccount>,
        provider: String?,
        _ accounts: MovementAccounts,
        _ ids: IDGenerator,
        funding: NewTransfer.Funding = .available
    ) throws -> [LedgerCommand] {
        try chargedLines.map { line in
            .transfer(
                NewTransfer(
                    id: ids.next(),
                    debit: payer,
                    credit: try accounts[HouseAccounts.fee(line.category, provider: provider, amount.asset)],
                    amount: line.amount.minorUnits,
                    code: "fee_\(line.category.rawValue)",
                    funding: funding
                )
            )
        }
    }

    /// What counts towards the account's limits; `dayCeiling` bounds a day whatever limits the account has of its own.
    func usage(of account: ID<LedgerAccount>, dayCeiling: Int128? = nil) -> LedgerCommand {
        .use(
            Usage(
                account: account,
                counter: kind.rawValue,
                amount: amount.minorUnits,
                transactionLimit: limit.perTransaction,
                dayLimit: limit.perDay,
                monthLimit: limit.perMonth,
                dayCeiling: dayCeiling
            )
        )
    }
}
