import DataProtection
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// What Banking stores about users beside the ledger.
struct BankRecords: UserRecords {
    private static let law = RecordSection.Fate.kept(because: "Books of account and anti-money-laundering law.")

    let runtime: DomainRuntime
    let ids: IDGenerator

    var sections: [RecordSection] {
        let (schema, pool) = (runtime.schema, runtime.pool)
        return [
            RecordSection("\(schema).accounts", Self.law, in: pool) {
                """
                select id, to_jsonb(a) from \(schema).accounts a
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("\(schema).own_wallets", Self.law, in: pool) {
                """
                select id, to_jsonb(w) from \(schema).own_wallets w
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("\(schema).transactions", Self.law, in: pool, amounts: ["amount", "fee", "refunded"]) {
                """
                select id, to_jsonb(t) || jsonb_build_object('amount', amount::text, 'fee', fee::text,
                    'refunded', refunded::text)
                from \(schema).transactions t
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
        ]
    }

    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let schema = runtime.schema
        let row = try await runtime.pool.query(
            """
            select
                exists (
                    select from \(schema).transactions where user_id = \(user)
                        and status not in ('completed', 'failed', 'refunded', 'returned')) as is_busy,
                exists (
                    select from \(schema).review_cases c join \(schema).transactions t on t.id = c.transaction
                    where t.user_id = \(user) and c.closed_at is null) as has_case
            """
        )[0]
        var obstacles: [ErasureObstacle] = []
        if try row["is_busy"] {
            obstacles.append(.init(place: schema.name, code: "transaction_open", text: "A transaction is under way."))
        }
        if try row["has_case"] {
            obstacles.append(.init(place: schema.name, code: "case_open", text: "A case is being looked into."))
        }
        return obstacles
    }

    /// Closes what others can pay into, in each asset: those accounts, too, that nobody has opened yet.
    func close(_ user: ID<User>, by requester: Requester) async throws {
        let assets = try await BankAssets(schema: runtime.schema, pool: runtime.pool).all()
        let kinds = BankAccount.Kind.allCases.filter(\.isOurs)
        let keys = kinds.flatMap { kind in assets.map { AccountKey(user, kind.rawValue, $0) } }
        let accounts = try await runtime.accounts.open(keys).values.sorted()
        try await runtime.close(accounts, of: user, by: requester, ids: ids)
    }
}
