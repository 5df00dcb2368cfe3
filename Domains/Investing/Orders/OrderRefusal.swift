import HTTP
import Kernel
import MatchingEngine

/// What a refused order's problem says: the filter or rule, the limit and the value that broke it.
enum OrderRefusal {
    /// 422 `order_refused`-like problems share one form: the code is the filter, the detail names limit and value.
    static func filter(_ code: String, limit: String, value: String, at pointer: String) -> Problem {
        Problem(
            422,
            code,
            "\(sentence(code)) The limit is \(limit), the order has \(value).",
            faults: [Problem.Fault(pointer, code, limit: limit, value: value)]
        )
    }

    /// 422 for an order that would hold more minor units of what its side pays with than can be counted.
    static func tooLarge(_ need: Int128, _ side: Side, _ market: Market) -> Problem {
        func wire(_ amount: Int128) -> String {
            side == .buy ? market.wire(quote: amount) : market.wire(base: amount)
        }
        return filter("notional_too_large", limit: wire(Market.quoteMax), value: wire(need), at: "/quantity")
    }

    /// 409 for a replacement of which only the first half was done: the old order has ended.
    static func ofReplacement(_ problem: Problem) -> Problem {
        let faults = problem.faults.map { fault in
            let pointer = fault.pointer.isEmpty ? "/order" : "/order" + fault.pointer
            return Problem.Fault(pointer, fault.code, limit: fault.limit, value: fault.value, rule: fault.rule)
        }
        return Problem(
            409,
            "replacement_refused",
            "The old order was canceled, and the new one is refused: \(problem.detail)",
            faults: faults.isEmpty ? [Problem.Fault("/order", problem.code)] : faults
        )
    }

    /// What the matching engine refuses.
    static func problem(_ rejection: Rejection, in market: Market) -> Problem {
        let reason = rejection.reason
        switch reason {
        case .unknownOrder: return Problem(409, "order_not_open", "The order isn't open any more.")
        case .duplicateOrder: return Problem(409, "duplicate_order", "There is such an order already.")
        case .marketState:
            let state = MarketState(rawValue: UInt8(clamping: rejection.value)).map(\.name) ?? "closed"
            return Problem(
                422,
                "market_\(state)",
                "\(market.symbol) is in state \(state) and doesn't take this order.",
                faults: [Problem.Fault("/symbol", "market_\(state)", value: state)]
            )
        case .invalidCombination:
            return Problem(422, "invalid_combination", "Type, time in force, prices and quantity don't go together.")
        case .invalidPair:
            return Problem(422, "invalid_pair", "The two orders are no pair of which one can cancel the other.")
        case .expiryInPast:
            func instant(_ value: Int128) -> String { Timestamp(microseconds: Int64(clamping: value)).description }
            let (limit, value) = (instant(rejection.limit), instant(rejection.value))
            return filter("expiry_in_past", limit: limit, value: value, at: "/expires_at")
        case .notAmendable:
            return Problem(
                422,
                "not_amendable",
                "An order that waits for its trigger, or is one of a pair, can't be amended."
            )
        case .wouldTake:
            let (limit, value) = (ticks(rejection.limit, market), ticks(rejection.value, market))
            return filter("would_take", limit: limit, value: value, at: "/limit_price")
        case .priceNotOnTick, .priceTooLow, .priceTooHigh:
            let (limit, value) = (ticks(rejection.limit, market), ticks(rejection.value, market))
            return filter(code(reason), limit: limit, value: value, at: "/limit_price")
        case .quantityNotOnLot, .quantityTooSmall, .quantityTooLarge:
            let (limit, value) = (lots(rejection.limit, market), lots(rejection.value, market))
            return filter(code(reason), limit: limit, value: value, at: "/quantity")
        case .notionalTooSmall, .notionalTooLarge:
            let limit = market.wire(quote: market.quoteAmount(rejection.limit))
            let value = market.wire(quote: market.quoteAmount(rejection.value))
            return filter(code(reason), limit: limit, value: value, at: "/quantity")
        case .tooManyOpenOrders:
            return filter(code(reason), limit: String(rejection.limit), value: String(rejection.value), at: "")
        case .sideFull:
            let (limit, value) = (lots(rejection.limit, market), lots(rejection.value, market))
            return filter("side_full", limit: limit, value: value, at: "/quantity")
        }
    }

    private static func ticks(_ value: Int128, _ market: Market) -> String {
        Int64(exactly: value).map { market.wire(price: $0) } ?? String(value)
    }

    private static func lots(_ value: Int128, _ market: Market) -> String {
        Int64(exactly: value).map { market.wire(lots: $0) } ?? String(value)
    }

    private static func code(_ reason: RejectionReason) -> String {
        switch reason {
        case .priceNotOnTick: "price_not_on_tick"
        case .priceTooLow: "price_too_low"
        case .priceTooHigh: "price_too_high"
        case .quantityNotOnLot: "quantity_not_on_lot"
        case .quantityTooSmall: "quantity_too_small"
        case .quantityTooLarge: "quantity_too_large"
        case .notionalTooSmall: "notional_too_small"
        case .notionalTooLarge: "notional_too_large"
        case .tooManyOpenOrders: "too_many_open_orders"
        default: "order_refused"
        }
    }

    private static func sentence(_ code: String) -> String {
        switch code {
        case "price_not_on_tick": "The price isn't a multiple of the market's tick."
        case "price_too_low": "The price is below the lowest that the market takes."
        case "price_too_high": "The price is above the highest that the market takes."
        case "quantity_not_on_lot": "The quantity isn't a multiple of the market's lot."
        case "quantity_too_small": "The quantity is below the smallest that the market takes."
        case "quantity_too_large": "The quantity is above the largest that the market takes."
        case "notional_too_small": "The order's value is below the smallest that the market takes."
        case "notional_too_large": "The order's value is above the largest that the market takes."
        case "too_many_open_orders": "The account has as many open orders as it may have."
        case "expiry_in_past": "The order would have expired already."
        case "side_full": "The side's orders together would be more than a book takes."
        case "would_take": "A post-only order would trade at once; the best opposite price is the limit."
        default: "The order is refused."
        }
    }
}
