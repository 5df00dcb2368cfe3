import DomainKit
import HTTP
import Kernel
import Ledger

/// Rebalancing on request: what it would do, doing it, and what was done.
struct RebalanceRoutes: Sendable {
    let rebalancer: Rebalancer
    let signer: CursorSigner

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [run] }

    /// Routes that any process serves.
    var reading: [Route] { [preview, list, get] }

    private var preview: Route {
        Route(
            .post,
            "/v1/investing/rebalances/preview",
            operationID: "previewRebalance",
            summary: "See what rebalancing a portfolio would do",
            description: """
                Places nothing. Orders are reckoned at the prices of the last trades; there are none while every \
                share is within its band.
                """,
            tag: "Rebalancing",
            access: .permission("investing:read"),
            body: .json(RebalanceRoutes.body),
            responses: [200: ResponseShape("The plan.", RebalancePlan.schema)],
            problems: RebalanceRoutes.problems
        ) { request in
            let portfolio = try await portfolio(request, request.body["portfolio"]?.stringValue)
            return .ok(try await rebalancer.plan(portfolio).plan.json(portfolio))
        }
    }

    private var run: Route {
        Route(
            .post,
            "/v1/investing/rebalances",
            operationID: "runRebalance",
            summary: "Rebalance a portfolio",
            description: """
                Sales first, then purchases with what they brought. Answered when all orders are over; what hasn't \
                traded within its price by then is left for another rebalancing.
                """,
            tag: "Rebalancing",
            access: .permission("investing:move"),
            isIdempotent: true,
            body: .json(RebalanceRoutes.body),
            responses: [
                201: ResponseShape(
                    "The rebalancing.",
                    Rebalance.schema,
                    headers: [.location],
                    links: [.init(to: "getRebalance", parameter: "id", from: "/id")]
                )
            ],
            problems: RebalanceRoutes.problems.merging([
                409: ["rebalance_running", "portfolio_closed", "portfolio_changed"], 503: ["writer_elsewhere"],
            ]) { $1 }
        ) { request in
            let portfolio = try await portfolio(request, request.body["portfolio"]?.stringValue)
            let key = try request.scopedKey().scope
            let done = try await rebalancer.run(portfolio, request: key, by: try Initiator(request))
            return .created(done.json(portfolio.cash), location: "/v1/investing/rebalances/\(done.id.wire)")
        }
    }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/rebalances",
            operationID: "listRebalances",
            summary: "List the rebalancings of a portfolio, newest first",
            tag: "Rebalancing",
            access: .permission("investing:read"),
            parameters: Parameter.paging + [
                .query("portfolio", .id(of: Portfolio.self), "The portfolio.", isRequired: true)
            ],
            responses: [
                200: ResponseShape("A page.", .page(of: Rebalance.schema, named: "RebalancePage"), headers: [.link])
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let portfolio = try await portfolio(request, request.text("portfolio"))
            let page = try Page(request, signer: signer)
            return page.response(
                try await rebalancer.rebalances.list(of: portfolio.id, page),
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json(portfolio.cash) }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/rebalances/{id}",
            operationID: "getRebalance",
            summary: "Read a rebalancing with its orders",
            tag: "Rebalancing",
            access: .permission("investing:read"),
            parameters: [.path("id", .id(of: Rebalance.self), "The rebalancing.")],
            responses: [200: ResponseShape("The rebalancing.", Rebalance.schema)]
        ) { request in
            let user = try request.requirePrincipal().user
            let found = try await rebalancer.rebalances.get(try request.id("id"), of: user)
            let portfolio = try await rebalancer.portfolios.get(found.portfolio, of: user)
            return .ok(found.json(portfolio.cash))
        }
    }

    private func portfolio(_ request: APIRequest, _ text: String?) async throws -> Portfolio {
        guard let id = text.flatMap({ ID<Portfolio>(wire: $0) }) else { throw Problem.notFound }
        return try await rebalancer.portfolios.get(id, of: try request.requirePrincipal().user)
    }

    private static let body = JSONSchema.object(
        [.required("portfolio", .id(of: Portfolio.self))],
        named: "NewRebalance"
    )

    private static let problems: [Int: [String]] = [
        403: ["user_not_active"], 404: ["not_found"], 422: ["no_price", "account_restricted", "account_closed"],
    ]
}

extension RebalancePlan {
    func json(_ portfolio: Portfolio) -> JSON {
        func money(_ value: Int128) -> JSON { .string(DecimalText.format(value, scale: portfolio.cash.scale)) }
        return [
            "portfolio": .string(portfolio.id.wire), "value": money(value), "in_band": .bool(!isDue),
            "drift_before": .integer(driftBefore), "drift_after": .integer(driftAfter), "cash_kept": money(cashKept),
            "orders": .array(
                steps.map { step in
                    [
                        "symbol": .string(step.market.symbol), "side": .string(step.side.name),
                        "quantity": step.lots.map { .string(step.market.wire(lots: $0)) } ?? .null,
                        "amount": money(step.amount), "worst_price": .string(step.market.wire(price: step.bound)),
                    ]
                }
            ),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("portfolio", .id(of: Portfolio.self)), .required("value", .anyString),
            .required("in_band", .bool), .required("drift_before", .integer(0...Allocation.whole)),
            .required("drift_after", .integer(0...Allocation.whole), "At the last prices, before fees."),
            .required("cash_kept", .anyString, "What purchases leave of the cash."),
            .required(
                "orders",
                .array(
                    of: .object(
                        [
                            .required("symbol", .anyString), .required("side", .oneOf(["buy", "sell"])),
                            .required("quantity", .nullable(.anyString)), .required("amount", .anyString),
                            .required("worst_price", .anyString),
                        ],
                        named: "PlannedRebalanceOrder"
                    ),
                    count: 0...Asset.all.count
                )
            ),
        ],
        named: "RebalancePlan"
    )
}
