import DomainKit
import HTTP
import Kernel
import PostgreSQL
import Redis
import ServiceLifecycle

/// Klines and tickers over the API; any process serves them.
struct MarketData: Sendable {
    /// Klines of one answer.
    private static let klinesMax = 1_000
    private static let klinesDefault = 500
    /// How long a ticker may be given again.
    private static let tickerSeconds = 2.0

    let markets: Markets
    let klines: Klines
    private let clock: any WallClock
    private let cache: RedisCache?

    init(schema: Schema, pool: Pool, markets: Markets, clock: any WallClock, redis: RedisClient?) {
        (self.markets, klines, self.clock) = (markets, Klines(schema: schema, pool: pool), clock)
        cache = redis.map { RedisCache(client: $0, name: "\(schema):ticker") }
    }

    var routes: [Route] { [klineList, ticker] }

    /// What tells of tickers, and keeps the books in Redis where there is one.
    func services(
        _ feed: MarketFeed,
        _ platform: PlatformServices,
        isWriter: @escaping @Sendable () -> Bool
    ) -> [any Service] {
        let tickers = TickerFeed(
            data: self,
            feed: feed,
            outlet: platform.streams,
            isWriter: isWriter,
            logger: platform.logger
        )
        guard let redis = platform.redis else { return [tickers] }
        return [tickers, BookCache(redis: redis, feed: feed, isWriter: isWriter)]
    }

    /// A market's ticker as of now, computed anew; those who ask soon after get the same.
    func newTicker(_ market: Market) async throws -> [UInt8] {
        let ticker = try await klines.ticker(market, at: clock.now()).json(in: market).serialized()
        await cache?.set(market.symbol, ticker, expiresInSeconds: MarketData.tickerSeconds)
        return ticker
    }

    private var klineList: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}/klines",
            operationID: "listKlines",
            summary: "Read a market's klines, oldest first",
            description: """
                Periods begin by the clock and calendar of UTC, weeks on Monday. One without a trade has the close \
                before it as its prices and no volume; before a market's first trade there are none. Without `from` \
                they are the newest up to `to`.
                """,
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [
                MarketData.symbol,
                .query("interval", .oneOf(KlinePeriod.allCases.map(\.rawValue)), "The period.", isRequired: true),
                .query("from", .instant, "From the period that it lies in."),
                .query("to", .instant, "Up to the period that it lies in; now unless given."),
                .query(
                    "limit",
                    .integer(1...MarketData.klinesMax),
                    "How many at most; \(MarketData.klinesDefault) unless given."
                ),
            ],
            responses: [200: ResponseShape("The klines.", MarketData.listSchema)],
            problems: [404: ["market_not_found"]]
        ) { request in
            let market = try await markets.market(request.text("symbol") ?? "").market
            let period = request.text("interval").flatMap { KlinePeriod(rawValue: $0) } ?? .minute
            let count = request.integer("limit") ?? MarketData.klinesDefault
            let now = clock.now()
            let last = period.opening(of: min(now, request.text("to").flatMap { Timestamp($0) } ?? now))
            let first =
                request.text("from").flatMap { Timestamp($0) }.map { period.opening(of: $0) }
                ?? period.opening(last, plus: 1 - count)
            let end = period.opening(last, plus: 1)
            let found = try await klines.list(market, period, from: first, before: end, count: count)
            return .ok([
                "symbol": .string(market.symbol), "interval": .string(period.rawValue),
                "data": .array(found.map { $0.json(in: market) }),
            ])
        }
    }

    private var ticker: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}/ticker",
            operationID: "getTicker",
            summary: "Read what a market traded in the last 24 hours",
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [MarketData.symbol],
            responses: [200: ResponseShape("The ticker, at most two seconds old.", Ticker.schema)],
            problems: [404: ["market_not_found"]]
        ) { request in
            let market = try await markets.market(request.text("symbol") ?? "").market
            if let cached = await cache?.get(market.symbol), let ticker = try? JSON.parse(cached) { return .ok(ticker) }
            return .ok(try JSON.parse(try await newTicker(market)))
        }
    }

    private static let symbol = Parameter.path("symbol", .text(3...25), "The market: `BTC-USDC`.")
    private static let listSchema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("interval", .oneOf(KlinePeriod.allCases.map(\.rawValue))),
            .required("data", .array(of: Kline.schema, count: 0...klinesMax)),
        ],
        named: "KlineList"
    )
}
