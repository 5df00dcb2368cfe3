import Audit
import Kernel
import Ledger
import Measuring
import Messaging
import PostgreSQL

/// Accounts with money on them, and operations between them.
struct Load: Sendable {
    /// What an account has at the start, in cents: more than any run moves.
    private static let funds: Int128 = 1_000_000_000_000
    private static let fundedAtOnce = 500

    /// An operation that should have gone through.
    struct Refused: Error { let outcome: LedgerOutcome }

    let accounts: [ID<LedgerAccount>]
    let ids = IDGenerator()

    /// Opens accounts and funds them by transfers from the house's clearing account.
    static func make(_ count: Int, _ pool: Pool, _ ledger: Ledger) async throws -> Load {
        let ids = IDGenerator()
        let accounts = (0..<count).map { _ in ids.next(LedgerAccount.self) }
        _ = try await pool.query(
            """
            insert into banking.ledger_accounts (id, owner, kind, asset)
            select a, a, 'checking', 'USD' from unnest(\(accounts)) a
            """
        )
        guard let dollars = Asset(code: "USD") else { preconditionFailure("USD is an asset") }
        let book = LedgerAccounts(schema: .banking, pool: pool, ids: ids)
        let house = try await book.open(AccountKey(house: "provider_clearing:sandbox", dollars))
        for start in stride(from: 0, to: count, by: fundedAtOnce) {
            let items = accounts[start..<min(start + fundedAtOnce, count)].map { account in
                LedgerItem(
                    operation: ids.next(),
                    commands: [
                        .transfer(
                            NewTransfer(id: ids.next(), debit: house, credit: account, amount: funds, code: "deposit")
                        )
                    ]
                )
            }
            try require(try await ledger.submit(batch: items))
        }
        return Load(accounts: accounts)
    }

    /// Throws unless every operation was done.
    static func require(_ outcomes: [LedgerOutcome]) throws {
        for outcome in outcomes {
            guard case .done = outcome else { throw Refused(outcome: outcome) }
        }
    }

    /// Two different accounts; the first is always the same one when hot.
    func pair(_ spread: HandWritten.Spread, _ random: inout SplitMix) -> (ID<LedgerAccount>, ID<LedgerAccount>) {
        let debit = spread == .hot ? 0 : Int.random(in: 0..<accounts.count, using: &random)
        let step = Int.random(in: 1..<accounts.count, using: &random)
        return (accounts[debit], accounts[(debit + step) % accounts.count])
    }

    /// A transfer of five cents.
    func transfer(_ spread: HandWritten.Spread, _ random: inout SplitMix) -> LedgerItem {
        LedgerItem(operation: ids.next(), commands: [.transfer(newTransfer(spread, &random))])
    }

    /// The same with an event in the outbox and an entry in the audit log.
    func evidencedTransfer(_ spread: HandWritten.Spread, _ random: inout SplitMix) -> LedgerItem {
        let transfer = newTransfer(spread, &random)
        let operation: ID<Operation> = ids.next()
        return LedgerItem(operation: operation, commands: [.transfer(transfer)]) { decision, _ in
            guard case .success = decision else { return LedgerItem.Finish() }
            let payload: JSON = [
                "transaction": .string(operation.wire), "from": .string(transfer.debit.wire),
                "to": .string(transfer.credit.wire), "asset": "USD", "amount": "0.05",
            ]
            let event = OutboxEvent(
                id: ids.next(),
                aggregateType: "transaction",
                aggregate: operation,
                version: 1,
                type: "banking.transaction.completed",
                payload: payload,
                correlation: operation.value
            )
            let entry = AuditEntry(
                id: ids.next(),
                actor: "system",
                action: "payment.created",
                entity: "transaction",
                entityID: operation.value,
                after: payload,
                correlation: operation.value
            )
            return LedgerItem.Finish(rows: [event, entry])
        }
    }

    private func newTransfer(_ spread: HandWritten.Spread, _ random: inout SplitMix) -> NewTransfer {
        let (debit, credit) = pair(spread, &random)
        return NewTransfer(id: ids.next(), debit: debit, credit: credit, amount: 5, code: "payment")
    }
}
