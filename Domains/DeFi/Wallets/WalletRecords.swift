import DataProtection
import DomainKit
import Kernel
import PostgreSQL

/// What DeFi stores about users beside the ledger.
struct WalletRecords: UserRecords {
    private static let law = RecordSection.Fate.kept(
        because: "Anti-money-laundering law: whose wallets they were, and who was paid."
    )

    let runtime: DomainRuntime

    var sections: [RecordSection] {
        let (schema, pool) = (runtime.schema, runtime.pool)
        func all(_ table: StaticString) -> RecordSection {
            let name = SQL(stringLiteral: table)
            return RecordSection("\(schema).\(table)", Self.law, in: pool) {
                """
                select id, to_jsonb(t) from \(schema).\(name) t
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            }
        }
        return [
            all("wallets"), all("wallet_challenges"), all("address_book"), all("intents"), all("payments"),
            all("strategies"), all("custody_deposits"), all("custody_withdrawals"),
            RecordSection("\(schema).intent_holds", Self.law, in: pool) {
                """
                select reservation, to_jsonb(h) from \(schema).intent_holds h
                where user_id = \($0) and reservation > \($1)
                order by reservation limit \($2)
                """
            },
            RecordSection("\(schema).settings", Self.law, in: pool) {
                """
                select user_id, to_jsonb(s) from \(schema).settings s
                where user_id = \($0) and user_id > \($1)
                limit \($2)
                """
            },
        ]
    }

    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let (schema, openHolds) = (runtime.schema, CustodyDeposit.Hold.open.map(\.rawValue))
        let row = try await runtime.pool.query(
            """
            select
                exists (select from \(schema).strategies where user_id = \(user) and status <> 'stopped')
                or exists (
                    select from \(schema).intents where user_id = \(user)
                        and state in ('signed', 'broadcast', 'dropped', 'displaced', 'included'))
                or exists (
                    select from \(schema).payments where user_id = \(user)
                        and state in ('signed', 'broadcast', 'dropped', 'displaced', 'included'))
                or exists (
                    select from \(schema).custody_withdrawals
                    where user_id = \(user) and state in ('waiting', 'signed', 'included'))
                or exists (
                    select from \(schema).custody_deposits
                    where user_id = \(user) and (state = 'pending' or hold = any(\(openHolds)))) as is_busy
            """
        )[0]
        let transfers = try await runtime.transfersUnderWay(of: user)
        guard try row["is_busy"] else { return transfers }
        return transfers + [
            ErasureObstacle(
                place: schema.name,
                code: "position_open",
                text: "A position, a transaction, a deposit or a withdrawal is open."
            )
        ]
    }
}
