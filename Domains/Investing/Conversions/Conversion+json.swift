import HTTP
import Kernel
import MatchingEngine

extension Conversion {
    /// What it is, and what became of its order.
    func json(_ placed: Order?) -> JSON {
        func instant(_ at: Timestamp?) -> JSON { at.map { .string($0.description) } ?? .null }
        let average = Rounding.halfEven.scale(
            quote,
            by: Market.unit(of: market.base),
            over: market.baseAmount(lots: lots)
        )
        let portfolio: ID<Portfolio>? = account.parent == nil ? nil : account.id.cast()
        return [
            "id": .string(id.wire), "type": .string(kind.rawValue), "account": .string(account.kind.rawValue),
            "portfolio": portfolio.map { .string($0.wire) } ?? .null, "symbol": .string(market.symbol),
            "side": .string(side.name), "from": .string(from.code), "to": .string(to.code),
            "amount": .string(DecimalText.format(amount, scale: from.scale)),
            "expected": .string(DecimalText.format(expected, scale: to.scale)),
            "price": average.map { .string(market.wire(quote: $0)) } ?? .null,
            "worst_price": .string(market.wire(price: bound)), "fee": .string(market.wire(quote: fee)),
            "fee_asset": .string(market.quote.code), "status": .string(status.rawValue),
            "reason": reason.map { .string($0) } ?? .null, "order": order.map { .string($0.wire) } ?? .null,
            "executed": placed.flatMap { $0.traded > 0 ? executed($0) : nil } ?? .null,
            "created_at": instant(createdAt), "expires_at": instant(expiresAt), "accepted_at": instant(acceptedAt),
            "ended_at": instant(endedAt),
        ]
    }

    private func executed(_ order: Order) -> JSON {
        let base = DecimalText.format(market.baseAmount(lots: order.traded), scale: market.base.scale)
        let total = side == .buy ? order.quoteTraded + order.fee.charged : order.quoteTraded - order.fee.charged
        let quote = market.wire(quote: total)
        return [
            "given": .string(side == .buy ? quote : base), "received": .string(side == .buy ? base : quote),
            "fee": .string((order.fee.charged < 0 ? "-" : "") + market.wire(quote: abs(order.fee.charged))),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Conversion.self)), .required("type", .oneOf(Kind.self)),
            .required("account", .oneOf(TradingAccount.Kind.self)),
            .required("portfolio", .nullable(.id(of: Portfolio.self)), "Null unless it is within a portfolio."),
            .required("symbol", .anyString), .required("side", .oneOf(Side.names)), .required("from", .asset),
            .required("to", .asset), .required("amount", .anyString, "What is given at most, the fee included."),
            .required("expected", .anyString, "What is to be got for it at the quote, less the fee."),
            .required("price", .nullable(.anyString), "On average, of one unit of the market's base asset."),
            .required("worst_price", .anyString, "It trades at no worse price than this."),
            .required("fee", .anyString), .required("fee_asset", .asset), .required("status", .oneOf(Status.self)),
            .required("reason", .nullable(.anyString), "Why it failed: a problem's code, or why the order ended."),
            .required("order", .nullable(.id(of: Order.self)), "The order that carried it out; its trades name it."),
            .required(
                "executed",
                .nullable(
                    .object(
                        [
                            .required("given", .anyString), .required("received", .anyString),
                            .required("fee", .anyString),
                        ],
                        named: "ExecutedTransaction"
                    )
                ),
                "What really moved."
            ),
            .required("created_at", .string(.instant)),
            .required("expires_at", .string(.instant), "Until when it may be accepted."),
            .required("accepted_at", .nullable(.string(.instant))),
            .required("ended_at", .nullable(.string(.instant))),
        ],
        named: "InvestingTransaction"
    )
}
