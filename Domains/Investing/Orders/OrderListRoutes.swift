import DomainKit
import HTTP
import Kernel
import MatchingEngine

/// Placing, reading and cancelling pairs of orders.
struct OrderListRoutes: Sendable {
    let orders: OrderRoutes

    private var desk: TradingDesk { orders.desk }
    private var reader: OrderReader { orders.reader }

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [place, cancel] }

    /// Routes that any process serves.
    var reading: [Route] { [list, get] }

    private var place: Route {
        Route(
            .post,
            "/v1/investing/order-lists",
            operationID: "createOrderList",
            summary: "Place two orders of which one cancels the other",
            description: "A limit or take-profit order and a stop order of one side, which hold money together (OCO).",
            tag: "Orders",
            access: .permission("investing:move"),
            isIdempotent: true,
            body: .json(Self.body),
            responses: [
                201: ResponseShape(
                    "The two orders.",
                    Self.schema,
                    headers: [.location, .replayed],
                    links: [.init(to: "getOrderList", parameter: "id", from: "/id")]
                )
            ],
            problems: OrderProblems.placing
        ) { request in
            let (account, stored) = try await orders.subject(request)
            let list: ID<OrderList> = orders.ids.next()
            let legs = request.body["orders"]?.elements ?? []
            guard legs.count == 2 else { throw Problem.malformed("two_orders", in: "/orders") }
            let body = request.body
            let first = try await reader.ticket(legs[0], of: account, in: stored, list: list, request: body)
            let second = try await reader.ticket(legs[1], of: account, in: stored, list: list, request: body)
            return try await desk.answer(.placePair(first, second, try DeskRequest(request, account)))
        }
    }

    private var cancel: Route {
        Route(
            .delete,
            "/v1/investing/order-lists/{id}",
            operationID: "cancelOrderList",
            summary: "Cancel what is open of two orders",
            tag: "Orders",
            access: .permission("investing:move"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The orders as they ended.", Self.schema)],
            problems: [409: ["order_not_open"], 503: ["writer_elsewhere"]]
        ) { request in
            let id: ID<OrderList> = try request.id("id")
            let user = try request.requirePrincipal().user
            guard let order = try await orders.orders.list(id, for: user).first?.0,
                let account = try await orders.accounts.find(order.account, of: user)
            else { throw Problem.notFound }
            return try await desk.answer(.cancelList(id, try DeskRequest(request, account)))
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/order-lists/{id}",
            operationID: "getOrderList",
            summary: "Read two orders of which one cancels the other",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The two orders.", Self.schema)]
        ) { request in
            let id: ID<OrderList> = try request.id("id")
            let legs = try await orders.orders.list(id, for: try request.requirePrincipal().user)
            guard !legs.isEmpty else { throw Problem.notFound }
            return .ok(Self.json(id, legs))
        }
    }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/order-lists",
            operationID: "listOrderLists",
            summary: "List pairs of orders of an account, newest first",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: Parameter.paging + [OrderRoutes.account],
            responses: [
                200: ResponseShape("A page.", .page(of: Self.schema, named: "OrderListPage"), headers: [.link])
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let account = try await orders.account(request)
            let page = try Page(request, signer: orders.signer)
            return page.response(
                try await orders.orders.lists(
                    of: account.id,
                    before: page.after?.id ?? .max,
                    limit: page.limit + 1
                ),
                position: { Cursor(instant: $0.legs[0].0.createdAt, id: $0.id.value) },
                encode: { Self.json($0.id, $0.legs) }
            )
        }
    }

    private static func json(_ id: ID<OrderList>, _ legs: [(Order, Market)]) -> JSON {
        ["id": .string(id.wire), "orders": .array(legs.map { $0.0.json(in: $0.1) })]
    }

    private static let id = Parameter.path("id", .id(of: OrderList.self), "The list.")

    private static let body = JSONSchema.object(
        [
            .required("symbol", .text(3...25), "The market."),
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
            .required("orders", .array(of: .object(OrderReader.properties, named: "OrderLeg"), count: 2...2)),
        ],
        named: "NewOrderList"
    )

    private static let schema = JSONSchema.object(
        [.required("id", .id(of: OrderList.self)), .required("orders", .array(of: Order.schema, count: 1...2))],
        named: "OrderList"
    )
}
