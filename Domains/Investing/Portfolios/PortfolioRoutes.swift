import DomainKit
import HTTP
import Kernel
import Ledger

/// Portfolios: opening, changing and closing them, what is in them, how they do, and what goes in and out.
struct PortfolioRoutes: Sendable {
    let desk: any DeskQueue
    let accounts: TradingAccounts
    let portfolios: Portfolios
    let balances: LedgerAccounts
    let history: LedgerHistory
    let ids: IDGenerator

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [move, close] }

    /// Routes that any process serves.
    var reading: [Route] { [list, open, get, change, allocation, performance, flows] }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/portfolios",
            operationID: "listPortfolios",
            summary: "List an account's open portfolios",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [OrderRoutes.account],
            responses: [200: ResponseShape("The portfolios.", PortfolioRoutes.listSchema)],
            problems: [404: ["account_not_found"]]
        ) { request in
            let account = try await account(request, request.text("account"))
            return .ok(["data": .array(try await portfolios.all(of: account.id).map(\.json))])
        }
    }

    private var open: Route {
        Route(
            .post,
            "/v1/investing/portfolios",
            operationID: "openPortfolio",
            summary: "Open a portfolio within a trading account",
            description: """
                It is empty at first. What is put into it is its alone: an account's other portfolios and orders can't \
                touch it.
                """,
            tag: "Portfolios",
            access: .permission("investing:move"),
            body: .json(PortfolioRoutes.body),
            responses: [
                201: ResponseShape(
                    "The portfolio.",
                    Portfolio.schema,
                    headers: [.location, .etag],
                    links: [.init(to: "getPortfolio", parameter: "id", from: "/id")]
                )
            ],
            problems: [
                404: ["account_not_found"], 409: ["portfolio_exists"],
                422: PortfolioRoutes.termsProblems + ["too_many_portfolios"],
            ]
        ) { request in
            let (body, initiator) = (request.body, try Initiator(request))
            let account = try await account(request, body["account"]?.stringValue)
            let cash = body["cash"]?.stringValue.flatMap { Asset(code: $0) } ?? .usdc
            var base = PortfolioTerms(name: "")
            if !base.riskLevel.isWithin(account.riskTolerance) { base.riskLevel = .conservative }
            let terms = try base.changed(
                by: body,
                cash: cash,
                tolerance: account.riskTolerance,
                tradable: try await portfolios.tradable(for: cash)
            )
            let portfolio = try await portfolios.open(within: account, terms, cash: cash, by: initiator)
            return .created(portfolio.json, location: "/v1/investing/portfolios/\(portfolio.id.wire)")
                .tagged(portfolio.tag)
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/portfolios/{id}",
            operationID: "getPortfolio",
            summary: "Read a portfolio's terms",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [PortfolioRoutes.id],
            responses: [200: ResponseShape("The portfolio.", Portfolio.schema, headers: [.etag])]
        ) { request in
            let portfolio = try await portfolio(request)
            return .ok(portfolio.json).tagged(portfolio.tag)
        }
    }

    private var change: Route {
        Route(
            .patch,
            "/v1/investing/portfolios/{id}",
            operationID: "changePortfolio",
            summary: "Change a portfolio's terms, or pause and resume its automatic rebalancing",
            tag: "Portfolios",
            access: .permission("investing:move"),
            precondition: .required,
            parameters: [PortfolioRoutes.id],
            body: .json(PortfolioRoutes.changeBody),
            responses: [200: ResponseShape("The portfolio.", Portfolio.schema, headers: [.etag])],
            problems: [
                409: ["portfolio_exists", "portfolio_closed"], 412: ["version_mismatch"],
                422: PortfolioRoutes.termsProblems,
            ]
        ) { request in
            let (portfolio, initiator) = (try await portfolio(request), try Initiator(request))
            try request.requireMatch(portfolio.tag)
            guard let outer = try await accounts.find(portfolio.within, of: portfolio.account.user) else {
                throw Problem.notFound
            }
            let terms = try portfolio.terms.changed(
                by: request.body,
                cash: portfolio.cash,
                tolerance: outer.riskTolerance,
                tradable: try await portfolios.tradable(for: portfolio.cash)
            )
            let changed = try await portfolios.change(portfolio, terms, by: initiator)
            return .ok(changed.json).tagged(changed.tag)
        }
    }

    private var close: Route {
        Route(
            .delete,
            "/v1/investing/portfolios/{id}",
            operationID: "closePortfolio",
            summary: "Close an empty portfolio",
            tag: "Portfolios",
            access: .permission("investing:move"),
            parameters: [PortfolioRoutes.id],
            responses: [204: ResponseShape("It is closed; what happened in it can still be read.")],
            problems: [409: ["portfolio_not_empty", "portfolio_closed"], 503: ["writer_elsewhere"]]
        ) { request in
            let portfolio = try await portfolio(request)
            return try await submit(.close, portfolio, request)
        }
    }

    private var move: Route {
        Route(
            .post,
            "/v1/investing/portfolios/{id}/flows",
            operationID: "moveIntoPortfolio",
            summary: "Put something into a portfolio, or take it out",
            description: """
                From or to the account that the portfolio lies in. What was bought at a known cost keeps it. Each flow \
                is valued at the last prices of its moment and ends a period of the time-weighted return.
                """,
            tag: "Portfolios",
            access: .permission("investing:move"),
            isIdempotent: true,
            parameters: [PortfolioRoutes.id],
            body: .json(PortfolioRoutes.moveBody),
            responses: [
                201: ResponseShape("What was moved.", PortfolioMove.schema, headers: [.location, .replayed])
            ],
            problems: [
                409: ["portfolio_closed"],
                422: ["insufficient_funds", "account_frozen", "no_market", "no_price", "amount_out_of_range"],
                503: ["writer_elsewhere"],
            ]
        ) { request in
            let portfolio = try await portfolio(request)
            let move = try await self.readMove(request, portfolio)
            let isIn = request.body["direction"]?.stringValue == "in"
            return try await submit(isIn ? .put(move) : .take(move), portfolio, request)
        }
    }

    private var allocation: Route {
        Route(
            .get,
            "/v1/investing/portfolios/{id}/allocation",
            operationID: "getPortfolioAllocation",
            summary: "Read what a portfolio has beside what it is to have",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [PortfolioRoutes.id],
            responses: [200: ResponseShape("The allocation.", PortfolioStanding.allocationSchema)]
        ) { request in
            .ok(try await portfolios.standing(of: try await portfolio(request)).allocation)
        }
    }

    private var performance: Route {
        Route(
            .get,
            "/v1/investing/portfolios/{id}/performance",
            operationID: "getPortfolioPerformance",
            summary: "Read how a portfolio did",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [PortfolioRoutes.id],
            responses: [200: ResponseShape("The performance.", PortfolioPerformance.schema)]
        ) { request in
            .ok(try await portfolios.performance(of: try await portfolio(request), balances, history).json)
        }
    }

    private var flows: Route {
        Route(
            .get,
            "/v1/investing/portfolios/{id}/flows",
            operationID: "listPortfolioFlows",
            summary: "List what was put into a portfolio and taken out, newest first",
            tag: "Portfolios",
            access: .permission("investing:read"),
            parameters: [
                PortfolioRoutes.id, .query("limit", .integer(1...Page.limitMax), "How many; 25 unless given."),
                .query("before", .integer(1...(1 << 53)), "Only those with a smaller number."),
            ],
            responses: [200: ResponseShape("The flows.", PortfolioRoutes.flowsSchema)]
        ) { request in
            let portfolio = try await portfolio(request)
            let found = try await portfolios.flows(
                of: portfolio.id,
                before: Int64(request.integer("before") ?? .max),
                limit: request.integer("limit") ?? Page.limitDefault
            )
            return .ok(["data": .array(found.map { $0.json(portfolio.cash) })])
        }
    }

    // MARK: Parts

    private func account(_ request: APIRequest, _ kind: String?) async throws -> TradingAccount {
        let kind = kind.flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
        return try await accounts.present(of: try request.requirePrincipal().user, kind)
    }

    private func portfolio(_ request: APIRequest) async throws -> Portfolio {
        try await portfolios.get(try request.id("id"), of: try request.requirePrincipal().user)
    }

    private func readMove(_ request: APIRequest, _ portfolio: Portfolio) async throws -> PortfolioMove {
        guard let asset = request.body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        let amount = try Money(positive: request.body["amount"]?.stringValue ?? "", asset, at: "/amount").minorUnits
        let tradable = try await portfolios.tradable(for: portfolio.cash)
        guard asset == portfolio.cash || tradable.contains(asset) else {
            throw Problem(422, "no_market", "There is no market \(asset)-\(portfolio.cash), so \(asset) has no value.")
        }
        guard let outer = try await accounts.find(portfolio.within, of: portfolio.account.user) else {
            throw Problem.notFound
        }
        let outside = try await balances.open(AccountKey(outer.user, outer.ledgerKind, asset))
        return PortfolioMove(id: ids.next(), asset: asset, amount: amount, outside: outside)
    }

    private func submit(
        _ kind: PortfolioCommand.Kind,
        _ portfolio: Portfolio,
        _ request: APIRequest
    ) async throws -> APIResponse {
        var opened: [Asset: ID<LedgerAccount>] = [:]
        for asset in try await portfolios.tradable(for: portfolio.cash).union([portfolio.cash]) {
            let account = portfolio.account
            opened[asset] = try await balances.open(AccountKey(account.user, account.ledgerKind, asset))
        }
        let command = PortfolioCommand(kind: kind, portfolio: portfolio, balances: opened)
        return try await desk.answer(.portfolio(command, try DeskRequest(request, portfolio.account)))
    }
}
