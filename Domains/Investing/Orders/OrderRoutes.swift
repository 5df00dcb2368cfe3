import DomainKit
import HTTP
import Kernel
import MatchingEngine

/// Placing, amending, cancelling and reading orders.
struct OrderRoutes: Sendable {
    let desk: TradingDesk
    let reader: OrderReader
    let accounts: TradingAccounts
    let markets: Markets
    let orders: Orders
    let signer: CursorSigner
    let ids: IDGenerator

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [place, test, amend, replace, cancel, cancelAll, cancelAfter] }

    /// Routes that any process serves.
    var reading: [Route] { [list, get, getByClientID, trades] }

    // MARK: Writing

    private var place: Route {
        Route(
            .post,
            "/v1/investing/orders",
            operationID: "createOrder",
            summary: "Place an order",
            description: """
                Answered once it is stored, with what it traded at once. The same `client_order_id` with the same body \
                gives the first answer again, until a day after the order's end; then the id may be used for another.
                """,
            tag: "Orders",
            access: .permission("investing:move"),
            isIdempotent: true,
            body: .json(OrderReader.body),
            responses: [
                201: ResponseShape(
                    "The order.",
                    Order.schema,
                    headers: [.location, .replayed],
                    links: [.init(to: "getOrder", parameter: "id", from: "/id")]
                )
            ],
            problems: OrderProblems.placing
        ) { request in
            let (account, stored) = try await subject(request)
            let ticket = try await reader.ticket(request.body, of: account, in: stored)
            return try await desk.answer(.place(ticket, try DeskRequest(request, account)))
        }
    }

    private var test: Route {
        Route(
            .post,
            "/v1/investing/orders/test",
            operationID: "testOrder",
            summary: "Check an order without placing it",
            description: """
                Holds it against the market's state and filters, the book where it is post-only, and the rules of the \
                account: everything but the balances. Nothing is done or remembered.
                """,
            tag: "Orders",
            access: .permission("investing:move"),
            body: .json(OrderReader.body),
            responses: [200: ResponseShape("The order as it would be.", Order.schema)],
            problems: OrderProblems.placing
        ) { request in
            let (account, stored) = try await subject(request)
            let ticket = try await reader.ticket(request.body, of: account, in: stored)
            return try await desk.answer(.test(ticket, try DeskRequest(request, account)))
        }
    }

    private var amend: Route {
        Route(
            .patch,
            "/v1/investing/orders/{id}",
            operationID: "amendOrder",
            summary: "Amend an order",
            description: """
                `quantity` is the new total, the traded part included. At the same price and with no more than what \
                remains the order keeps its place; otherwise it is taken out and in again, and may trade at once.
                """,
            tag: "Orders",
            access: .permission("investing:move"),
            parameters: [OrderRoutes.id],
            body: .json(OrderRoutes.amendBody),
            responses: [200: ResponseShape("The order.", Order.schema)],
            problems: OrderProblems.changing
        ) { request in
            let (quantity, price) = (request.body["quantity"]?.stringValue, request.body["limit_price"]?.stringValue)
            return try await change(request) { .amend($0, quantity: quantity, price: price, $1) }
        }
    }

    private var replace: Route {
        Route(
            .post,
            "/v1/investing/orders/{id}/replace",
            operationID: "replaceOrder",
            summary: "Cancel an order and place another one, with nothing between",
            description: """
                `stop_on_failure`: both or neither. `allow_failure`: each half stands for itself; where the old order \
                was canceled and the new one is refused, the answer is 409 `replacement_refused`, and `errors` says why.
                """,
            tag: "Orders",
            access: .permission("investing:move"),
            isIdempotent: true,
            parameters: [OrderRoutes.id],
            body: .json(OrderRoutes.replaceBody),
            responses: [201: ResponseShape("The new order.", Order.schema, headers: [.location, .replayed])],
            problems: OrderProblems.placing
        ) { request in
            let (account, id) = try await own(request)
            let user = try request.requirePrincipal().user
            let market = try await orders.get(id, for: user).market
            let stored = try await markets.market(market.symbol)
            let ticket = try await reader.ticket(
                request.body["order"] ?? .null,
                of: account,
                in: stored,
                replacing: id,
                request: ["id": .string(id.wire), "body": request.body]
            )
            let mode: ReplaceMode =
                request.body["mode"]?.stringValue == "allow_failure" ? .allowFailure : .stopOnFailure
            return try await desk.answer(.replace(id, with: ticket, mode, try DeskRequest(request, account)))
        }
    }

    private var cancel: Route {
        Route(
            .delete,
            "/v1/investing/orders/{id}",
            operationID: "cancelOrder",
            summary: "Cancel an order",
            tag: "Orders",
            access: .permission("investing:move"),
            parameters: [OrderRoutes.id],
            responses: [200: ResponseShape("The order as it ended.", Order.schema)],
            problems: OrderProblems.changing
        ) { request in
            try await change(request) { .cancel($0, $1) }
        }
    }

    private var cancelAll: Route {
        Route(
            .delete,
            "/v1/investing/orders",
            operationID: "cancelOrders",
            summary: "Cancel all open orders of an account, in one market or in all",
            tag: "Orders",
            access: .permission("investing:move"),
            parameters: [OrderRoutes.account, .query("symbol", .text(3...25), "Only in that market.")],
            responses: [200: ResponseShape("The orders as they ended.", OrderRoutes.canceledSchema)]
        ) { request in
            let account = try await account(request)
            let market = try await market(request)
            return try await desk.answer(.cancelAll(market: market?.id, try DeskRequest(request, account)))
        }
    }

    private var cancelAfter: Route {
        Route(
            .post,
            "/v1/investing/cancel-after",
            operationID: "cancelOrdersAfter",
            summary: "Have all orders of an account canceled unless you ask again in time",
            description: """
                A dead man's switch: each call moves the moment on. 0 seconds takes it back. It is looked at once a \
                second, and survives a restart of the server.
                """,
            tag: "Orders",
            access: .permission("investing:move"),
            body: .json(OrderRoutes.cancelAfterBody),
            responses: [200: ResponseShape("When orders end.", OrderRoutes.cancelAfterSchema)],
            problems: [404: ["account_not_found"], 503: ["writer_elsewhere"]]
        ) { request in
            let account = try await account(request, request.body["account"]?.stringValue ?? "")
            let seconds = request.body["seconds"]?.integerValue ?? 0
            return try await desk.answer(.cancelAfter(seconds: seconds, try DeskRequest(request, account)))
        }
    }

    // MARK: Reading

    private var list: Route {
        Route(
            .get,
            "/v1/investing/orders",
            operationID: "listOrders",
            summary: "List orders of an account, newest first",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: Parameter.paging + [
                OrderRoutes.account, .query("symbol", .text(3...25), "Only in that market."),
                .query("status", .oneOf(Order.Status.self), "Only in that status."),
                .query("open", .bool, "Only open ones, or only ended ones."),
            ],
            responses: [
                200: ResponseShape("A page.", .page(of: Order.schema, named: "OrderPage"), headers: [.link])
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let account = try await account(request)
            let page = try Page(request, signer: signer)
            let filter = Orders.Filter(
                market: try await market(request)?.id,
                status: request.text("status").flatMap { Order.Status(rawValue: $0) },
                isOpen: request.parameters["open"]?.boolValue
            )
            return page.response(
                try await orders.list(of: account.id, filter, page),
                position: { Cursor(instant: $0.0.createdAt, id: $0.0.id.value) },
                encode: { $0.0.json(in: $0.1) }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/orders/{id}",
            operationID: "getOrder",
            summary: "Read an order",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: [OrderRoutes.id],
            responses: [200: ResponseShape("The order.", Order.schema, headers: [.etag])]
        ) { request in
            let user = try request.requirePrincipal().user
            let (order, market) = try await orders.get(try request.id("id"), for: user)
            return .ok(order.json(in: market)).tagged(EntityTag(version: order.version))
        }
    }

    private var getByClientID: Route {
        Route(
            .get,
            "/v1/investing/orders/by-client-id/{client_order_id}",
            operationID: "getOrderByClientID",
            summary: "Read an order by your own id",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: [
                .path("client_order_id", .text(1...64), "What the order was placed with."), OrderRoutes.account,
            ],
            responses: [200: ResponseShape("The order.", Order.schema, headers: [.etag])]
        ) { request in
            let account = try await account(request)
            let (order, market) = try await orders.get(
                clientID: request.text("client_order_id") ?? "",
                of: account.id
            )
            return .ok(order.json(in: market)).tagged(EntityTag(version: order.version))
        }
    }

    private var trades: Route {
        Route(
            .get,
            "/v1/investing/trades",
            operationID: "listTrades",
            summary: "List trades of an account, newest first",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: Parameter.paging + [OrderRoutes.account],
            responses: [
                200: ResponseShape("A page.", .page(of: TradeRecord.ownSchema, named: "TradePage"), headers: [.link])
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let account = try await account(request)
            let page = try Page(request, signer: signer)
            return page.response(
                try await orders.trades(of: account.id, page),
                position: { Cursor(instant: $0.0.recordedAt, id: $0.0.id.value) },
                encode: { $0.0.json(in: $0.1, for: account.id) }
            )
        }
    }

    // MARK: Parts

    func account(_ request: APIRequest, _ kind: String? = nil) async throws -> TradingAccount {
        let kind = (kind ?? request.text("account")).flatMap { TradingAccount.Kind(rawValue: $0) }
        return try await accounts.account(of: try request.requirePrincipal().user, kind ?? .brokerage)
    }

    private func market(_ request: APIRequest) async throws -> Market? {
        guard let symbol = request.text("symbol") else { return nil }
        return try await markets.market(symbol).market
    }

    func subject(_ request: APIRequest) async throws -> (TradingAccount, StoredMarket) {
        let account = try await account(request, request.body["account"]?.stringValue ?? "")
        return (account, try await markets.market(request.body["symbol"]?.stringValue ?? ""))
    }

    /// Has the writer change an order of the user; 404 for anybody else's.
    ///
    /// Mostly it is open and of the user's brokerage account, which the writer sees by itself. What it refuses so, and
    /// thereby leaves as it was, is looked up.
    private func change(
        _ request: APIRequest,
        _ item: (ID<Order>, DeskRequest) -> DeskItem
    ) async throws -> APIResponse {
        let user = try request.requirePrincipal().user
        if let account = accounts.known(of: user) {
            let answer = try await desk.answer(item(try request.id("id"), try DeskRequest(request, account)))
            if answer.status != Problem.notOpen.status { return answer }
        }
        let (account, id) = try await own(request)
        return try await desk.answer(item(id, try DeskRequest(request, account)))
    }

    /// The account that an order of the user belongs to; 404 for anybody else's.
    private func own(_ request: APIRequest) async throws -> (TradingAccount, ID<Order>) {
        let user = try request.requirePrincipal().user
        let id: ID<Order> = try request.id("id")
        let order = try await orders.get(id, for: user).order
        guard let account = try await accounts.find(order.account, of: user) else {
            throw Problem.notFound
        }
        return (account, id)
    }
}
