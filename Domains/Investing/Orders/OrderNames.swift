import MatchingEngine

// The names of the engine's values on the wire and in the database.

/// A value of the engine that has a name.
protocol Named: CaseIterable {
    /// On the wire and in the database.
    var name: String { get }
}

extension Named {
    /// The value of a name; nil for another text.
    init?(name: String) {
        guard let value = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = value
    }

    /// All names.
    static var names: [String] { allCases.map(\.name) }
}

extension Side: Named {
    var name: String { self == .buy ? "buy" : "sell" }
}

extension OrderType: Named {
    var name: String {
        switch self {
        case .limit: "limit"
        case .market: "market"
        case .stop: "stop"
        case .stopLimit: "stop_limit"
        case .takeProfit: "take_profit"
        case .takeProfitLimit: "take_profit_limit"
        }
    }
}

extension TimeInForce: Named {
    var name: String {
        switch self {
        case .gtc: "gtc"
        case .ioc: "ioc"
        case .fok: "fok"
        case .gtd: "gtd"
        }
    }
}

extension SelfTradePrevention: Named {
    var name: String {
        switch self {
        case .none: "none"
        case .expireTaker: "expire_taker"
        case .expireMaker: "expire_maker"
        case .expireBoth: "expire_both"
        case .decrement: "decrement"
        }
    }
}

extension CancelReason: Named {
    var name: String {
        switch self {
        case .user: "canceled_by_user"
        case .cancelAll: "all_canceled"
        case .replaced: "replaced"
        case .amendedAway: "amended_to_what_had_traded"
        case .immediateOrCancel: "immediate_or_cancel"
        case .fillOrKill: "fill_or_kill"
        case .marketRemainder: "insufficient_liquidity"
        case .quoteSpent: "quote_amount_spent"
        case .priceBand: "price_band"
        case .selfTradePrevention: "self_trade_prevention"
        case .otherLeg: "other_leg"
        case .expired: "expired"
        }
    }

    /// What the order's status is then.
    var status: Order.Status {
        switch self {
        case .user, .cancelAll, .replaced, .amendedAway, .otherLeg: .canceled
        case .selfTradePrevention: .expiredInMatch
        case .immediateOrCancel, .fillOrKill, .marketRemainder, .quoteSpent, .priceBand, .expired: .expired
        }
    }
}

extension StateChanged.Cause: Named {
    var name: String {
        switch self {
        case .command: "operator"
        case .circuitBreaker: "circuit_breaker"
        case .timer: "timer"
        }
    }
}

extension MarketState: Named {
    var name: String {
        switch self {
        case .trading: "trading"
        case .halt: "halt"
        case .cancelOnly: "cancel_only"
        case .postOnly: "post_only"
        case .limitOnly: "limit_only"
        }
    }
}
