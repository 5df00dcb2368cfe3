import MatchingEngine
import Testing

@Suite struct `Market states` {
    @Test(
        arguments: Implementation.allCases,
        [
            // limit, post-only, market, stop, stop-limit
            (MarketState.trading, [true, true, true, true, true]), (.halt, [false, false, false, false, false]),
            (.cancelOnly, [false, false, false, false, false]), (.postOnly, [false, true, false, false, false]),
            (.limitOnly, [true, true, false, false, true]),
        ]
    )
    func `admit what they say`(on implementation: Implementation, expected: (MarketState, [Bool])) {
        var market = Market(implementation)
        market.rest((90, .buy, 10, 1), (91, .buy, 9, 1))
        market.apply(.setState(expected.0, reopensAt: nil))
        let orders: [NewOrder] = [
            .limit(1, .buy, 5, 1), .limit(2, .buy, 5, 1, postOnly: true), .market(3, .buy, 1),
            .conditional(.stop, 4, .sell, at: 3, 1), .conditional(.stopLimit, 5, .sell, at: 3, 1, price: 3),
        ]
        for (order, isAdmitted) in zip(orders, expected.1) {
            let rejections = market.place(order).rejections
            let state = Int128(expected.0.rawValue)
            let refusal = Rejection(order: order.number, owner: 1, reason: .marketState, value: state)
            #expect(rejections == (isAdmitted ? [] : [refusal]))
        }
        let amendment = market.apply(.amend(order: 91, total: 2, price: 8)).rejections.map(\.reason)
        let isClosed = expected.0 == .halt || expected.0 == .cancelOnly
        #expect(amendment == (isClosed ? [.marketState] : []))
        #expect(market.apply(.cancel(order: 90)).ends == ["90 user 1"])
    }

    @Test(arguments: Implementation.allCases)
    func `let nobody take while a market is post-only`(on implementation: Implementation) {
        var market = Market(implementation)
        market.rest((1, .buy, 100, 1), (2, .sell, 110, 1))
        market.apply(.setState(.postOnly, reopensAt: nil))
        #expect(market.apply(.amend(order: 1, total: 1, price: 110)).rejections.map(\.reason) == [.wouldTake])
        #expect(market.open == ["1:1", "2:1"])
    }

    @Test(arguments: Implementation.allCases)
    func `end by a timer or an operator`(on implementation: Implementation) {
        var market = Market(implementation)
        market.apply(.setState(.halt, reopensAt: 100))
        market.instant = 99
        #expect(market.place(.limit(1, .buy, 5, 1)).rejections.map(\.reason) == [.marketState])
        market.instant = 100
        #expect(market.place(.limit(2, .buy, 5, 1)).states == [.trading])
        market.apply(.setState(.cancelOnly, reopensAt: 150))
        market.instant = 200
        #expect(market.apply(.expire).isEmpty)
        #expect(market.apply(.reopen).states == [.trading])
        #expect(market.apply(.reopen).isEmpty)
    }

    @Test(arguments: Implementation.allCases)
    func `halt by a move that is too far too fast, and reopen`(on implementation: Implementation) {
        var market = Market(
            implementation,
            breaker: CircuitBreaker(moveBasisPoints: 500, window: 3200, halt: 1000)
        )
        market.rest((1, .buy, 100, 5), (2, .buy, 95, 5), (3, .buy, 94, 5), (4, .buy, 80, 5))
        market.place(.conditional(.stop, 9, .sell, at: 94, 1, owner: 9))
        #expect(market.place(.market(5, .sell, 5)).states == [])
        #expect(market.place(.market(6, .sell, 5)).states == [])
        let halted = market.place(.market(7, .sell, 1))
        #expect(halted.states == [.halt] && halted.triggered == [])
        #expect(
            halted.last
                == .stateChanged(StateChanged(from: .trading, to: .halt, cause: .circuitBreaker, reopensAt: 1000))
        )
        market.instant = 1000
        let reopened = market.apply(.expire)
        #expect(reopened.states == [.trading] && reopened.triggered == [9])
        // The same move in more time than the window.
        market.instant = 20_000
        market.rest((10, .sell, 130, 1))
        #expect(market.place(.limit(11, .buy, 130, 1)).states == [])
    }

    @Test(arguments: Implementation.allCases)
    func `end orders at their instant, before anything else`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.limit(1, .sell, 100, 5, .gtd, until: 50))
        market.place(.limit(2, .sell, 100, 5, .gtd, until: 60))
        market.place(.limit(3, .sell, 100, 5, .gtd, until: 50))
        market.instant = 49
        #expect(market.place(.limit(4, .buy, 100, 1)).trades == ["1@100x1"])
        market.instant = 50
        let events = market.place(.limit(5, .buy, 100, 1))
        #expect(events.ends == ["1 expired 4", "3 expired 5"] && events.trades == ["2@100x1"])
        market.apply(.amend(order: 2, total: 5, price: 101))
        market.instant = 60
        #expect(market.apply(.expire).ends == ["2 expired 4"])
        let late = market.place(.limit(6, .buy, 1, 1, .gtd, until: 60)).rejections
        #expect(late == [Rejection(order: 6, owner: 1, reason: .expiryInPast, limit: 60, value: 60)])
    }
}
