import DomainKit
import HTTP
import Kernel
import Ledger

/// Positions, the costs that owners state, and statistics of trades.
struct PositionRoutes: Sendable {
    let desk: TradingDesk
    let accounts: TradingAccounts
    let balances: LedgerAccounts
    let markets: Markets
    let positions: Positions

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [stateCost] }

    /// Routes that any process serves.
    var reading: [Route] { [list, accountStatistics, marketStatistics] }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/positions",
            operationID: "listPositions",
            summary: "List positions of an account, a market each",
            description: """
                Costs are averages over everything that was bought, fees included; a sale realises what it brought \
                less its fee and the average cost. What arrived by transfer has no cost until you state one.
                """,
            tag: "Positions",
            access: .permission("investing:read"),
            parameters: [OrderRoutes.account],
            responses: [200: ResponseShape("The positions.", PositionRoutes.listSchema)],
            problems: [404: ["account_not_found"]]
        ) { request in
            let account = try await account(request, request.text("account"))
            return .ok(["data": .array(try await positions.all(of: account).map(\.json))])
        }
    }

    private var stateCost: Route {
        Route(
            .post,
            "/v1/investing/positions/{symbol}/cost",
            operationID: "stateCost",
            summary: "State what a holding cost that came from elsewhere",
            tag: "Positions",
            access: .permission("investing:move"),
            isIdempotent: true,
            parameters: [.path("symbol", .text(3...25), "The market: `BTC-USDC`.")],
            body: .json(PositionRoutes.costBody),
            responses: [200: ResponseShape("The position.", Holding.schema, headers: [.replayed])],
            problems: [
                404: ["market_not_found", "account_not_found"],
                422: ["not_held", "quantity_not_on_lot", "quantity_too_large"], 503: ["writer_elsewhere"],
            ]
        ) { request in
            let account = try await account(request, request.body["account"]?.stringValue)
            let market = try await markets.market(request.text("symbol") ?? "").market
            let cost = try Money(positive: request.body["cost"]?.stringValue ?? "", market.quote, at: "/cost")
                .minorUnits
            guard cost < Market.quoteMax else { throw Problem.malformed("overflow", in: "/cost") }
            let stated = StatedCost(
                market: market.id,
                lots: try market.lots(request.body["quantity"]?.stringValue ?? "", at: "/quantity"),
                cost: cost,
                base: try await balances.open(AccountKey(account.user, account.ledgerKind, market.base))
            )
            return try await desk.answer(.stateCost(stated, try DeskRequest(request, account)))
        }
    }

    private var accountStatistics: Route {
        Route(
            .get,
            "/v1/investing/statistics",
            operationID: "getTradeStatistics",
            summary: "Read what an account traded, market by market",
            tag: "Positions",
            access: .permission("investing:read"),
            parameters: [OrderRoutes.account],
            responses: [200: ResponseShape("The statistics.", PositionRoutes.statisticsSchema)],
            problems: [404: ["account_not_found"]]
        ) { request in
            let account = try await account(request, request.text("account"))
            let all = try await positions.statistics(of: account.id)
            return .ok(["data": .array(all.map { $0.0.json(in: $0.1) })])
        }
    }

    private var marketStatistics: Route {
        Route(
            .get,
            "/v1/investing/markets/{symbol}/statistics",
            operationID: "getMarketStatistics",
            summary: "Read what was traded in a market since it opened",
            tag: "Markets",
            access: .permission("investing:read"),
            parameters: [.path("symbol", .text(3...25), "The market: `BTC-USDC`.")],
            responses: [200: ResponseShape("The statistics.", MarketStatistics.schema)],
            problems: [404: ["market_not_found"]]
        ) { request in
            let market = try await markets.market(request.text("symbol") ?? "").market
            return .ok(MarketStatistics.json(try await positions.statistics(of: market), in: market))
        }
    }

    private func account(_ request: APIRequest, _ kind: String?) async throws -> TradingAccount {
        let kind = kind.flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
        return try await accounts.account(of: try request.requirePrincipal().user, kind)
    }

    private static let costBody = JSONSchema.object(
        [
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
            .required("quantity", .positiveAmount, "How much of the base asset."),
            .required("cost", .positiveAmount, "What all of it cost, in the market's quote asset."),
        ],
        named: "StatedCost"
    )

    private static let listSchema = JSONSchema.object(
        [.required("data", .array(of: Holding.schema, count: 0...10_000))],
        named: "PositionList"
    )

    private static let statisticsSchema = JSONSchema.object(
        [.required("data", .array(of: AccountStatistics.schema, count: 0...10_000))],
        named: "TradeStatisticsList"
    )
}
