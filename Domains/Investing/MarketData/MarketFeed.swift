import DepthFeed
import HTTP
import Kernel
import MatchingEngine
import Streams
import Synchronization

/// Tells subscribers what was committed, in its order, and keeps the books as they were told of.
final class MarketFeed: Sendable {
    private struct State {
        var books: [String: PublishedBook] = [:]
        /// Markets that have traded since they were last asked for.
        var traded: Set<Int> = []
    }

    private let outlet: StreamOutlet
    private let state = Mutex(State())

    init(_ outlet: StreamOutlet) { self.outlet = outlet }

    /// Tells of a batch that is committed; batches come in their order.
    func publish(_ news: DeskBatch.Published) {
        var markets: [Int: Market] = [:]
        for change in news.books {
            markets[change.market.id] = change.market
            let symbol = change.market.symbol
            guard let message = state.withLock({ MarketFeed.take(change, &$0) }) else { continue }
            outlet.publish(message.encoded(), to: StreamChannelID("depth", symbol), sequence: message.updates)
        }
        for trade in news.trades {
            guard let market = markets[trade.market] else { continue }
            let channel = StreamChannelID("trades", market.symbol)
            outlet.publish(trade.json(in: market), to: channel, sequence: trade.number...trade.number)
        }
        for kline in news.klines {
            guard let market = markets[kline.market] else { continue }
            let channel = StreamChannelID("klines", "\(market.symbol):\(kline.period.rawValue)")
            outlet.publish(kline.json(in: market), to: channel)
        }
        for notice in news.changes {
            let channel = StreamChannelID("markets", notice.symbol)
            outlet.publish(notice.payload, to: channel, sequence: notice.sequence...notice.sequence)
        }
        for notice in news.orders {
            let channel = StreamChannelID(notice.kind.streamName, notice.account.wire)
            outlet.publish(notice.payload, to: channel, sequence: notice.sequence...notice.sequence)
        }
        guard !news.trades.isEmpty else { return }
        state.withLock { state in for trade in news.trades { state.traded.insert(trade.market) } }
    }

    /// Another process may write from here on: what is known here is no longer the last word.
    func forget() { state.withLock { $0 = State() } }

    /// A market's book; nil where this process doesn't publish it.
    func book(_ symbol: String) -> PublishedBook? { state.withLock { $0.books[symbol] } }

    /// All books.
    var books: [PublishedBook] { state.withLock { Array($0.books.values) } }

    /// Markets that have traded since the last call.
    func takeTraded() -> Set<Int> {
        state.withLock { state in
            defer { state.traded = [] }
            return state.traded
        }
    }

    private static func take(_ change: DeskBatch.BookNews, _ state: inout State) -> DepthMessage? {
        let symbol = change.market.symbol
        if let whole = change.whole {
            // Its number is one above the last that is stored: who knows that one lacks these changes, anybody else
            // sees a gap and gets the whole.
            var book = PublishedBook(change.market, sequence: change.sequence - 1, bids: whole.bids, asks: whole.asks)
            defer { state.books[symbol] = book }
            return book.apply(change.changes, sequence: change.sequence)
        }
        return state.books[symbol]?.apply(change.changes, sequence: change.sequence)
    }
}
