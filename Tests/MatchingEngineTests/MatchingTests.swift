import MatchingEngine
import Testing

@Suite struct `Matching` {
    @Test(arguments: Implementation.allCases, [Side.buy, .sell])
    func `trades at the maker's price, best first, then by arrival`(on implementation: Implementation, side: Side) {
        var market = Market(implementation)
        let (near, far): (Int64, Int64) = side == .buy ? (100, 101) : (101, 100)
        let other = side.opposite
        market.rest((1, other, far, 5), (2, other, near, 5), (3, other, near, 5))
        let first = market.place(.limit(10, side, far, 7))
        #expect(first.trades == ["2@\(near)x5", "3@\(near)x2"])
        // The one that is partly filled keeps its place.
        market.rest((4, other, near, 5))
        let second = market.place(.limit(11, side, far, 9))
        #expect(second.trades == ["3@\(near)x3", "4@\(near)x5", "1@\(far)x1"])
        #expect(market.open == ["1:4"])
    }

    @Test(arguments: Implementation.allCases)
    func `never trades through a limit, and what is left is the best price`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 5), (2, .sell, 103, 5))
        #expect(market.place(.limit(3, .buy, 102, 8)).trades == ["1@100x5"])
        #expect(market.open == ["3:3", "2:5"])
        #expect(market.place(.limit(4, .sell, 102, 3)).trades == ["3@102x3"])
        #expect(market.open == ["2:5"])
    }

    @Test(arguments: Implementation.allCases)
    func `drops what an immediate-or-cancel order can't trade`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 5))
        let events = market.place(.limit(2, .buy, 100, 8, .ioc))
        #expect(events.trades == ["1@100x5"] && events.ends == ["2 immediateOrCancel 3"])
        #expect(market.open.isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `fills or kills whole`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 5), (2, .sell, 101, 5), (3, .sell, 102, 5))
        let killed = market.place(.limit(4, .buy, 101, 11, .fok))
        #expect(killed.count == 1 && killed.ends == ["4 fillOrKill 11"])
        #expect(market.open == ["1:5", "2:5", "3:5"])
        #expect(market.place(.limit(5, .buy, 101, 10, .fok)).trades == ["1@100x5", "2@101x5"])
        #expect(market.place(.market(6, .buy, 6, .fok)).ends == ["6 fillOrKill 6"])
        #expect(market.place(.market(7, .buy, 5, .fok)).trades == ["3@102x5"])
    }

    @Test(arguments: Implementation.allCases)
    func `refuses post-only orders that would take`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 5))
        let refused = market.place(.limit(2, .buy, 100, 5, postOnly: true))
        #expect(refused == [.rejected(Rejection(order: 2, owner: 1, reason: .wouldTake, limit: 100, value: 100))])
        market.place(.limit(3, .buy, 99, 5, postOnly: true))
        #expect(market.open == ["3:5", "1:5"])
    }

    @Test(arguments: Implementation.allCases)
    func `drops what a market order finds nobody for`(on implementation: Implementation) {
        var market = Market(implementation)
        #expect(market.place(.market(1, .buy, 5)).ends == ["1 marketRemainder 5"])
        market.rest((2, .sell, 100, 5), (3, .sell, 110, 5))
        let bounded = market.place(.market(4, .buy, 8, bound: 105))
        #expect(bounded.trades == ["2@100x5"] && bounded.ends == ["4 marketRemainder 3"])
        #expect(market.open == ["3:5"])
    }

    @Test(arguments: Implementation.allCases)
    func `spends a quote amount and no more`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 5), (2, .sell, 110, 5))
        let bought = market.place(.market(3, .buy, quote: 950))
        #expect(bought.trades == ["1@100x5", "2@110x4"])
        let end = bought.compactMap { if case .cancelled(let end) = $0 { end } else { nil } }
        #expect(end.map(\.reason) == [.quoteSpent] && end.map(\.quoteRemaining) == [10] && end.map(\.traded) == [9])
        #expect(market.place(.market(4, .buy, quote: 500)).ends == ["4 marketRemainder 0"])
        market.rest((5, .buy, 100, 3))
        #expect(market.place(.market(6, .sell, quote: 301, .fok)).ends == ["6 quoteSpent 0"])
        #expect(market.open.isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `leaves nothing behind when the head, the middle or the tail is cancelled`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 1), (2, .buy, 100, 2), (3, .buy, 100, 3), (4, .buy, 100, 4), (5, .buy, 99, 5))
        for number: UInt64 in [2, 1, 4] { market.apply(.cancel(order: number)) }
        #expect(market.open == ["3:3", "5:5"])
        market.apply(.cancel(order: 3))
        #expect(market.place(.limit(6, .sell, 99, 1)).trades == ["5@99x1"])
    }

    @Test(arguments: Implementation.allCases)
    func `refuses cancels and amendments of what isn't live`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 1), (2, .buy, 99, 1), (4, .buy, 98, 1))
        market.place(.limit(3, .sell, 100, 1))
        market.apply(.cancel(order: 2))
        for number: UInt64 in [1, 2, 3, 99] {
            let unknown = Event.rejected(Rejection(order: number, owner: 0, reason: .unknownOrder))
            #expect(market.apply(.cancel(order: number)) == [unknown])
            #expect(market.apply(.amend(order: number, total: 5, price: 90)) == [unknown])
        }
        #expect(market.place(.limit(4, .sell, 98, 1)).rejections.map(\.reason) == [.duplicateOrder])
        #expect(market.open == ["4:1"])
    }

    @Test(arguments: Implementation.allCases)
    func `works or refuses at the end of what can be represented`(on implementation: Implementation) {
        var market = Market(implementation, filters: MarketFilters(notionalMax: Int128(Int64.max) * Int128(Int64.max)))
        let most = Int64.max
        market.rest((1, .sell, most, most))
        #expect(market.place(.limit(2, .sell, 1, 1)).rejections.map(\.reason) == [.sideFull])
        #expect(market.place(.limit(3, .buy, most, most)).trades == ["1@\(most)x\(most)"])
        market.rest((4, .buy, 1, most))
        #expect(market.apply(.amend(order: 4, total: most, price: most)).rejections.isEmpty)
        #expect(market.place(.market(5, .sell, quote: Int128(most) * Int128(most))).trades == ["4@\(most)x\(most)"])
        #expect(market.place(.limit(6, .buy, .min, 1)).rejections.map(\.reason) == [.priceTooLow])
        #expect(market.place(.limit(7, .buy, 1, .min)).rejections.map(\.reason) == [.quantityTooSmall])
        #expect(market.open.isEmpty)
    }
}
