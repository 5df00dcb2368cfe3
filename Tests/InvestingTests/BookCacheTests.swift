import EmbeddedServers
@testable import Investing
import Kernel
import MatchingEngine
import Metrics
import Redis
import Streams
import TestSupport
import Testing

@Suite struct BookCacheTests {
    @Test func `the published book stands in Redis, and again after it vanished`() async throws {
        try await TestRedis.withServer { server in
            let redis = try RedisClient(
                url: server.url,
                logger: TradingWorld.quiet,
                metrics: NOOPMetricsHandler.instance
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await redis.run() }
                defer { group.cancelAll() }
                try #require(await redis.waitUntilConnected(timeoutSeconds: 10))
                try await check(redis)
            }
        }
    }

    private func check(_ redis: RedisClient) async throws {
        var book = PublishedBook(
            Samples.market,
            sequence: 1,
            bids: [DepthLevel(price: 99, quantity: 5, orders: 1), DepthLevel(price: 98, quantity: 7, orders: 2)],
            asks: [DepthLevel(price: 101, quantity: 3, orders: 1)]
        )
        let cache = BookCache(redis: redis, feed: MarketFeed(.init()), isWriter: { true })
        #expect(await cache.write(book))
        #expect(try await levels(redis, "bids") == ["0.98:0.0007", "98", "0.99:0.0005", "99"])
        #expect(try await levels(redis, "asks") == ["1.01:0.0003", "101"])
        _ = try await redis.command(["FLUSHALL"])
        let changes = [
            LevelChange(side: .buy, price: 98, quantity: 0), LevelChange(side: .sell, price: 100, quantity: 1),
        ]
        _ = book.apply(changes, sequence: 2)
        #expect(await cache.write(book))
        #expect(try await levels(redis, "bids") == ["0.99:0.0005", "99"])
        #expect(try await levels(redis, "asks") == ["1.00:0.0001", "100", "1.01:0.0003", "101"])
        // The service writes what is published, and again what vanished.
        let outlet = StreamOutlet()
        let feed = MarketFeed(outlet)
        feed.publish(BookCacheTests.news)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await BookCache(redis: redis, feed: feed, isWriter: { true }).run() }
            defer { group.cancelAll() }
            try await until(redis, "bids", ["0.97:0.0002", "97"])
            _ = try await redis.command(["FLUSHALL"])
            try await until(redis, "bids", ["0.97:0.0002", "97"])
        }
        _ = try await redis.command(["FLUSHALL"])
        #expect(await cache.write(book))
        let left = try await redis.command(["PTTL", "orderbook:BTC-USDC:asks"]).integer ?? 0
        #expect(left > 0)
    }

    /// A book that is told of for the first time.
    private static let news = DeskBatch.Published(
        instant: Timestamp(microseconds: 0),
        trades: [],
        orders: [],
        markets: [1],
        seen: SeenBatch(at: 0, orders: [], trades: []),
        books: [
            DeskBatch.BookNews(
                market: Samples.market,
                sequence: 2,
                changes: [],
                whole: ([DepthLevel(price: 97, quantity: 2, orders: 1)], [])
            )
        ],
        klines: [],
        changes: []
    )

    private func until(_ redis: RedisClient, _ side: String, _ wanted: [String]) async throws {
        for _ in 0..<1_000 {
            if try await levels(redis, side) == wanted { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the book isn't in Redis")
    }

    private func levels(_ redis: RedisClient, _ side: String) async throws -> [String] {
        let reply = try await redis.command(["ZRANGE", "orderbook:BTC-USDC:\(side)", 0, -1, "WITHSCORES"])
        return (reply.elements ?? []).compactMap(\.text)
    }
}
