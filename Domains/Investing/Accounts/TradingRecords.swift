import DataProtection
import DomainKit
import Kernel
import Ledger
import PostgreSQL

/// What Investing stores about users beside the ledger.
struct TradingRecords: UserRecords {
    private static let law = RecordSection.Fate.kept(because: "Records of orders and trades, by securities law.")

    let runtime: DomainRuntime
    let ids: IDGenerator

    var sections: [RecordSection] {
        let (schema, pool) = (runtime.schema, runtime.pool)
        let own: @Sendable (ID<User>) -> SQL = { "select id from \(schema).accounts where user_id = \($0)" }
        return [
            RecordSection("\(schema).accounts", Self.law, in: pool) {
                """
                select id, to_jsonb(a) from \(schema).accounts a
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("\(schema).orders", Self.law, in: pool) {
                """
                select id, to_jsonb(o) from \(schema).orders o
                where account = any(array(\(own($0)))) and id > \($1)
                order by id limit \($2)
                """
            },
            // What the other side was is theirs.
            RecordSection("\(schema).trades", Self.law, in: pool) {
                """
                select t.id, jsonb_build_object('id', t.id, 'market', t.market, 'price', t.price,
                    'quantity', t.quantity, 'quote_amount', t.quote_amount::text, 'at', t.recorded_at,
                    'taker_side', t.taker_side, 'is_taker', t.taker_account = any(array(\(own($0)))),
                    'order', case when t.taker_account = any(array(\(own($0)))) then t.taker_order
                        else t.maker_order end)
                from \(schema).trades t
                where (t.taker_account = any(array(\(own($0)))) or t.maker_account = any(array(\(own($0)))))
                    and t.id > \($1)
                order by t.id limit \($2)
                """
            },
        ]
    }

    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let schema = runtime.schema
        let hasOrder: Bool = try await runtime.pool.query(
            """
            select exists (
                select from \(schema).orders o join \(schema).accounts a on a.id = o.account
                where a.user_id = \(user) and o.status in ('new', 'partially_filled'))
            """
        )[0][0]
        let order = ErasureObstacle(place: schema.name, code: "order_open", text: "An order is still in the market.")
        return try await runtime.transfersUnderWay(of: user) + (hasOrder ? [order] : [])
    }

    func close(_ user: ID<User>, by requester: Requester) async throws {
        let rows = try await runtime.pool.query(
            """
            select id from \(runtime.schema).ledger_accounts
            where owner = \(user) and not may_go_negative and not is_closed
            order by id
            """
        )
        let accounts = try rows.map { row -> ID<LedgerAccount> in try row["id"] }
        try await runtime.close(accounts, of: user, by: requester, ids: ids)
    }
}
