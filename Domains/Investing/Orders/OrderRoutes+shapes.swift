import HTTP
import Kernel
import MatchingEngine

extension OrderRoutes {
    static let id = Parameter.path("id", .id(of: Order.self), "The order.")
    static let account = Parameter.query("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given.")

    static let amendBody = JSONSchema.object(
        [
            .optional("quantity", .positiveAmount, "The new total, the traded part included."),
            .optional("limit_price", .positiveAmount, "The new price."),
        ],
        named: "OrderAmendment"
    )

    static let replaceBody = JSONSchema.object(
        [
            .required("order", .object(OrderReader.properties, named: "OrderLeg")),
            .optional("mode", .oneOf(["stop_on_failure", "allow_failure"]), "`stop_on_failure` unless given."),
        ],
        named: "OrderReplacement"
    )

    static let cancelAfterBody = JSONSchema.object(
        [
            .required("seconds", .integer(0...86_400), "Until the orders end; 0 for no such end."),
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
        ],
        named: "CancelAfter"
    )

    static let cancelAfterSchema = JSONSchema.object(
        [.required("cancel_at", .nullable(.instant), "When the orders end; null if they don't.")],
        named: "CancelDeadline"
    )

    static let canceledSchema = JSONSchema.object(
        [
            .required("canceled", .integer(0...Int.max)),
            .required("orders", .array(of: Order.schema, count: 0...1_000_000)),
        ],
        named: "CanceledOrders"
    )
}

/// The problems that orders may get.
enum OrderProblems {
    static let placing: [Int: [String]] = [
        403: ["user_not_active"], 404: ["market_not_found", "account_not_found"],
        409: ["duplicate_client_order_id", "order_not_open", "already_running", "replacement_refused"],
        422: [
            "account_restricted", "account_closed", "no_fee_schedule", "insufficient_funds", "account_frozen",
            "price_not_on_tick", "price_too_low",
            "price_too_high", "quantity_not_on_lot", "quantity_too_small", "quantity_too_large", "notional_too_small",
            "notional_too_large", "too_many_open_orders", "side_full", "would_take", "invalid_combination",
            "invalid_pair",
            "expiry_in_past", "market_halt", "market_cancel_only", "market_post_only", "market_limit_only",
            "risk_order_quantity", "risk_order_notional", "risk_position", "risk_open_orders", "risk_order_rate",
            "risk_daily_loss", "risk_price_collar", "risk_kill_switch",
        ],
        503: ["writer_elsewhere"],
    ]
    static let changing: [Int: [String]] = [
        409: ["order_not_open"],
        422: placing[422, default: []] + ["not_amendable"], 503: ["writer_elsewhere"],
    ]
}

extension Problem {
    /// 422 for a key that was used with another request.
    static let keyReused = Problem(
        422,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another request. Use a new key for a new request."
    )
}

extension TradeRecord {
    /// A trade as one of its accounts sees it.
    func json(in market: Market, for account: ID<TradingAccount>) -> JSON {
        let isTaker = takerAccount == account
        let fee = isTaker ? takerFee : makerFee
        let side = isTaker ? takerSide : takerSide.opposite
        return [
            "id": .string(id.wire), "symbol": .string(market.symbol),
            "order": .string((isTaker ? takerOrder : makerOrder).wire), "side": .string(side.name),
            "price": .string(market.wire(price: price)), "quantity": .string(market.wire(lots: quantity)),
            "quote": .string(market.wire(quote: quoteAmount)),
            "fee": .string((fee < 0 ? "-" : "") + market.wire(quote: abs(fee))),
            "fee_asset": .string(market.quote.code),
            "fee_rule": (isTaker ? takerRule : makerRule).map { .string($0) } ?? .null,
            "liquidity": isTaker ? "taker" : "maker", "at": .string(recordedAt.description),
        ]
    }

    /// A trade as everybody sees it.
    func json(in market: Market) -> JSON {
        [
            "number": .integer(number), "price": .string(market.wire(price: price)),
            "quantity": .string(market.wire(lots: quantity)), "quote": .string(market.wire(quote: quoteAmount)),
            "taker_side": .string(takerSide.name), "at": .string(recordedAt.description),
        ]
    }

    static let ownSchema = JSONSchema.object(
        [
            .required("id", .id(of: TradeRecord.self)), .required("symbol", .anyString),
            .required("order", .id(of: Order.self)), .required("side", .oneOf(["buy", "sell"])),
            .required("price", .anyString), .required("quantity", .anyString), .required("quote", .anyString),
            .required("fee", .anyString, "Below zero it is a rebate."), .required("fee_asset", .anyString),
            .required(
                "fee_rule",
                .nullable(.anyString),
                "The rules that the fee comes from, each with its version: `trade_taker@1`."
            ), .required("liquidity", .oneOf(["maker", "taker"])), .required("at", .string(.instant)),
        ],
        named: "Trade"
    )

    static let publicSchema = JSONSchema.object(
        [
            .required("number", .integer(1...Int.max), "Counts a market's trades, without gaps."),
            .required("price", .anyString), .required("quantity", .anyString), .required("quote", .anyString),
            .required("taker_side", .oneOf(["buy", "sell"])), .required("at", .string(.instant)),
        ],
        named: "PublicTrade"
    )
}
