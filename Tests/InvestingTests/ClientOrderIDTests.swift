@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

@Suite struct ClientOrderIDTests {
    private static let day = ClientOrderIDs.rememberedSeconds

    /// Has an order ended so many seconds ago, by its client's id.
    private static func end(_ clientID: String, _ seconds: Int64, ago world: TradingWorld) async throws {
        let past = try await world.pool.query(
            """
            update investing.client_order_ids
            set ended_at = clock_timestamp() - make_interval(secs => \(Double(seconds)))
            where client_order_id = \(clientID) and ended_at is not null
            """
        )
        #expect(past.affected == 1)
    }

    @Test func `an id gives its first answer for a day after the order's end, and is free then`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let first = try await world.place(alice, world.ticket(alice, .sell, 1_000, at: 5_000_000, clientID: "mine"))
            try await world.place(bob, world.ticket(bob, .buy, 1_000, at: 5_000_000))
            func again() async throws -> JSON {
                let ticket = world.ticket(alice, .sell, 1_000, at: 5_000_000, clientID: "mine")
                return try await world.place(alice, ticket).body
            }
            #expect(try await again() == first.body, "as it was answered, though it is filled by now")
            try await ClientOrderIDTests.end("mine", ClientOrderIDTests.day - 60, ago: world)
            #expect(try await again() == first.body)

            try await ClientOrderIDTests.end("mine", ClientOrderIDTests.day, ago: world)
            let second = try await again()
            #expect(second["status"]?.stringValue == "new")
            #expect(second["id"] != first.body["id"])
            #expect(try await again() == second, "it belongs to the second order now")
            #expect(try await world.pool.query("select 1 from investing.orders").count == 3)
            try await world.verify()
            try await world.verifyOrders()
        }
    }

    @Test func `an id that is free may be given with other terms, and found by whoever has it`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let old = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "mine")
            try await world.place(alice, old)
            _ = try await world.desk.commit([.cancel(old.order.id, world.request(alice))])
            let markets = Markets(schema: TradingWorld.schema, pool: world.pool, clock: SystemClock())
            let orders = Orders(schema: TradingWorld.schema, pool: world.pool, markets: markets)
            #expect(try await orders.get(clientID: "mine", of: alice.account.id).order.id == old.order.id)
            try await ClientOrderIDTests.end("mine", ClientOrderIDTests.day, ago: world)
            await #expect(throws: Problem.self) {
                _ = try await orders.get(clientID: "mine", of: alice.account.id)
            }
            let new = world.ticket(alice, .buy, 2_000, at: 3_000_000, clientID: "mine", request: 8)
            #expect(try await world.place(alice, new).status == 201)
            #expect(try await orders.get(clientID: "mine", of: alice.account.id).order.id == new.order.id)
            let refused = try await world.place(alice, old)
            #expect(refused.body["code"]?.stringValue == "duplicate_client_order_id")
        }
    }

    @Test func `ids are purged a day after the end, those of open orders never`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let ended = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "ended")
            try await world.place(alice, ended)
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "open"))
            _ = try await world.desk.commit([.cancel(ended.order.id, world.request(alice))])
            let rows = try await world.pool.query(
                "select ended_at from investing.client_order_ids where client_order_id = 'ended'"
            )
            let end: Timestamp = try rows[0]["ended_at"]
            let ids = ClientOrderIDs(schema: TradingWorld.schema, pool: world.pool)
            let due = end.adding(seconds: ClientOrderIDTests.day)
            #expect(try await ids.purge() == 0)
            #expect(try await ids.purge(at: Timestamp(microseconds: due.microseconds - 1)) == 0)
            #expect(try await ids.purge(at: due) == 1)
            #expect(try await ids.purge(at: due.adding(seconds: 1_000 * ClientOrderIDTests.day)) == 0)
            let another = world.ticket(alice, .buy, 1_000, at: 4_000_000, clientID: "ended", request: 8)
            #expect(try await world.place(alice, another).status == 201)
            try await world.verify()
        }
    }

    @Test func `ids are purged in bounded sets`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            _ = try await world.pool.query(
                """
                insert into investing.client_order_ids (account, client_order_id, request, order_id, status, location,
                    answer, ended_at)
                select \(alice.account.id), 'c' || n, gen_random_uuid(), gen_random_uuid(), 201, '', '',
                    clock_timestamp() - interval '25 hours'
                from generate_series(1, \(ClientOrderIDs.setMax + 1)) n
                """
            )
            let ids = ClientOrderIDs(schema: TradingWorld.schema, pool: world.pool)
            #expect(try await ids.purge() == ClientOrderIDs.setMax)
            #expect(try await ids.purge() == 1)
            #expect(try await ids.purge() == 0)
        }
    }

    @Test func `a pair that is asked for again says where it is`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            func pair() async throws -> StoredAnswer {
                let list: ID<OrderList> = world.ids.next()
                let profit = world.ticket(alice, .sell, 9_000, at: 5_400_000, clientID: "pair", list: list)
                let loss = world.ticket(alice, .sell, 9_000, at: nil, type: .stop, stop: 4_900_000, list: list)
                guard
                    case .answer(let answer) = try await world.desk.commit([
                        .placePair(profit, loss, world.request(alice))
                    ])[0]
                else { throw InvestingFault.missing("an answer") }
                return answer
            }
            let (first, again) = (try await pair(), try await pair())
            #expect(again.body == first.body)
            #expect(again.headers["Location"] == first.headers["Location"])
            #expect(again.headers["Idempotent-Replayed"] == "true")
            #expect(first.headers["Location"]?.hasPrefix("/v1/investing/order-lists/") == true)
        }
    }
}
