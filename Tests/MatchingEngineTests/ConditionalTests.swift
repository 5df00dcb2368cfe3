import MatchingEngine
import Testing

@Suite struct `Conditional orders` {
    @Test(arguments: Implementation.allCases)
    func `trigger on the last price, after the whole command, nearest first, then by arrival`(
        on implementation: Implementation
    ) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 1), (2, .buy, 95, 1), (3, .buy, 90, 10))
        market.place(.conditional(.stop, 10, .sell, at: 92, 1, owner: 10))
        market.place(.conditional(.stop, 11, .sell, at: 96, 1, owner: 11))
        market.place(.conditional(.stopLimit, 12, .sell, at: 96, 1, price: 97, owner: 12))
        market.place(.conditional(.takeProfit, 13, .sell, at: 101, 1, owner: 13))
        #expect(market.place(.market(20, .sell, 1)).triggered == [])
        // 96 is reached by the trade at 95; its order trades at 90 and so reaches 92.
        let events = market.place(.market(21, .sell, 1))
        #expect(events.triggered == [11, 12, 10])
        #expect(events.trades == ["2@95x1", "3@90x1", "3@90x1"])
        #expect(market.open == ["3:8", "12:1", "13:1"])
    }

    @Test(
        arguments: Implementation.allCases,
        [
            (OrderType.stop, Side.buy, 105, true), (.stop, .buy, 106, false), (.stop, .sell, 105, true),
            (.stop, .sell, 104, false), (.takeProfit, .buy, 105, true), (.takeProfit, .buy, 104, false),
            (.takeProfit, .sell, 105, true), (.takeProfit, .sell, 106, false),
        ]
    )
    func `trigger at or beyond their price`(
        on implementation: Implementation,
        expected: (OrderType, Side, Int64, Bool)
    ) {
        var market = Market(implementation)
        market.rest((1, .sell, 105, 1))
        market.place(.limit(2, .buy, 105, 1))
        // The last price has reached it already: it triggers within its own command.
        let events = market.place(.conditional(expected.0, 3, expected.1, at: expected.2, 1))
        #expect(events.triggered == (expected.3 ? [3] : []))
        #expect((market.order(3) == nil) == expected.3)
    }

    @Test(arguments: Implementation.allCases)
    func `keep their time in force when they become active`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 1), (2, .buy, 99, 1))
        market.place(.conditional(.stopLimit, 3, .sell, at: 100, 5, price: 99, .fok, owner: 3))
        market.place(.conditional(.stopLimit, 4, .sell, at: 100, 5, price: 99, .ioc, owner: 4))
        let events = market.place(.limit(5, .sell, 100, 1))
        #expect(events.triggered == [3, 4])
        #expect(events.ends == ["3 fillOrKill 5", "4 immediateOrCancel 4"])
    }

    @Test(arguments: Implementation.allCases)
    func `in pairs: a fill of one leg reduces and ends the other`(on implementation: Implementation) {
        var market = Market(implementation)
        market.apply(.placePair(.limit(1, .sell, 110, 5), .conditional(.stop, 2, .sell, at: 90, 5)))
        market.place(.limit(3, .buy, 110, 2, owner: 3))
        #expect(market.open == ["1:3", "2:3"])
        #expect(market.place(.limit(4, .buy, 110, 3, owner: 3)).ends == ["2 otherLeg 3"])
        #expect(market.open.isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `in pairs: the trigger of one leg ends the other first`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 90, 9))
        market.apply(.placePair(.limit(2, .sell, 110, 5), .conditional(.stop, 3, .sell, at: 90, 5)))
        market.place(.limit(4, .buy, 110, 2, owner: 4))
        let events = market.place(.limit(5, .sell, 90, 1, owner: 5))
        #expect(events.ends == ["2 otherLeg 3"] && events.trades == ["1@90x1", "1@90x3"])
        #expect(market.open == ["1:5"])
    }

    @Test(arguments: Implementation.allCases)
    func `in pairs: a cancel of one leg ends both, and a leg that takes counts`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((9, .buy, 110, 2))
        let events = market.apply(.placePair(.limit(1, .sell, 110, 5), .conditional(.stop, 2, .sell, at: 90, 5)))
        #expect(events.trades == ["9@110x2"])
        #expect(market.open == ["1:3", "2:3"])
        #expect(market.apply(.cancel(order: 2)).ends == ["2 user 3", "1 otherLeg 3"])
        #expect(market.open.isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `in pairs of unlike orders are refused`(on implementation: Implementation) {
        var market = Market(implementation)
        let first = NewOrder.limit(1, .sell, 110, 5)
        let second = NewOrder.conditional(.stop, 2, .sell, at: 90, 5)
        var pairs = [(first, first), (second, first)]
        for change in 0..<4 {
            var other = second
            switch change {
            case 0: other.side = .buy
            case 1: other.quantity = 4
            case 2: other.owner = 2
            default: other.number = 1
            }
            pairs.append((first, other))
        }
        pairs.append((.limit(1, .sell, 110, 5, .ioc), second))
        for (first, second) in pairs {
            #expect(market.apply(.placePair(first, second)).rejections.map(\.reason) == [.invalidPair])
        }
        #expect(market.open.isEmpty)
    }
}
