import HTTP
import Kernel
import MatchingEngine

/// Markets, their books and their trades.
struct MarketRoutes: Sendable {
    let desk: TradingDesk
    let markets: Markets
    let orders: Orders

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [depth] }

    /// Routes that any process serves.
    var reading: [Route] { [list, get, trades] }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/markets",
            operationID: "listMarkets",
            summary: "List markets with their filters and states",
            tag: "Markets",
            access: .permission("investing:read"),
            responses: [200: ResponseShape("The markets.", MarketRoutes.listSchema)]
        ) { _ in
            .ok(["data": .array(try await markets.all().map(\.json))])
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}",
            operationID: "getMarket",
            summary: "Read a market",
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [MarketRoutes.symbol],
            responses: [200: ResponseShape("The market.", StoredMarket.schema)],
            problems: [404: ["market_not_found"]]
        ) { request in
            .ok(try await markets.market(request.text("symbol") ?? "").json)
        }
    }

    private var depth: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}/depth",
            operationID: "getDepth",
            summary: "Read a book's best levels",
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [
                MarketRoutes.symbol, .query("limit", .integer(1...1_000), "Levels of each side; 100 unless given."),
            ],
            responses: [200: ResponseShape("The levels, best first: price and quantity.", MarketRoutes.depthSchema)],
            problems: [404: ["market_not_found"], 503: ["writer_elsewhere"]]
        ) { request in
            let stored = try await markets.market(request.text("symbol") ?? "")
            let item = DeskItem.depth(market: stored.market.id, limit: request.integer("limit") ?? 100)
            guard case .depth(let view) = try await desk.submit(item) else { throw Problem.notFound }
            return .ok(view.json)
        }
    }

    private var trades: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}/trades",
            operationID: "listMarketTrades",
            summary: "Read a market's newest trades, newest first",
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [
                MarketRoutes.symbol, .query("limit", .integer(1...1_000), "How many; 100 unless given."),
            ],
            responses: [200: ResponseShape("The trades.", MarketRoutes.tradesSchema)],
            problems: [404: ["market_not_found"]]
        ) { request in
            let market = try await markets.market(request.text("symbol") ?? "").market
            let found = try await orders.trades(in: market, limit: request.integer("limit") ?? 100)
            return .ok(["data": .array(found.map { $0.json(in: market) })])
        }
    }

    private static let symbol = Parameter.path("symbol", .text(3...25), "The market: `BTC-USDC`.")
    private static let listSchema = JSONSchema.object(
        [.required("data", .array(of: StoredMarket.schema, count: 0...10_000))],
        named: "MarketList"
    )
    private static let tradesSchema = JSONSchema.object(
        [.required("data", .array(of: TradeRecord.publicSchema, count: 0...1_000))],
        named: "PublicTradeList"
    )
    private static let levels = JSONSchema.array(of: .array(of: .anyString, count: 2...2), count: 0...1_000)
    private static let depthSchema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("state", .oneOf(MarketState.names)),
            .required("last_price", .nullable(.anyString)),
            .required("sequence", .integer(0...Int.max), "Grows with every change of the market."),
            .required("bids", levels), .required("asks", levels),
        ],
        named: "Depth"
    )
}

extension DepthView {
    var json: JSON {
        func side(_ levels: [DepthLevel]) -> JSON {
            .array(levels.map { [.string(market.wire(price: $0.price)), .string(market.wire(lots: $0.quantity))] })
        }
        return [
            "symbol": .string(market.symbol), "state": .string(status.state.name),
            "last_price": status.lastPrice.map { .string(market.wire(price: $0)) } ?? .null,
            "sequence": .integer(sequence), "bids": side(bids), "asks": side(asks),
        ]
    }
}

extension StoredMarket {
    var json: JSON {
        let filters = market.filters
        func price(_ ticks: Int64?) -> JSON { ticks.map { .string(market.wire(price: $0)) } ?? .null }
        func quote(_ value: Int128?) -> JSON {
            value.map { .string(market.wire(quote: market.quoteAmount($0))) } ?? .null
        }
        return [
            "symbol": .string(market.symbol), "base": .string(market.base.code), "quote": .string(market.quote.code),
            "state": .string(status.state.name),
            "reopens_at": status.reopensAt.map { .string(Timestamp(microseconds: $0).description) } ?? .null,
            "last_price": price(status.lastPrice), "reference_price": price(status.reference),
            "tick_size": .string(market.wire(quote: market.tick)),
            "lot_size": .string(market.wire(lots: 1)), "price_min": price(filters.priceMin),
            "price_max": price(filters.priceMax), "quantity_min": .string(market.wire(lots: filters.quantityMin)),
            "quantity_max": .string(market.wire(lots: filters.quantityMax)),
            "notional_min": quote(filters.notionalMin), "notional_max": quote(filters.notionalMax),
            "band_up_basis_points": filters.bandUpBasisPoints.map { .integer($0) } ?? .null,
            "band_down_basis_points": filters.bandDownBasisPoints.map { .integer($0) } ?? .null,
            "open_orders_max": filters.openOrdersMax.map { .integer($0) } ?? .null,
            "circuit_breaker": market.breaker?.json ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("base", .asset), .required("quote", .asset),
            .required("state", .oneOf(MarketState.names)),
            .required("reopens_at", .nullable(.instant), "When a halt ends by itself."),
            .required("last_price", .nullable(.anyString)),
            .required(
                "reference_price",
                .nullable(.anyString),
                "What the price band is around: the last price, or what an operator set after the last trade."
            ),
            .required("tick_size", .anyString), .required("lot_size", .anyString),
            .required("price_min", .anyString), .required("price_max", .anyString),
            .required("quantity_min", .anyString), .required("quantity_max", .anyString),
            .required("notional_min", .nullable(.anyString)), .required("notional_max", .nullable(.anyString)),
            .required("band_up_basis_points", .nullable(.integer(0...Int.max))),
            .required("band_down_basis_points", .nullable(.integer(0...Int.max))),
            .required("open_orders_max", .nullable(.integer(1...Int.max))),
            .required("circuit_breaker", .nullable(CircuitBreaker.schema)),
        ],
        named: "Market"
    )
}

extension CircuitBreaker {
    var json: JSON {
        [
            "move_basis_points": .integer(moveBasisPoints), "window_seconds": .integer(window / 1_000_000),
            "halt_seconds": halt.map { .integer($0 / 1_000_000) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required(
                "move_basis_points",
                .integer(1...1_000_000),
                "A larger move within the window halts the market."
            ),
            .required("window_seconds", .integer(0...Int.max)),
            .required("halt_seconds", .nullable(.integer(0...Int.max)), "Null: until it is resumed."),
        ],
        named: "CircuitBreaker"
    )
}
