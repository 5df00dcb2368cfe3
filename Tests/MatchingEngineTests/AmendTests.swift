import MatchingEngine
import Testing

@Suite struct `Amendments` {
    @Test(arguments: Implementation.allCases)
    func `keep their place for less at the same price, and lose it for more`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 5), (2, .buy, 100, 5))
        market.apply(.amend(order: 1, total: 3, price: 100))
        #expect(market.open == ["1:3", "2:5"])
        market.apply(.amend(order: 1, total: 4, price: 100))
        #expect(market.open == ["2:5", "1:4"])
    }

    @Test(arguments: Implementation.allCases)
    func `count what has traded, and cancel when nothing is left`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 10))
        market.place(.limit(2, .sell, 100, 4))
        market.apply(.amend(order: 1, total: 7, price: 100))
        #expect(market.open == ["1:3"])
        #expect(market.apply(.amend(order: 1, total: 4, price: 100)).ends == ["1 amendedAway 3"])
        #expect(market.open.isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `trade at the maker's price where they cross`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 99, 5), (2, .sell, 101, 3), (3, .sell, 102, 3))
        let events = market.apply(.amend(order: 1, total: 5, price: 103))
        #expect(events.trades == ["2@101x3", "3@102x2"])
        #expect(market.open == ["3:1"])
    }

    @Test(arguments: Implementation.allCases)
    func `of a post-only order that would take are refused`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.limit(1, .buy, 99, 5, postOnly: true))
        market.rest((2, .sell, 101, 3))
        let before = market.open
        let refused = market.apply(.amend(order: 1, total: 5, price: 101))
        #expect(refused == [.rejected(Rejection(order: 1, owner: 1, reason: .wouldTake, limit: 101, value: 101))])
        #expect(market.open == before && market.order(1)?.price == 99)
        market.apply(.amend(order: 1, total: 5, price: 100))
        #expect(market.order(1)?.isPostOnly == true)
    }

    @Test(arguments: Implementation.allCases)
    func `give back what self-trade prevention took`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.limit(1, .sell, 100, 10, owner: 7))
        market.place(.limit(2, .buy, 100, 4, owner: 7, mode: .decrement))
        #expect(market.open == ["1:6"] && market.order(1)?.prevented == 4)
        market.apply(.amend(order: 1, total: 10, price: 100))
        #expect(market.open == ["1:10"] && market.order(1)?.prevented == 0)
    }

    @Test(arguments: Implementation.allCases)
    func `of orders that wait or are legs are refused`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.conditional(.stop, 1, .sell, at: 90, 5))
        market.apply(.placePair(.limit(2, .sell, 110, 5), .conditional(.stop, 3, .sell, at: 80, 5)))
        for number: UInt64 in [1, 2, 3] {
            #expect(
                market.apply(.amend(order: number, total: 1, price: 100)).rejections.map(\.reason) == [.notAmendable]
            )
        }
    }

    @Test(arguments: Implementation.allCases)
    func `that replace are all or nothing, or each for itself`(on implementation: Implementation) {
        var market = Market(implementation, filters: MarketFilters(quantityMin: 2))
        market.rest((1, .buy, 100, 5), (2, .buy, 99, 5))
        let bad = NewOrder.limit(3, .buy, 98, 1)
        #expect(market.apply(.cancelReplace(order: 1, with: bad, .stopOnFailure)).rejections.map(\.order) == [3])
        let unknown = market.apply(.cancelReplace(order: 9, with: .limit(4, .buy, 98, 5), .stopOnFailure))
        #expect(unknown.rejections.map(\.order) == [9] && unknown.count == 1)
        #expect(market.open == ["1:5", "2:5"])
        let halves = market.apply(.cancelReplace(order: 1, with: bad, .allowFailure))
        #expect(halves.ends == ["1 replaced 5"] && halves.rejections.map(\.order) == [3])
        market.apply(.cancelReplace(order: 9, with: .limit(5, .buy, 97, 5), .allowFailure))
        market.apply(.cancelReplace(order: 2, with: .limit(6, .buy, 98, 4), .stopOnFailure))
        #expect(market.open == ["6:4", "5:5"])
    }

    @Test(arguments: Implementation.allCases)
    func `of all of an owner end them by number`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.limit(3, .buy, 90, 1, owner: 7))
        market.place(.limit(1, .sell, 110, 1, owner: 7))
        market.rest((2, .buy, 91, 1))
        market.place(.conditional(.stop, 4, .sell, at: 80, 5, owner: 7))
        let events = market.apply(.cancelAll(owner: 7))
        #expect(events.ends == ["1 cancelAll 1", "3 cancelAll 1", "4 cancelAll 5"])
        #expect(market.open == ["2:1"])
    }
}
