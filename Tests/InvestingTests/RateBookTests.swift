import Fees
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Randomness
import Synchronization
import TestSupport
import Testing

// What trading costs: by volume, by the schedules in force, and with rebates.
@Suite struct RateBookTests {
    /// A catalogue that can be changed.
    private final class Shelf: Sendable {
        private let schedules = Mutex<[FeeSchedule]>([])

        init(_ first: [FeeSchedule]) { schedules.withLock { $0 = first } }

        func add(_ schedule: FeeSchedule) { schedules.withLock { $0.append(schedule) } }

        func catalog() throws -> FeeCatalog { try FeeCatalog(schedules.withLock { $0 }) }
    }

    private static let start = Timestamp(seconds: 1_735_689_600)

    private static func schedule(
        _ operation: String,
        _ rule: String,
        partsPerBillion: Int64,
        from: Timestamp = start,
        to: Timestamp? = nil,
        version: Int = 1
    ) throws -> FeeSchedule {
        let number =
            UInt128(from.milliseconds) << 80 | 0x7 << 76 | 0b10 << 62 | UInt128(rule.utf8.count * 100 + version)
        return try FeeSchedule(
            id: ID(number),
            version: version,
            operation: operation,
            asset: .usdc,
            effectiveFrom: from,
            effectiveTo: to,
            rules: [FeeRule(rule, .platform, rule, terms: [.percentage(Rate(partsPerBillion: partsPerBillion))])]
        )
    }

    private static let steps: [(volume: Int128, maker: Int64, taker: Int64)] = [
        (0, 1_000_000, 1_500_000), (9_999, 1_000_000, 1_500_000), (10_000, 900_000, 1_350_000),
        (100_000, 800_000, 1_200_000), (1_000_000, 600_000, 900_000), (10_000_000, 400_000, 600_000),
    ]

    @Test func `each step of the thirty days' volume lowers the rates`() async throws {
        try await TradingWorld.with { world in
            let platform = world.database.pool(.platform)
            for step in RateBookTests.steps {
                let trader = try await world.trader()
                if step.volume > 0 {
                    _ = try await world.pool.query(
                        """
                        insert into investing.trades (id, market, number, price, quantity, quote_amount, taker_side,
                            taker_order, maker_order, taker_account, maker_account, taker_fee, maker_fee, recorded_at)
                        select id, 1, 1, 1, 1, \(step.volume * 1_000_000), 'buy', id, id, \(trader.account.id), id,
                            0, 0, now()
                        from (select \(world.ids.next(User.self))::uuid as id) as t
                        """
                    )
                }
                let book = RateBook(
                    schema: TradingWorld.schema,
                    pool: world.pool,
                    fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
                    ids: world.ids,
                    clock: SystemClock()
                )
                let rates = try await book.rates(of: trader.account, tier: 1, quote: .usdc)
                #expect([rates.maker, rates.taker] == [step.maker, step.taker], "\(step)")
                #expect(rates.rule(isTaker: true) == "trade_taker@1")
            }
        }
    }

    @Test func `a schedule counts as soon as it is in force and known`() async throws {
        try await TradingWorld.with { world in
            let clock = ManualClock(SystemClock().now())
            let shelf = Shelf([
                try RateBookTests.schedule("investing.trade.maker", "trade_maker", partsPerBillion: 1_000_000),
                try RateBookTests.schedule(
                    "investing.trade.taker",
                    "trade_taker",
                    partsPerBillion: 1_500_000,
                    to: clock.now().adding(seconds: 10)
                ),
                try RateBookTests.schedule(
                    "investing.trade.taker",
                    "trade_taker",
                    partsPerBillion: 2_000_000,
                    from: clock.now().adding(seconds: 10),
                    version: 2
                ),
            ])
            let fees = FeeCatalogCache(clock: clock) { try shelf.catalog() }
            let book = RateBook(
                schema: TradingWorld.schema,
                pool: world.pool,
                fees: fees,
                ids: world.ids,
                clock: clock
            )
            let trader = try await world.trader()
            func rates() async throws -> TradingRates {
                try await book.rates(of: trader.account, tier: 1, quote: .usdc)
            }
            #expect(try await rates().taker == 1_500_000)
            clock.advance(seconds: 11)
            #expect(try await rates().taker == 2_000_000, "its time has come")
            shelf.add(
                try RateBookTests.schedule("investing.trade.rebate", "trade_rebate", partsPerBillion: 1_200_000)
            )
            #expect(try await rates().maker == 1_000_000)
            fees.invalidate()
            let new = try await rates()
            #expect(new.maker == -200_000, "what is given back is more than what is charged")
            #expect(new.rule(isTaker: false) == "trade_maker@1+trade_rebate@1")
            #expect(new.highest == 2_000_000)
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `rebates are paid out of the income, and every fee is what its rate makes it`(seed: UInt64) async throws {
        try await TradingWorld.with { world in
            var random = SeededRandom(seed)
            var traders: [TradingWorld.Trader] = []
            for _ in 0..<3 { traders.append(try await world.trader()) }
            for _ in 0..<120 {
                let who = traders[Int.random(in: 0..<3, using: &random)]
                let side: Side = Bool.random(using: &random) ? .buy : .sell
                let ticket = world.ticket(
                    who,
                    side,
                    Int64.random(in: 10...400, using: &random),
                    at: Int64.random(in: 4_999_990...5_000_010, using: &random),
                    maker: Int64.random(in: -400_001...200_000, using: &random)
                )
                try await world.place(who, ticket)
            }
            let paid = try await world.pool.query("select 1 from investing.trades where maker_fee < 0")
            let moved = try await world.pool.query(
                "select 1 from investing.ledger_transfers where code = 'trade_rebate'"
            )
            #expect(paid.count > 10 && moved.count == paid.count)
            try await world.verify()
            try await world.verifyOrders()
        }
    }
}
