import DepthFeed
import Kernel
import MatchingEngine
import Redis
import ServiceLifecycle

/// Keeps the published books in Redis for whoever wants to look: sorted sets `orderbook:{symbol}:bids` and `…:asks`,
/// the price in ticks as the score, `price:quantity` as the member.
///
/// It can vanish at any time and comes back by itself; nothing is decided by it. What the process that writes doesn't
/// renew is gone after a while.
struct BookCache: Service {
    /// Levels of each side that are kept.
    static let levelsMax = 500
    private static let pauseSeconds = 0.25
    /// Rounds after which a book that hasn't changed is written all the same.
    private static let renewEvery = 20
    private static let expiresInMilliseconds = 15_000

    // Both sides at once, so that nobody sees the one without the other.
    private static let script = RedisScript(
        """
        local place = 3
        for side = 1, 2 do
            redis.call('DEL', KEYS[side])
            for _ = 1, tonumber(ARGV[place - 1]) do
                redis.call('ZADD', KEYS[side], ARGV[place], ARGV[place + 1])
                place = place + 2
            end
            redis.call('PEXPIRE', KEYS[side], ARGV[1])
            place = place + 1
        end
        return 1
        """
    )

    let redis: RedisClient
    let feed: MarketFeed
    let isWriter: @Sendable () -> Bool

    func run() async throws {
        let beats = AsyncTimer(seconds: BookCache.pauseSeconds)
        var written: [String: Int64] = [:]
        var round = 0
        while await beats.next() {
            guard isWriter(), redis.isConnected else { continue }
            round += 1
            if round % BookCache.renewEvery == 0 { written = [:] }
            for book in feed.books where written[book.market.symbol] != book.sequence {
                guard await write(book) else { break }
                written[book.market.symbol] = book.sequence
            }
        }
    }

    /// Writes a book; false when Redis didn't take it.
    func write(_ book: PublishedBook) async -> Bool {
        var arguments: [any RedisArgument] = [BookCache.expiresInMilliseconds]
        for side in [Side.buy, .sell] {
            let levels = book.levels(side, limit: BookCache.levelsMax)
            arguments.append(levels.count)
            for (price, level) in zip(book.prices(side, limit: BookCache.levelsMax), levels) {
                arguments += [price, "\(level.price):\(level.quantity)"] as [any RedisArgument]
            }
        }
        let keys = ["bids", "asks"].map { "orderbook:\(book.market.symbol):\($0)" }
        return (try? await BookCache.script.run(on: redis, keys: keys, arguments: arguments)) != nil
    }
}
