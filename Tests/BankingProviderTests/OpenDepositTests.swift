import Kernel
import Messaging
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

@Suite struct OpenDepositTests {
    private let ids = IDGenerator()

    /// A deposit by a provider, in a status.
    private func store(
        _ provider: String,
        _ status: String,
        ageDays: Int = 0,
        _ pool: Pool
    ) async throws -> ID<BankTransaction> {
        let id: ID<BankTransaction> = ids.next()
        _ = try await pool.query(
            """
            insert into banking.transactions
                (id, user_id, kind, status, version, asset, amount, fee, account, provider, provider_reference, quote,
                created_at, updated_at)
            values (\(id), \(ids.next(User.self)), 'deposit', \(status), 1, 'USDC', 100, 0, 'checking',
                \(provider), \(id.wire), '{}', now(), now() - make_interval(days => \(ageDays)::integer))
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

    @Test func `where there are more open than are asked after at once, each has its turn`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking)
            let rows = OpenTransactionRows(schema: .banking, pool: pool)
            var open: [ID<BankTransaction>] = []
            for _ in 0..<3 { open.append(try await store("moonpay", "provider_processing", pool)) }
            func next() async throws -> [ID<BankTransaction>] {
                try await rows.transactions(by: "moonpay", [.deposit], countMax: 2)
            }
            #expect(try await next() == [open[0], open[1]])
            let young = try await store("moonpay", "provider_processing", pool)
            #expect(try await next() == [open[2], young])
            #expect(try await next() == [open[0], open[1]])
        }
    }

    @Test func `what was never begun within a week is ended, and nothing else`() async throws {
        try await BankWorld.with { world in
            let processing = "provider_processing"
            let unbegun = try await store("moonpay", processing, ageDays: 8, world.pool)
            let others = [
                try await store("moonpay", processing, ageDays: 6, world.pool),
                try await store("ramp", "confirming", ageDays: 8, world.pool),
                try await store("stripe", processing, ageDays: 8, world.pool),
            ]
            let begun = try await store("ramp", processing, ageDays: 8, world.pool)
            try await tell("p1", of: begun, world.pool)
            let orders = UnbegunOrders(
                transactions: world.transactions,
                settlement: world.settlement,
                clock: SystemClock(),
                logger: .quiet
            )
            #expect(try await orders.endDue() == 1)
            #expect(try await orders.endDue() == 0)
            let ended = try await world.transaction(unbegun)
            #expect(ended.status == .failed && ended.reason == "not_begun")
            for other in others + [begun] { #expect(try await !world.transaction(other).status.isFinal) }
        }
    }

    /// The webhook by which Ramp tells that a purchase was begun.
    private func tell(_ purchase: String, of transaction: ID<BankTransaction>, _ pool: Pool) async throws {
        let body: JSON = [
            "type": "CREATED",
            "purchase": ["id": .string(purchase), "purchaseViewToken": .string("view of \(purchase)")],
        ]
        _ = try await Inbox(pool: pool, schema: .banking, ids: ids, logger: .quiet).put(
            InboxArrival(
                source: "ramp",
                eventID: "\(purchase).CREATED",
                type: "CREATED",
                objectID: transaction.wire,
                body: body.serialized(),
                origin: .webhook
            )
        )
    }

    @Test func `a purchase is known by the webhook that began it`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking)
            // So many that were never begun take no turn away from those that were.
            for _ in 0..<3 { _ = try await store("ramp", "provider_processing", pool) }
            let (open, ended) = (
                try await store("ramp", "confirming", pool), try await store("ramp", "completed", pool)
            )
            for (number, transaction) in [open, ended].enumerated() {
                try await tell("p\(number)", of: transaction, pool)
            }
            let purchases = try await OpenTransactionRows(schema: .banking, pool: pool).trades(countMax: 2)
            #expect(
                purchases == [RampProvider.Trade.purchase("p0", "view of p0", transaction: open)].compactMap(\.self)
            )
        }
    }
}
