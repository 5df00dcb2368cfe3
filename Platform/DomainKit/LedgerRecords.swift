public import DataProtection
public import Kernel
import PostgreSQL

/// What the ledger of a schema stores about users: it is kept, and money left in it stands against an erasure.
public struct LedgerRecords: UserRecords {
    private static let books = RecordSection.Fate.kept(because: "Books of account.")

    private let runtime: DomainRuntime

    /// The records of a domain's ledger.
    public init(_ runtime: DomainRuntime) { self.runtime = runtime }

    /// Accounts, transfers and reservations.
    public var sections: [RecordSection] {
        let (schema, pool) = (runtime.schema, runtime.pool)
        return [
            RecordSection("\(schema).ledger_accounts", Self.books, in: pool, amounts: ["total", "reserved"]) {
                """
                select id, jsonb_build_object('id', id, 'kind', kind, 'asset', asset, 'total', posted::text,
                    'reserved', reserved::text, 'opened_at', opened_at, 'frozen_because', frozen_because)
                from \(schema).ledger_accounts
                where owner = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("\(schema).ledger_transfers", Self.books, in: pool, amounts: ["amount"]) {
                """
                with own as (select id, asset from \(schema).ledger_accounts where owner = \($0))
                select t.id, jsonb_build_object('id', t.id, 'at', t.recorded_at, 'code', t.code,
                    'asset', (select o.asset from own o where o.id in (t.debit_account, t.credit_account) limit 1),
                    'amount', t.amount::text, 'debit_account', t.debit_account, 'credit_account', t.credit_account)
                from \(schema).ledger_transfers t
                where t.id > \($1)
                    and (t.debit_account = any(array(select id from own))
                        or t.credit_account = any(array(select id from own)))
                order by t.id limit \($2)
                """
            },
            RecordSection("\(schema).reservations", Self.books, in: pool, amounts: ["amount", "captured"]) {
                """
                select r.id, jsonb_build_object('id', r.id, 'kind', r.kind, 'state', r.state, 'asset', a.asset,
                    'amount', r.amount::text, 'captured', r.captured::text)
                from \(schema).reservations r
                join \(schema).ledger_accounts a on a.id = r.account
                where a.owner = \($0) and r.id > \($1)
                order by r.id limit \($2)
                """
            },
        ]
    }

    /// Money, or a debt, in any account.
    public func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let hasMoney: Bool = try await runtime.pool.query(
            """
            select exists (
                select from \(runtime.schema).ledger_accounts where owner = \(user) and (posted <> 0 or reserved <> 0))
            """
        )[0][0]
        guard hasMoney else { return [] }
        let place = runtime.schema.name
        return [
            ErasureObstacle(place: place, code: "balance_left", text: "There is money in \(place), or money owed.")
        ]
    }
}
