@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Streams
import Synchronization
import TestSupport
import Testing

// What follows from batches once they are committed.
@Suite struct WatchTests {
    /// Where batches go once there is somebody who looks at them.
    private final class Watch: Sendable {
        private let surveillance = Mutex<Surveillance?>(nil)

        func begin(_ surveillance: Surveillance) { self.surveillance.withLock { $0 = surveillance } }

        func see(_ news: DeskBatch.Published?) {
            guard let news else { return }
            surveillance.withLock { $0 }?.see(news.seen)
        }
    }

    @Test func `what was committed becomes a finding, with an event`() async throws {
        let watch = Watch()
        try await TradingWorld.with(onCommit: { watch.see($0) }) { world in
            let surveillance = Surveillance(
                ledger: Ledger(schema: TradingWorld.schema, pool: world.pool),
                ids: world.ids,
                logger: TradingWorld.quiet
            )
            watch.begin(surveillance)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await surveillance.run() }
                defer { group.cancelAll() }
                let alice = try await world.trader()
                for side in [Side.sell, .buy] {
                    try await world.place(alice, world.ticket(alice, side, 10, at: 5_000_000, prevention: .none))
                }
                var found: Rows?
                for _ in 0..<500 where found?.isEmpty ?? true {
                    found = try await world.pool.query("select type, level, account from investing.risk_events")
                    try await Task.sleep(for: .milliseconds(20))
                }
                let finding = try #require(found?.first)
                #expect(try finding["type"] as String == "wash_trade")
                #expect(try finding["level"] as String == "HIGH")
                #expect(try finding["account"] as ID<TradingAccount> == alice.account.id)
                let told = try await world.pool.query(
                    "select payload from investing.outbox_events where type = 'investing.risk.found'"
                )
                #expect(try (told[0]["payload"] as JSON)["account"]?.stringValue == alice.account.id.wire)
            }
            try await world.verify()
        }
    }

    private static let modes: [(SelfTradePrevention, Int64)] = [
        (.expireTaker, 10), (.expireMaker, 10), (.expireBoth, 10), (.decrement, 10),
    ]

    @Test(arguments: modes)
    func `what self-trade prevention stopped is stored and can be read`(
        mode: SelfTradePrevention,
        quantity: Int64
    ) async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let maker = world.ticket(alice, .sell, quantity, at: 5_000_000)
            let taker = world.ticket(alice, .buy, 25, at: 5_000_100, prevention: mode)
            try await world.place(alice, maker)
            try await world.place(alice, taker)
            let markets = Markets(schema: TradingWorld.schema, pool: world.pool, clock: SystemClock())
            let orders = Orders(schema: TradingWorld.schema, pool: world.pool, markets: markets)
            let found = try await orders.prevented(of: alice.account.id, before: .max, limit: 10)
            #expect(found.count == 1)
            let shown = try #require(found.first.map { $0.0.json(in: $0.1) })
            #expect(shown["maker_order"]?.stringValue == maker.order.id.wire)
            #expect(shown["taker_order"]?.stringValue == taker.order.id.wire)
            #expect(shown["self_trade_prevention"]?.stringValue == mode.name)
            #expect(shown["price"] == "50000.00" && shown["quantity"] == "0.001")
            #expect(try await orders.prevented(of: bob.account.id, before: .max, limit: 10).isEmpty)
            let last = try #require(found.first?.0.id.value)
            #expect(try await orders.prevented(of: alice.account.id, before: last, limit: 10).isEmpty)
            try await world.verify()
            try await world.verifyOrders()
        }
    }

    @Test func `tickers that could not be published are due still`() async throws {
        try await TradingWorld.with { world in
            let clock = ManualClock(SystemClock().now())
            let markets = Markets(schema: TradingWorld.schema, pool: world.pool, clock: clock)
            let data = MarketData(
                schema: TradingWorld.schema,
                pool: world.pool,
                markets: markets,
                clock: clock,
                redis: nil
            )
            let outlet = StreamOutlet()
            let tickers = TickerFeed(
                data: data,
                feed: MarketFeed(outlet),
                outlet: outlet,
                isWriter: { true },
                logger: TradingWorld.quiet
            )
            var due: Set<Int> = [1]
            _ = try await markets.all()
            _ = try await world.database.pool(nil).query("alter table investing.klines rename to hidden")
            await #expect(throws: PostgresError.self) { try await tickers.publish(&due, all: false) }
            #expect(due == [1])
            _ = try await world.database.pool(nil).query("alter table investing.hidden rename to klines")
            try await tickers.publish(&due, all: false)
            #expect(due.isEmpty)
            try await tickers.publish(&due, all: true)
            #expect(due.isEmpty)
        }
    }
}
