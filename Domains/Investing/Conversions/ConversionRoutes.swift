import DomainKit
import HTTP
import Kernel
import MatchingEngine

/// Buying, selling and converting: a quote first, then its acceptance.
struct ConversionRoutes: Sendable {
    /// Levels of the book that a quote looks at.
    private static let levelsMax = 1_000
    private static let slippageDefault = 50
    private static let slippageMax = 500

    let accounts: TradingAccounts
    let portfolios: Portfolios
    let markets: Markets
    let conversions: Conversions
    let placement: OrderPlacement
    let signer: CursorSigner

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [quote, accept, impact] }

    /// Routes that any process serves.
    var reading: [Route] { [list, get] }

    private var quote: Route {
        Route(
            .post,
            "/v1/investing/transactions",
            operationID: "quoteInvestingTransaction",
            summary: "Ask what buying, selling or converting would bring",
            description: """
                Places nothing. The quote holds for some seconds; accepting it places a market order that trades \
                wholly at no worse price than `worst_price`, or not at all.
                """,
            tag: "Investing transactions",
            access: .permission("investing:move"),
            body: .json(ConversionRoutes.body),
            responses: [
                201: ResponseShape(
                    "The quote.",
                    Conversion.schema,
                    headers: [.location],
                    links: [.init(to: "acceptInvestingTransaction", parameter: "id", from: "/id")]
                )
            ],
            problems: ConversionRoutes.quoteProblems
        ) { request in
            let kind = request.body["type"]?.stringValue.flatMap { Conversion.Kind(rawValue: $0) } ?? .convert
            let account = try await subject(request)
            let (estimate, market) = try await estimate(request, kind, account)
            let slippage = request.body["slippage_basis_points"]?.integerValue ?? ConversionRoutes.slippageDefault
            let amount: Int128
            switch estimate.side {
            case .buy:
                amount = try Money(positive: request.body["amount"]?.stringValue ?? "", market.quote, at: "/amount")
                    .minorUnits
            case .sell: amount = market.baseAmount(lots: estimate.lots)
            }
            let stored = try await conversions.store(
                Conversions.Quote(
                    kind: kind,
                    account: account,
                    market: market,
                    amount: amount,
                    estimate: estimate,
                    bound: Slippage.bound(
                        estimate.side,
                        from: estimate.worst,
                        basisPoints: slippage,
                        market.filters
                    )
                )
            )
            return .created(stored.json(nil), location: "/v1/investing/transactions/\(stored.id.wire)")
        }
    }

    private var accept: Route {
        Route(
            .post,
            "/v1/investing/transactions/{id}/accept",
            operationID: "acceptInvestingTransaction",
            summary: "Accept a quote",
            description: """
                Answered once it is completed or has failed; `reason` says why it failed. Accepting it again gives \
                the same answer and does nothing more.
                """,
            tag: "Investing transactions",
            access: .permission("investing:move"),
            parameters: [ConversionRoutes.id],
            responses: [200: ResponseShape("The transaction.", Conversion.schema)],
            problems: [409: ["quote_expired"], 503: ["writer_elsewhere"]]
        ) { request in
            let user = try request.requirePrincipal().user
            var conversion = try await conversions.get(try request.id("id"), of: user)
            if conversion.status == .quoted {
                try await conversions.accept(conversion)
                conversion = try await conversions.get(conversion.id, of: user)
            }
            if conversion.status == .accepted {
                try await carryOut(conversion, by: try Initiator(request))
                conversion = try await conversions.get(conversion.id, of: user)
            }
            return .ok(try await json([conversion])[0])
        }
    }

    private var impact: Route {
        Route(
            .post,
            "/v1/investing/portfolios/{id}/impact",
            operationID: "getPortfolioImpact",
            summary: "See what an order would do to a portfolio",
            description: "Places nothing. Values before and after are at the prices of the last trades.",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [PortfolioRoutes.id],
            body: .json(ConversionRoutes.impactBody),
            responses: [200: ResponseShape("The impact.", PortfolioImpact.schema)],
            problems: ConversionRoutes.quoteProblems
        ) { request in
            let portfolio = try await portfolios.get(try request.id("id"), of: try request.requirePrincipal().user)
            try ConversionRoutes.check(portfolio, request)
            let (estimate, market) = try await estimate(request, .convert, portfolio.account)
            let standing = try await portfolios.standing(of: portfolio)
            return .ok(try PortfolioImpact(standing, estimate, market).json)
        }
    }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/transactions",
            operationID: "listInvestingTransactions",
            summary: "List what was bought, sold and converted, newest first",
            tag: "Investing transactions",
            access: .permission("investing:read"),
            parameters: Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: Conversion.schema, named: "InvestingTransactionPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let page = try Page(request, signer: signer)
            let found = try await conversions.list(of: try request.requirePrincipal().user, page)
            let orders = try await conversions.orders(of: found)
            return page.response(
                found,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json($0.order.flatMap { orders[$0] }) }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/transactions/{id}",
            operationID: "getInvestingTransaction",
            summary: "Read a quote, or what became of it",
            tag: "Investing transactions",
            access: .permission("investing:read"),
            parameters: [ConversionRoutes.id],
            responses: [200: ResponseShape("The transaction.", Conversion.schema)]
        ) { request in
            let found = try await conversions.get(try request.id("id"), of: try request.requirePrincipal().user)
            return .ok(try await json([found])[0])
        }
    }

    // MARK: Parts

    /// Places an accepted transaction's order, unless that was done before, and stores what became of it.
    func carryOut(_ conversion: Conversion, by initiator: Initiator) async throws {
        let stored = try await markets.market(conversion.market.symbol)
        let outcome = try await placement.place(
            conversion.wanted,
            of: conversion.account,
            in: stored,
            by: initiator
        )
        try await conversions.finish(conversion, outcome, by: initiator)
    }

    private func json(_ found: [Conversion]) async throws -> [JSON] {
        let orders = try await conversions.orders(of: found)
        return found.map { $0.json($0.order.flatMap { orders[$0] }) }
    }

    /// The account that trades: a portfolio's, or one of the user's.
    private func subject(_ request: APIRequest) async throws -> TradingAccount {
        let user = try request.requirePrincipal().user
        if let id = request.body["portfolio"]?.stringValue.flatMap({ ID<Portfolio>(wire: $0) }) {
            guard request.body["account"] == nil else {
                throw Problem.malformed("account_or_portfolio", in: "/account")
            }
            let portfolio = try await portfolios.get(id, of: user)
            try ConversionRoutes.check(portfolio, request)
            return portfolio.account
        }
        let kind = request.body["account"]?.stringValue.flatMap { TradingAccount.Kind(rawValue: $0) }
        return try await accounts.account(of: user, kind ?? .brokerage)
    }

    /// A portfolio trades for its cash alone.
    private static func check(_ portfolio: Portfolio, _ request: APIRequest) throws(Problem) {
        guard portfolio.status == .open else {
            throw Problem(409, "portfolio_closed", "The portfolio is closed. Open another one.")
        }
        let assets = ["from", "to"].compactMap { request.body[$0]?.stringValue }
        guard assets.contains(portfolio.cash.code) else {
            throw Problem(422, "not_for_cash", "This portfolio buys and sells for \(portfolio.cash) only.")
        }
    }

    private func estimate(
        _ request: APIRequest,
        _ kind: Conversion.Kind,
        _ account: TradingAccount
    ) async throws -> (PriceEstimate, Market) {
        let body = request.body
        guard let from = body["from"]?.stringValue.flatMap({ Asset(code: $0) }),
            let to = body["to"]?.stringValue.flatMap({ Asset(code: $0) })
        else { throw Problem.malformed("unknown_asset", in: "/from") }
        let all = try await markets.all()
        let (stored, side) = try Conversion.market(kind, from: from, to: to, among: all)
        let rates = try await placement.reader.promise(to: account, in: stored.market)
        let view = try await placement.desk.depth(of: stored.market, levels: ConversionRoutes.levelsMax)
        let estimate = try Conversion.estimate(body["amount"]?.stringValue ?? "", side, view, rates)
        return (estimate, stored.market)
    }

    // MARK: Shapes

    private static let id = Parameter.path("id", .id(of: Conversion.self), "The transaction.")

    private static let exchange: [JSONSchema.Property] = [
        .required("from", .asset, "What is given."), .required("to", .asset, "What is got."),
        .required("amount", .positiveAmount, "Of what is given; a purchase's fee is part of it."),
    ]

    private static let body = JSONSchema.object(
        [
            .required("type", .oneOf(Conversion.Kind.self)),
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
            .optional("portfolio", .id(of: Portfolio.self), "Within a portfolio, instead of an account."),
            .optional(
                "slippage_basis_points",
                .integer(0...slippageMax),
                "How much worse than the quote's worst level a price may be; \(slippageDefault) unless given."
            ),
        ] + exchange,
        named: "NewInvestingTransaction"
    )

    private static let impactBody = JSONSchema.object(exchange, named: "PlannedOrder")

    private static let quoteProblems: [Int: [String]] = [
        403: ["user_not_active"], 404: ["account_not_found"], 409: ["portfolio_closed"],
        422: [
            "no_market", "wrong_direction", "not_for_cash", "insufficient_liquidity", "insufficient_funds", "no_price",
            "account_restricted", "account_closed", "quantity_not_on_lot", "quantity_too_small", "quantity_too_large",
            "notional_too_small", "notional_too_large", "market_halt", "market_cancel_only", "market_post_only",
            "market_limit_only",
        ],
        503: ["writer_elsewhere"],
    ]
}
