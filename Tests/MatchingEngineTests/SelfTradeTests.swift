import MatchingEngine
import Testing

@Suite struct `Self-trade prevention` {
    /// Makers of owner 7 behind and before those of others: 1 and 3 are others', 2 is their own.
    private func market(_ implementation: Implementation) -> Market {
        var market = Market(implementation)
        market.rest((1, .sell, 100, 2))
        market.place(.limit(2, .sell, 100, 5, owner: 7))
        market.rest((3, .sell, 100, 4))
        return market
    }

    @Test(
        arguments: Implementation.allCases,
        [
            (SelfTradePrevention.none, ["1@100x2", "2@100x5", "3@100x1"], [], ["3:3"]),
            (.expireTaker, ["1@100x2"], ["9 selfTradePrevention 6"], ["2:5", "3:4"]),
            (.expireMaker, ["1@100x2", "3@100x4"], ["2 selfTradePrevention 5"], ["9:2"]),
            (.expireBoth, ["1@100x2"], ["2 selfTradePrevention 5", "9 selfTradePrevention 6"], ["3:4"]),
            (.decrement, ["1@100x2", "3@100x1"], ["2 selfTradePrevention 0"], ["3:3"]),
        ]
    )
    func `is decided maker by maker by the taker's mode`(
        on implementation: Implementation,
        expected: (SelfTradePrevention, [String], [String], [String])
    ) {
        var market = market(implementation)
        let events = market.place(.limit(9, .buy, 100, 8, owner: 7, mode: expected.0))
        #expect(events.trades == expected.1)
        #expect(events.ends == expected.2)
        #expect(market.open == expected.3)
    }

    @Test(arguments: Implementation.allCases)
    func `ends both where they are equal, and keeps a record`(on implementation: Implementation) {
        var market = Market(implementation)
        market.place(.limit(1, .sell, 100, 5, owner: 7))
        let events = market.place(.limit(2, .buy, 101, 5, owner: 7, mode: .decrement))
        #expect(events.ends == ["1 selfTradePrevention 0", "2 selfTradePrevention 0"])
        let prevented = events.compactMap { if case .prevented(let met) = $0 { met } else { nil } }
        #expect(prevented.map(\.quantity) == [5] && prevented.map(\.price) == [100])
        #expect(market.open.isEmpty)
    }

    @Test(
        arguments: Implementation.allCases,
        [
            // What is there: 2 of another, 5 own, 4 of another.
            (SelfTradePrevention.none, 11, true), (.expireTaker, 2, true), (.expireTaker, 3, false),
            (.expireBoth, 2, true), (.expireBoth, 3, false), (.decrement, 2, true), (.decrement, 3, false),
            (.expireMaker, 6, true), (.expireMaker, 7, false),
        ]
    )
    func `limits what is there for fill-or-kill`(
        on implementation: Implementation,
        expected: (SelfTradePrevention, Int64, Bool)
    ) {
        var market = market(implementation)
        let before = market.book.snapshot
        let events = market.place(.limit(9, .buy, 100, expected.1, .fok, owner: 7, mode: expected.0))
        #expect(events.trades.isEmpty != expected.2)
        if !expected.2 {
            #expect(events.ends == ["9 fillOrKill \(expected.1)"] && events.count == 1)
            #expect(market.book.snapshot == before)
        }
    }
}
