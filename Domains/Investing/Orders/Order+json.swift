import HTTP
import Kernel
import MatchingEngine

extension Order {
    /// The order on the wire.
    func json(in market: Market) -> JSON {
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
        func price(_ ticks: Int64?) -> JSON { text(ticks.map { market.wire(price: $0) }) }
        func instant(_ at: Timestamp?) -> JSON { text(at?.description) }
        return [
            "id": .string(id.wire), "client_order_id": text(clientID), "account": .string(account.wire),
            "symbol": .string(market.symbol), "order_list": text(list?.wire), "side": .string(side.name),
            "type": .string(type.name), "time_in_force": .string(timeInForce.name), "post_only": .bool(isPostOnly),
            "self_trade_prevention": .string(selfTradePrevention.name), "limit_price": price(self.price),
            "bound_price": price(bound), "stop_price": price(stopPrice),
            "quantity": text(quantity.map { market.wire(lots: $0) }),
            "quote_amount": text(quoteAmount.map { market.wire(quote: $0) }),
            "filled_quantity": .string(market.wire(lots: traded)),
            "remaining_quantity": .string(market.wire(lots: remaining)),
            "filled_quote": .string(market.wire(quote: quoteTraded)), "average_price": text(averagePrice(in: market)),
            "fee": .string((fee.charged < 0 ? "-" : "") + market.wire(quote: abs(fee.charged))),
            "fee_asset": .string(market.quote.code), "status": .string(status.rawValue),
            "triggered": .bool(isTriggered), "reason": text(reason), "replaces": text(replaces?.wire),
            "replaced_by": text(replacedBy?.wire), "version": .integer(version),
            "created_at": .string(createdAt.description), "updated_at": .string(updatedAt.description),
            "expires_at": instant(expiresAt), "ended_at": instant(endedAt),
        ]
    }

    /// What one unit of the base asset cost on average, rounded half-even to the quote's scale.
    private func averagePrice(in market: Market) -> String? {
        guard traded > 0 else { return nil }
        let base = market.baseAmount(lots: traded)
        return Rounding.halfEven.scale(quoteTraded, by: Market.unit(of: market.base), over: base)
            .map { market.wire(quote: $0) }
    }

    /// What an order looks like.
    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Order.self)), .required("client_order_id", .nullable(.anyString)),
            .required("account", .id(of: TradingAccount.self)), .required("symbol", .anyString),
            .required("order_list", .nullable(.id(of: OrderList.self))), .required("side", .oneOf(Side.names)),
            .required("type", .oneOf(OrderType.names)), .required("time_in_force", .oneOf(TimeInForce.names)),
            .required("post_only", .bool),
            .required("self_trade_prevention", .oneOf(SelfTradePrevention.names)),
            .required("limit_price", .nullable(.anyString), "In the quote asset, for one unit of the base asset."),
            .required("bound_price", .nullable(.anyString), "The worst price that an order without a limit may get."),
            .required("stop_price", .nullable(.anyString)),
            .required("quantity", .nullable(.anyString), "In the base asset; null where `quote_amount` sizes it."),
            .required("quote_amount", .nullable(.anyString), "In the quote asset, fees included for a buy."),
            .required("filled_quantity", .anyString), .required("remaining_quantity", .anyString),
            .required("filled_quote", .anyString), .required("average_price", .nullable(.anyString)),
            .required("fee", .anyString, "What was charged so far; below zero it is a rebate."),
            .required("fee_asset", .anyString), .required("status", .oneOf(Order.Status.self)),
            .required("triggered", .bool), .required("reason", .nullable(.anyString), "Why it ended unfilled."),
            .required("replaces", .nullable(.id(of: Order.self))),
            .required("replaced_by", .nullable(.id(of: Order.self))), .required("version", .integer(0...Int.max)),
            .required("created_at", .string(.instant)), .required("updated_at", .string(.instant)),
            .required("expires_at", .nullable(.string(.instant))),
            .required("ended_at", .nullable(.string(.instant))),
        ],
        named: "Order"
    )
}

extension TradeRecord {
    /// The trade as one of its two orders sees it.
    func fill(in market: Market, isTaker: Bool) -> JSON {
        let fee = isTaker ? takerFee : makerFee
        return [
            "trade": .string(id.wire), "price": .string(market.wire(price: price)),
            "quantity": .string(market.wire(lots: quantity)), "quote": .string(market.wire(quote: quoteAmount)),
            "fee": .string((fee < 0 ? "-" : "") + market.wire(quote: abs(fee))),
            "liquidity": isTaker ? "taker" : "maker",
        ]
    }
}
