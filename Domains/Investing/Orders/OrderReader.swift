import Crypto
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import MatchingEngine

/// Turns a request's body into an order, as far as that goes without the book and the balances.
struct OrderReader: Sendable {
    let markets: Markets
    let accounts: LedgerAccounts
    let users: UserDirectory
    let rates: RateBook
    let ids: IDGenerator
    let clock: any WallClock

    /// What a new order looks like.
    static let body = JSONSchema.object(
        properties + [
            .optional("account", .oneOf(TradingAccount.Kind.self), "`brokerage` unless given."),
            .required("symbol", .text(3...25), "The market: `BTC-USDC`."),
        ],
        named: "NewOrder"
    )

    /// What an order of a list, or one that replaces another, looks like.
    static let properties: [JSONSchema.Property] = [
        .required("side", .oneOf(Side.names)), .required("type", .oneOf(OrderType.names)),
        .optional("time_in_force", .oneOf(TimeInForce.names), "`gtc` unless given."),
        .optional("quantity", .positiveAmount, "In the base asset; for a market order this or `quote_amount`."),
        .optional(
            "quote_amount",
            .positiveAmount,
            "In the quote asset: what a market buy spends with its fee, or a sell brings."
        ),
        .optional("limit_price", .positiveAmount, "In the quote asset for one unit of the base asset."),
        .optional("stop_price", .positiveAmount, "Where a conditional order becomes active."),
        .optional("post_only", .bool), .optional("expires_at", .instant, "For `gtd`."),
        .optional("self_trade_prevention", .oneOf(SelfTradePrevention.names), "`expire_taker` unless given."),
        .optional("client_order_id", .text(1...64), "Your own id, unique within the account."),
    ]

    /// Reads an order; `bound` is the worst price in ticks that one without a limit may trade at.
    ///
    /// `request` is what makes two requests with the same client's id the same, if it is more than the order's body.
    ///
    /// - Throws: 400 and 422 problems about its parts.
    func ticket(
        _ body: JSON,
        of account: TradingAccount,
        in stored: StoredMarket,
        bound: Int64? = nil,
        list: ID<OrderList>? = nil,
        replacing old: ID<Order>? = nil,
        request: JSON? = nil
    ) async throws -> OrderTicket {
        let market = stored.market
        let promised = try await promise(to: account, in: market)
        let terms = try OrderTerms(body, market)
        let now = clock.now()
        let order = Order(
            id: ids.next(),
            account: account.id,
            market: market.id,
            clientID: body["client_order_id"]?.stringValue,
            list: list,
            side: terms.side,
            type: terms.type,
            timeInForce: terms.timeInForce,
            isPostOnly: body["post_only"]?.boolValue ?? false,
            selfTradePrevention: terms.prevention,
            rates: promised,
            price: terms.price,
            bound: bound ?? terms.bound(market.filters),
            stopPrice: terms.stopPrice,
            quantity: terms.quantity,
            quoteAmount: terms.quoteAmount,
            expiresAt: terms.expiresAt,
            reservation: ids.next(),
            replaces: old,
            createdAt: now,
            remaining: terms.quantity ?? 0,
            updatedAt: now
        )
        let kind = account.ledgerKind
        return OrderTicket(
            order: order,
            request: OrderReader.digest(request ?? body),
            base: try await accounts.open(AccountKey(account.user, kind, market.base)),
            quote: try await accounts.open(AccountKey(account.user, kind, market.quote)),
            income: try await accounts.open(AccountKey(house: "fee_income:trading", market.quote))
        )
    }

    /// What an order of an account would pay in a market, if the account takes orders.
    ///
    /// - Throws: 403 `user_not_active`, 422 `account_restricted`, `account_closed`.
    func promise(to account: TradingAccount, in market: Market) async throws -> TradingRates {
        guard account.status == .open else { throw TradingAccount.refusal(account.status) }
        guard let profile = try await users.profile(account.user), profile.isActive else {
            throw Problem(403, "user_not_active", "This user may not trade. Contact support.")
        }
        return try await rates.rates(of: account, tier: profile.feeTier, quote: market.quote)
    }

    private static func digest(_ body: JSON) -> UInt128 {
        SHA256.hash(data: body.serialized()).prefix(16).reduce(0) { $0 << 8 | UInt128($1) }
    }
}

/// The terms of an order as its body gives them.
struct OrderTerms {
    let side: Side
    let type: OrderType
    let timeInForce: TimeInForce
    let prevention: SelfTradePrevention
    let price: Int64?
    let stopPrice: Int64?
    let quantity: Int64?
    let quoteAmount: Int128?
    let expiresAt: Timestamp?

    init(_ body: JSON, _ market: Market) throws(Problem) {
        func text(_ name: String) -> String? { body[name]?.stringValue }
        guard let side = Side(name: text("side") ?? ""), let type = OrderType(name: text("type") ?? "") else {
            throw Problem.malformed("unknown", in: "/type")
        }
        (self.side, self.type) = (side, type)
        timeInForce = TimeInForce(name: text("time_in_force") ?? "gtc") ?? .gtc
        prevention = SelfTradePrevention(name: text("self_trade_prevention") ?? "expire_taker") ?? .expireTaker
        price = try text("limit_price").map { value throws(Problem) in try market.price(value, at: "/limit_price") }
        stopPrice = try text("stop_price").map { value throws(Problem) in try market.price(value, at: "/stop_price") }
        quantity = try text("quantity").map { value throws(Problem) in try market.lots(value, at: "/quantity") }
        quoteAmount = try text("quote_amount").map { value throws(Problem) in
            try Money(positive: value, market.quote, at: "/quote_amount").minorUnits
        }
        expiresAt = text("expires_at").flatMap { Timestamp($0) }
        var faults: [Problem.Fault] = []
        func check(_ isRight: Bool, _ pointer: String, _ code: String) {
            if !isRight { faults.append(Problem.Fault(pointer, code)) }
        }
        check((price != nil) == type.isLimit, "/limit_price", type.isLimit ? "required" : "not_for_this_type")
        check(
            (stopPrice != nil) == type.isConditional,
            "/stop_price",
            type.isConditional ? "required" : "not_for_this_type"
        )
        check(quoteAmount == nil || type == .market, "/quote_amount", "not_for_this_type")
        check((quantity == nil) != (quoteAmount == nil), "/quantity", "one_of_quantity_and_quote_amount")
        check(
            (expiresAt != nil) == (timeInForce == .gtd),
            "/expires_at",
            timeInForce == .gtd ? "required" : "only_for_gtd"
        )
        check(quoteAmount.map { $0 < Market.quoteMax } ?? true, "/quote_amount", "overflow")
        guard faults.isEmpty else {
            throw Problem(422, "invalid_combination", "Terms don't go together; `errors` says where.", faults: faults)
        }
    }

    /// The worst price for a conditional buy without a limit: the trigger and the market's band above it.
    func bound(_ filters: MarketFilters) -> Int64? {
        guard side == .buy, type == .stop || type == .takeProfit, let stopPrice else { return nil }
        let band = filters.bandUpBasisPoints ?? OrderTerms.bandDefault
        let (more, overflow) = stopPrice.multipliedReportingOverflow(by: band)
        guard !overflow else { return filters.priceMax }
        let (bound, tooMuch) = stopPrice.addingReportingOverflow((more + 9_999) / 10_000)
        return tooMuch ? filters.priceMax : min(bound, filters.priceMax)
    }

    /// Basis points, for markets without a band.
    private static let bandDefault: Int64 = 1_000
}
