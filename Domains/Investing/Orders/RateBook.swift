import Fees
import Kernel
import PostgreSQL
import Synchronization

/// What trading costs an account: by the fee schedules, its user's tier and what it traded in the last thirty days.
final class RateBook: Sendable {
    /// How old an account's volume may be.
    private static let ageMaxSeconds = 60.0
    /// Accounts that are remembered; beyond it the memory is emptied.
    private static let rememberedMax = 100_000
    /// A rate is the fee on so many minor units: exact to the billionth.
    private static let probe: Int128 = 1_000_000_000

    private struct Key: Hashable {
        let account: ID<TradingAccount>
        let quote: Asset
        let tier: Int
    }

    private let schema: Schema
    private let pool: Pool
    private let fees: FeeCatalogCache
    private let ids: IDGenerator
    private let clock: any WallClock
    private let remembered = Mutex<[Key: Promise]>([:])

    /// Rates, and what they come from.
    private struct Promise {
        let at: Timestamp
        let schedules: [ID<FeeSchedule>]
        let rates: TradingRates
    }

    /// What every market needs schedules for.
    static let operations = ["investing.trade.maker", "investing.trade.taker"]
    /// A rebate is a schedule of its own: what a maker gets is taken off what it pays.
    private static let rebate = "investing.trade.rebate"

    init(schema: Schema, pool: Pool, fees: FeeCatalogCache, ids: IDGenerator, clock: any WallClock) {
        (self.schema, self.pool, self.fees, self.ids, self.clock) = (schema, pool, fees, ids, clock)
    }

    /// The rates of an account in markets with that quote asset.
    ///
    /// - Throws: a `FeeError` where no schedule is in force.
    func rates(of account: TradingAccount, tier: Int, quote: Asset) async throws -> TradingRates {
        let (key, now) = (Key(account: account.ruled, quote: quote, tier: tier), clock.now())
        // Asked each time, so that a schedule counts as soon as it is in force, and the cache knows of it.
        let catalog = try await fees.current()
        let schedules = (RateBook.operations + [RateBook.rebate])
            .compactMap { try? catalog.schedule(operation: $0, asset: quote, at: now).id }
        if let known = remembered.withLock({ $0[key] }), known.schedules == schedules,
            now.secondsSince(known.at) < RateBook.ageMaxSeconds
        {
            return known.rates
        }
        let context = FeeContext(
            amount: Money(minorUnits: RateBook.probe, quote),
            tier: FeeTier(rawValue: tier) ?? .tier1,
            monthVolume: try await volume(of: account.ruled, quote, now)
        )
        let maker = try catalog.quote(RateBook.operations[0], context, id: ids.next(), at: now)
        let taker = try catalog.quote(RateBook.operations[1], context, id: ids.next(), at: now)
        let rebate = try? catalog.quote(RateBook.rebate, context, id: ids.next(), at: now)
        let rates = TradingRates(
            maker: Int64(maker.total.minorUnits - (rebate?.total.minorUnits ?? 0)),
            taker: Int64(taker.total.minorUnits),
            schedules: .array([maker, taker].map(RateBook.source) + (rebate.map { [RateBook.source($0)] } ?? []))
        )
        remembered.withLock { remembered in
            if remembered.count >= RateBook.rememberedMax { remembered = [:] }
            remembered[key] = Promise(at: now, schedules: schedules, rates: rates)
        }
        return rates
    }

    /// What an account and its portfolios traded in thirty days, all markets with that quote asset together.
    private func volume(of account: ID<TradingAccount>, _ quote: Asset, _ now: Timestamp) async throws -> Money {
        let portfolios = try await pool.query("select id from \(schema).accounts where parent = \(account)")
        let all = try [account] + portfolios.map { try $0["id"] }
        let start = now.adding(seconds: -30 * 86_400)
        // Ids are minted somewhat before their rows are recorded; by them whole partitions are left out.
        let low = Klines.lowestID(start.adding(seconds: -3_600))
        let rows = try await pool.query(
            """
            select coalesce(sum(t.quote_amount), 0)::numeric(38,0) as volume
            from \(schema).trades t join \(schema).markets m on m.id = t.market and m.quote = \(quote.code)
            where (t.taker_account = any(\(all)) or t.maker_account = any(\(all)))
                and t.id >= \(low) and t.recorded_at >= \(start)
            """
        )
        return Money(minorUnits: try rows[0]["volume"], quote)
    }

    private static func source(_ quote: FeeQuote) -> JSON {
        [
            "operation": .string(quote.operation), "schedule": .string(quote.schedule.wire),
            "version": .integer(quote.version), "rules": .array(quote.lines.map { .string($0.rule) }),
            "rates": .array(quote.lines.map { .string($0.rate) }),
        ]
    }
}
