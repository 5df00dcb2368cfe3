@testable import Investing
import Kernel
import MatchingEngine
import Testing

/// Streams on which each indicator fires, and streams much like them on which none does.
struct IndicatorTests {
    /// A stream that is made step by step, a second each.
    private struct Stream {
        let ids = IDGenerator()
        let (alice, bob): (ID<TradingAccount>, ID<TradingAccount>)
        var users: [ID<TradingAccount>: ID<User>] = [:]
        var indicators = Indicators()
        var now: Int64 = 1_000_000_000
        var found: [RiskFinding] = []

        init() {
            (alice, bob) = (ids.next(), ids.next())
            users = [alice: ids.next(), bob: ids.next()]
        }

        var types: [String] { found.map(\.type) }

        mutating func see(_ orders: [SeenOrder] = [], _ trades: [SeenTrade] = [], after seconds: Int64 = 1) {
            now += seconds * 1_000_000
            found += indicators.see(SeenBatch(at: now, orders: orders, trades: trades))
        }

        func order(
            _ account: ID<TradingAccount>,
            _ side: Side,
            _ quantity: Int64,
            at price: Int64,
            traded: Int64 = 0
        ) -> SeenOrder {
            SeenOrder(
                id: ids.next(),
                account: account,
                user: users[account] ?? ids.next(),
                market: 1,
                side: side,
                price: price,
                quantity: quantity,
                traded: traded,
                endedAt: nil
            )
        }

        func ended(_ order: SeenOrder, traded: Int64 = 0) -> SeenOrder {
            SeenOrder(
                id: order.id,
                account: order.account,
                user: order.user,
                market: order.market,
                side: order.side,
                price: order.price,
                quantity: order.quantity,
                traded: traded,
                endedAt: now
            )
        }

        /// A trade with the orders that made it.
        mutating func trade(
            from seller: ID<TradingAccount>,
            to buyer: ID<TradingAccount>,
            _ quantity: Int64,
            at price: Int64,
            after seconds: Int64 = 1
        ) {
            let (sell, buy) = (order(seller, .sell, quantity, at: price), order(buyer, .buy, quantity, at: price))
            let trade = SeenTrade(market: 1, price: price, quantity: quantity, buyer: buyer, seller: seller)
            see([ended(sell, traded: quantity), ended(buy, traded: quantity)], [trade], after: seconds)
        }
    }

    @Test func `a trade with oneself is found, over two accounts too, once an hour`() {
        var stream = Stream()
        stream.trade(from: stream.alice, to: stream.alice, 5, at: 100)
        stream.trade(from: stream.alice, to: stream.alice, 5, at: 100)
        #expect(stream.types == ["wash_trade"])
        stream.trade(from: stream.alice, to: stream.alice, 5, at: 100, after: 3_600)
        #expect(stream.types.count == 2)
        stream = Stream()
        stream.users[stream.bob] = stream.users[stream.alice]
        stream.trade(from: stream.alice, to: stream.bob, 5, at: 100)
        #expect(stream.found.map(\.level) == [.high])
    }

    @Test func `going back and forth is found, dealing in both directions isn't`() {
        var stream = Stream()
        for _ in 0..<3 {
            stream.trade(from: stream.alice, to: stream.bob, 500, at: 100_000)
            stream.trade(from: stream.bob, to: stream.alice, 500, at: 100_050)
        }
        #expect(stream.types == ["wash_trade"])
        #expect(stream.found.map(\.level) == [.medium])

        // Other quantities, other prices, other times, one direction, too seldom: what honest dealing looks like.
        let honest: [(Int64, Int64, Int64)] = [(501, 100_050, 1), (500, 100_200, 1), (500, 100_050, 61)]
        for (quantity, price, seconds) in honest {
            stream = Stream()
            for _ in 0..<5 {
                stream.trade(from: stream.alice, to: stream.bob, 500, at: 100_000)
                stream.trade(from: stream.bob, to: stream.alice, quantity, at: price, after: seconds)
                stream.see(after: 61)
            }
            #expect(stream.types.isEmpty, "\(quantity) at \(price) after \(seconds) s")
        }
        stream = Stream()
        for _ in 0..<20 { stream.trade(from: stream.alice, to: stream.bob, 500, at: 100_000) }
        #expect(stream.types.isEmpty)
    }

    /// Shows large bids, sells a little into what they draw, and pulls them.
    private static func spoof(
        _ stream: inout Stream,
        rounds: Int,
        large: Int64 = 1_000,
        pullAfter: Int64 = 2,
        quoting: Int64 = 0,
        traded: Int64 = 0
    ) {
        for _ in 0..<rounds {
            let bid = stream.order(stream.alice, .buy, large, at: 99)
            let ask = stream.order(stream.alice, .sell, max(1, quoting), at: 102)
            stream.see(quoting > 0 ? [bid, ask] : [bid])
            stream.trade(from: stream.alice, to: stream.bob, 100, at: 101)
            stream.now += (pullAfter - 1) * 1_000_000
            stream.see([stream.ended(bid, traded: traded)])
        }
    }

    @Test func `large orders pulled after fills on the other side are found`() {
        var stream = Stream()
        IndicatorTests.spoof(&stream, rounds: 2)
        #expect(stream.types.isEmpty, "twice may be chance")
        IndicatorTests.spoof(&stream, rounds: 1)
        #expect(stream.types == ["spoofing"])
        #expect(stream.found.first?.account == stream.alice)
    }

    @Test func `orders that are pulled for other reasons aren't found`() {
        var stream = Stream()
        IndicatorTests.spoof(&stream, rounds: 6, large: 400)
        #expect(stream.types.isEmpty, "no larger than what somebody trades")
        stream = Stream()
        IndicatorTests.spoof(&stream, rounds: 6, pullAfter: 12)
        #expect(stream.types.isEmpty, "open long after the fill")
        stream = Stream()
        IndicatorTests.spoof(&stream, rounds: 6, quoting: 1_000)
        #expect(stream.types.isEmpty, "both sides are quoted")
        stream = Stream()
        IndicatorTests.spoof(&stream, rounds: 6, traded: 1)
        #expect(stream.types.isEmpty, "it traded")
        stream = Stream()
        for _ in 0..<20 {
            let bid = stream.order(stream.alice, .buy, 1_000, at: 99)
            stream.see([bid])
            stream.see([stream.ended(bid)])
        }
        #expect(stream.types.isEmpty, "nothing was gained by it")
    }

    @Test(arguments: [(4, ["layering"]), (3, [])])
    func `levels that are pulled together after a fill are found`(_ levels: Int, _ expected: [String]) {
        var stream = Stream()
        let bids = (0..<levels).map { stream.order(stream.alice, .buy, 150, at: 99 - Int64($0)) }
        stream.see(bids)
        stream.trade(from: stream.alice, to: stream.bob, 100, at: 101)
        stream.see(bids.map { stream.ended($0) })
        #expect(stream.types == expected)
    }

    @Test func `orders of one price, pulled together, are no layers`() {
        var stream = Stream()
        let bids = (0..<8).map { _ in stream.order(stream.alice, .buy, 150, at: 99) }
        stream.see(bids)
        stream.trade(from: stream.alice, to: stream.bob, 100, at: 101)
        stream.see(bids.map { stream.ended($0) })
        #expect(stream.types.isEmpty)
    }
}
