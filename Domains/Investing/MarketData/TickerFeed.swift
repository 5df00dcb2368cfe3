import Kernel
import Logging
import ServiceLifecycle
import Streams

/// Publishes tickers where this process writes: each second those that traded, and all of them now and then, since a
/// day's window moves on without trades too.
struct TickerFeed: Service {
    private static let pauseSeconds = 1.0
    /// Rounds after which all markets have their turn.
    private static let allEvery = 30

    let data: MarketData
    let feed: MarketFeed
    let outlet: StreamOutlet
    let isWriter: @Sendable () -> Bool
    let logger: Logger

    func run() async throws {
        let beats = AsyncTimer(seconds: TickerFeed.pauseSeconds)
        var round = 0
        var due: Set<Int> = []
        while await beats.next() {
            guard isWriter() else { continue }
            round += 1
            let isForAll = round % TickerFeed.allEvery == 1
            due.formUnion(feed.takeTraded())
            guard isForAll || !due.isEmpty else { continue }
            do {
                try await publish(&due, all: isForAll)
            } catch {
                logger.warning("tickers were not published; they are next time", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Publishes the tickers of the markets with those numbers, or of all; what is told of is due no longer.
    func publish(_ due: inout Set<Int>, all isForAll: Bool) async throws {
        let markets = try await data.markets.all()
        if isForAll { due.formUnion(markets.map(\.market.id)) }
        for stored in markets where due.contains(stored.market.id) {
            let ticker = try await data.newTicker(stored.market)
            outlet.publish(ticker, to: StreamChannelID("ticker", stored.market.symbol))
            due.remove(stored.market.id)
        }
    }
}
