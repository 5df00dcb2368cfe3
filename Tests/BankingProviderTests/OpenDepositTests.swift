import Kernel
import Messaging
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

@Suite struct OpenDepositTests {
    private let ids = IDGenerator()

    /// A deposit by a provider, in a status.
    private func store(_ provider: String, _ status: String, _ pool: Pool) async throws -> ID<BankTransaction> {
        let id: ID<BankTransaction> = ids.next()
        _ = try await pool.query(
            """
            insert into banking.transactions
                (id, user_id, kind, status, version, asset, amount, fee, account, provider, quote, created_at,
                updated_at)
            values (\(id), \(ids.next(User.self)), 'deposit', \(status), 1, 'USDC', 100, 0, 'checking',
                \(provider), '{}', now(), now())
            """
        )
        return id
    }

    @Test func `the deposits of a provider that have not ended are open, the oldest first`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking)
            let rows = OpenTransactionRows(schema: .banking, pool: pool)
            var open: [ID<BankTransaction>] = []
            for status in ["sent_to_provider", "provider_processing", "confirming"] {
                open.append(try await store("moonpay", status, pool))
            }
            for status in ["completed", "failed", "refunded"] { _ = try await store("moonpay", status, pool) }
            _ = try await store("ramp", "confirming", pool)
            #expect(try await rows.transactions(by: "moonpay", [.deposit], countMax: 10) == open)
            #expect(try await rows.transactions(by: "moonpay", [.deposit], countMax: 2) == Array(open.prefix(2)))
        }
    }

    @Test func `a purchase is known by the webhook that began it`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking)
            let inbox = Inbox(pool: pool, schema: .banking, ids: ids, logger: .quiet)
            let (open, ended) = (
                try await store("ramp", "confirming", pool), try await store("ramp", "completed", pool)
            )
            for (number, transaction) in [open, ended].enumerated() {
                let body: JSON = [
                    "type": "CREATED",
                    "purchase": ["id": .string("p\(number)"), "purchaseViewToken": .string("view\(number)")],
                ]
                _ = try await inbox.put(
                    InboxArrival(
                        source: "ramp",
                        eventID: "p\(number).CREATED",
                        type: "CREATED",
                        objectID: transaction.wire,
                        body: body.serialized(),
                        origin: .webhook
                    )
                )
            }
            let purchases = try await OpenTransactionRows(schema: .banking, pool: pool).trades(countMax: 10)
            #expect(purchases == [RampProvider.Trade.purchase("p0", "view0", transaction: open)].compactMap(\.self))
        }
    }
}
