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
        while await beats.next() {
            guard isWriter() else { continue }
            round += 1
            let isForAll = round % TickerFeed.allEvery == 1
            let traded = feed.takeTraded()
            guard isForAll || !traded.isEmpty else { continue }
            do {
                try await publish { isForAll || traded.contains($0) }
            } catch {
                logger.warning("tickers were not published; they are next time", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Publishes the tickers of the markets with those numbers.
    func publish(_ isWanted: (Int) -> Bool) async throws {
        for stored in try await data.markets.all() where isWanted(stored.market.id) {
            let ticker = try await data.newTicker(stored.market)
            outlet.publish(ticker, to: StreamChannelID("ticker", stored.market.symbol))
        }
    }
}
