import MatchingEngine
import Testing

@Suite struct `Filters` {
    private static let filters = MarketFilters(
        tickSize: 5,
        priceMin: 10,
        priceMax: 1000,
        lotSize: 3,
        quantityMin: 6,
        quantityMax: 30,
        notionalMin: 100,
        notionalMax: 20_000,
        openOrdersMax: 2
    )

    private static let refused: [(NewOrder, RejectionReason, Int128, Int128)] = [
        (.limit(1, .buy, 101, 6), .priceNotOnTick, 5, 101),
        (.limit(1, .buy, 5, 6), .priceTooLow, 10, 5), (.limit(1, .buy, 1005, 6), .priceTooHigh, 1000, 1005),
        (.limit(1, .buy, 100, 7), .quantityNotOnLot, 3, 7), (.limit(1, .buy, 100, 3), .quantityTooSmall, 6, 3),
        (.limit(1, .buy, 100, 33), .quantityTooLarge, 30, 33), (.limit(1, .buy, 10, 6), .notionalTooSmall, 100, 60),
        (.limit(1, .buy, 1000, 30), .notionalTooLarge, 20_000, 30_000),
        (.market(1, .buy, quote: 99), .notionalTooSmall, 100, 99),
        (.market(1, .buy, quote: 20_001), .notionalTooLarge, 20_000, 20_001),
        (.market(1, .buy, 6, bound: 10), .notionalTooSmall, 100, 60),
        (.conditional(.stop, 1, .buy, at: 7, 6), .priceTooLow, 10, 7),
        (.conditional(.stopLimit, 1, .buy, at: 12, 6, price: 100), .priceNotOnTick, 5, 12),
    ]

    @Test(arguments: Implementation.allCases)
    func `name themselves, their limit and the value`(on implementation: Implementation) {
        for (order, reason, limit, value) in Self.refused {
            var market = Market(implementation, filters: Self.filters)
            let refusal = Rejection(order: 1, owner: 1, reason: reason, limit: limit, value: value)
            #expect(market.place(order) == [.rejected(refusal)])
            #expect(market.open.isEmpty)
        }
    }

    @Test(arguments: Implementation.allCases)
    func `hold for amendments`(on implementation: Implementation) {
        var market = Market(implementation, filters: Self.filters)
        market.place(.limit(1, .buy, 100, 9))
        let cases: [(Int64, Int64, RejectionReason)] = [
            (9, 101, .priceNotOnTick), (9, 5, .priceTooLow), (9, 1005, .priceTooHigh), (10, 100, .quantityNotOnLot),
            (3, 100, .quantityTooSmall), (33, 100, .quantityTooLarge), (6, 15, .notionalTooSmall),
            (30, 1000, .notionalTooLarge),
        ]
        for (total, price, reason) in cases {
            #expect(market.apply(.amend(order: 1, total: total, price: price)).rejections.map(\.reason) == [reason])
        }
        #expect(market.open == ["1:9"])
    }

    @Test(arguments: Implementation.allCases)
    func `count the open orders of an owner, conditional ones too`(on implementation: Implementation) {
        var market = Market(implementation, filters: Self.filters)
        market.place(.limit(1, .buy, 100, 6))
        market.place(.conditional(.stop, 2, .sell, at: 50, 6))
        let refused = market.place(.limit(3, .buy, 100, 6)).rejections
        #expect(refused == [Rejection(order: 3, owner: 1, reason: .tooManyOpenOrders, limit: 2, value: 2)])
        let pair = Command.placePair(
            .limit(4, .sell, 110, 6, owner: 2),
            .conditional(.stop, 5, .sell, at: 50, 6, owner: 2)
        )
        #expect(market.apply(pair).rejections.isEmpty)
        let swap = market.apply(.cancelReplace(order: 1, with: .limit(6, .buy, 95, 6), .stopOnFailure))
        #expect(swap.rejections.isEmpty)
        #expect(market.open == ["6:6", "4:6", "2:6", "5:6"])
    }

    @Test(arguments: Implementation.allCases)
    func `stop taking at the band, which is fixed when an order begins`(on implementation: Implementation) {
        let filters = MarketFilters(bandUpBasisPoints: 500, bandDownBasisPoints: 500)
        var market = Market(implementation, filters: filters)
        market.rest((1, .sell, 104, 1), (2, .sell, 105, 1), (3, .sell, 106, 1), (4, .buy, 95, 1), (5, .buy, 94, 1))
        market.apply(.setReferencePrice(100))
        #expect(market.place(.limit(6, .buy, 110, 5, .fok)).ends == ["6 fillOrKill 5"])
        let bought = market.place(.limit(7, .buy, 110, 5))
        #expect(bought.trades == ["1@104x1", "2@105x1"] && bought.ends == ["7 priceBand 3"])
        market.apply(.setReferencePrice(100))
        let sold = market.place(.market(8, .sell, 2))
        #expect(sold.trades == ["4@95x1"] && sold.ends == ["8 priceBand 1"])
    }

    @Test(arguments: Implementation.allCases)
    func `a band goes along with the trades, from the next order on`(on implementation: Implementation) {
        let filters = MarketFilters(bandUpBasisPoints: 500, bandDownBasisPoints: 500)
        var market = Market(implementation, filters: filters)
        market.rest((1, .sell, 100, 1), (2, .sell, 104, 1), (3, .sell, 106, 1), (4, .sell, 109, 1), (5, .sell, 111, 1))
        #expect(market.place(.limit(6, .buy, 100, 1)).trades == ["1@100x1"], "before the first trade there is none")
        let first = market.place(.market(7, .buy, 3))
        #expect(first.trades == ["2@104x1"] && first.ends == ["7 priceBand 2"])
        let second = market.place(.market(8, .buy, 3))
        #expect(second.trades == ["3@106x1", "4@109x1"] && second.ends == ["8 priceBand 1"])
        market.apply(.setReferencePrice(100))
        #expect(market.place(.market(9, .buy, 1)).ends == ["9 priceBand 1"], "what was set counts until the next trade")
        market.apply(.setReferencePrice(nil))
        #expect(market.place(.market(10, .buy, 1)).trades == ["5@111x1"])
    }

    private static let unfit: [NewOrder] = [
        NewOrder(number: 1, owner: 1, side: .buy, quantity: 1), .limit(1, .buy, 10, 1, .ioc, postOnly: true),
        .limit(1, .buy, 10, 1, .fok, postOnly: true), .market(1, .buy, 1, .gtd), .market(1, .buy, 1, quote: 5),
        .market(1, .buy, quote: -5), .conditional(.stopLimit, 1, .buy, at: 5, 1),
        NewOrder(number: 1, owner: 1, side: .buy, type: .stop, quantity: 1),
        NewOrder(number: 1, owner: 1, side: .buy, price: 10, stopPrice: 5, quantity: 1),
        NewOrder(number: 1, owner: 1, side: .buy, price: 10, quoteAmount: 5),
        NewOrder(number: 1, owner: 1, side: .buy, type: .stop, stopPrice: 5, quoteAmount: 5),
    ]

    @Test(arguments: Implementation.allCases)
    func `refuse what doesn't go together`(on implementation: Implementation) {
        for order in Self.unfit {
            var market = Market(implementation)
            #expect(market.place(order).rejections.map(\.reason) == [.invalidCombination])
        }
    }
}
