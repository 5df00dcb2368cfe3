import HTTP
import Kernel
import MatchingEngine

/// Reading what self-trade prevention kept from trading.
struct PreventedMatchRoutes: Sendable {
    let orders: OrderRoutes

    /// Routes that any process serves.
    var reading: [Route] { [list] }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/prevented-matches",
            operationID: "listPreventedMatches",
            summary: "List where orders of an account met each other and did not trade, newest first",
            tag: "Orders",
            access: .permission("investing:read"),
            parameters: Parameter.paging + [OrderRoutes.account],
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: PreventedRow.schema, named: "PreventedMatchPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let account = try await orders.account(request)
            let page = try Page(request, signer: orders.signer)
            return page.response(
                try await orders.orders.prevented(
                    of: account.id,
                    before: page.after?.id ?? .max,
                    limit: page.limit + 1
                ),
                position: { Cursor(instant: $0.0.recordedAt ?? Timestamp(microseconds: 0), id: $0.0.id.value) },
                encode: { $0.0.json(in: $0.1) }
            )
        }
    }
}

extension PreventedRow: InMarket {
    func json(in market: Market) -> JSON {
        [
            "id": .string(id.wire), "symbol": .string(market.symbol), "taker_order": .string(takerOrder.wire),
            "maker_order": .string(makerOrder.wire), "self_trade_prevention": .string(mode.name),
            "price": .string(market.wire(price: price)), "quantity": .string(market.wire(lots: quantity)),
            "at": recordedAt.map { .string($0.description) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: PreventedRow.self)), .required("symbol", .anyString),
            .required("taker_order", .id(of: Order.self)), .required("maker_order", .id(of: Order.self)),
            .required("self_trade_prevention", .oneOf(SelfTradePrevention.names), "The taker's mode."),
            .required("price", .anyString, "The maker's."),
            .required("quantity", .anyString, "What would have traded."),
            .required("at", .nullable(.instant)),
        ],
        named: "PreventedMatch"
    )
}
