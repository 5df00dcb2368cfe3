import HTTP
import Kernel
import MatchingEngine
import PostgreSQL

/// Something bought, sold or converted at a quote: one market order that trades wholly within the quote's bound, or not
/// at all.
struct Conversion: Sendable, Entity {
    static let idPrefix = "itx"

    /// How long a quote holds, in seconds.
    static let quoteSeconds: Int64 = 15

    enum Kind: String, Sendable, CaseIterable {
        /// Gives the market's quote asset.
        case buy
        /// Gives the market's base asset.
        case sell
        /// Either.
        case convert
    }

    enum Status: String, Sendable, CaseIterable {
        /// Only a promise so far.
        case quoted
        /// Its order is being placed.
        case accepted
        case completed
        /// Nothing moved.
        case failed
    }

    let id: ID<Conversion>
    let kind: Kind
    let account: TradingAccount
    let market: Market
    let side: Side
    /// What is given, in minor units.
    let amount: Int128
    /// What is to be got, in minor units.
    let expected: Int128
    /// Minor units of the market's quote asset.
    let fee: Int128
    let lots: Int64
    /// What the lots are worth before the fee.
    let quote: Int128
    /// The worst price in ticks.
    let bound: Int64
    let status: Status
    let reason: String?
    let order: ID<Order>?
    let createdAt: Timestamp
    let expiresAt: Timestamp
    let acceptedAt: Timestamp?
    let endedAt: Timestamp?

    var from: Asset { side == .buy ? market.quote : market.base }
    var to: Asset { side == .buy ? market.base : market.quote }

    /// The order that carries it out.
    var wanted: OrderPlacement.Wanted {
        OrderPlacement.Wanted(
            clientID: id.wire,
            side: side,
            lots: side == .sell ? lots : nil,
            amount: side == .buy ? amount : nil,
            bound: bound,
            isWhole: true
        )
    }

    /// The market in which one asset is given for another, and the side that does it.
    ///
    /// - Throws: 422 `no_market`, and `wrong_direction` for a purchase that gives a base asset, or a sale that doesn't.
    static func market(
        _ kind: Kind,
        from: Asset,
        to: Asset,
        among markets: [StoredMarket]
    ) throws(Problem) -> (StoredMarket, Side) {
        if let stored = markets.first(where: { $0.market.base == to && $0.market.quote == from }) {
            guard kind != .sell else { throw Problem.wrongDirection }
            return (stored, .buy)
        }
        if let stored = markets.first(where: { $0.market.base == from && $0.market.quote == to }) {
            guard kind != .buy else { throw Problem.wrongDirection }
            return (stored, .sell)
        }
        throw Problem(422, "no_market", "\(from) isn't traded for \(to). Convert in two steps.")
    }

    /// What `amount` of the asset that is given brings by a book.
    ///
    /// - Throws: 400 for what is no amount of it; 422 `quantity_not_on_lot`, `quantity_too_small`,
    ///   `quantity_too_large`, `notional_too_small`, `notional_too_large`, `insufficient_liquidity`, `market_…`.
    static func estimate(
        _ text: String,
        _ side: Side,
        _ view: DepthView,
        _ rates: TradingRates
    ) throws(Problem) -> PriceEstimate {
        let (market, filters) = (view.market, view.market.filters)
        guard view.status.state == .trading else {
            let state = view.status.state.name
            throw Problem(422, "market_\(state)", "\(market.symbol) is in state \(state) and takes no such orders.")
        }
        let estimate: PriceEstimate
        switch side {
        case .buy:
            let amount = try Money(positive: text, market.quote, at: "/amount").minorUnits
            guard amount < Market.quoteMax else { throw Problem.malformed("overflow", in: "/amount") }
            estimate = try .buying(for: amount, view.asks, market, rates)
        case .sell:
            estimate = try .selling(try market.lots(text, at: "/amount"), view.bids, market, rates)
        }
        func refuse(_ code: String, _ limit: String, _ value: String) -> Problem {
            OrderRefusal.filter(code, limit: limit, value: value, at: "/amount")
        }
        let (lots, worth) = (market.wire(lots: estimate.lots), market.wire(quote: estimate.quote))
        if estimate.lots < filters.quantityMin {
            throw refuse("quantity_too_small", market.wire(lots: filters.quantityMin), lots)
        }
        if estimate.lots > filters.quantityMax {
            throw refuse("quantity_too_large", market.wire(lots: filters.quantityMax), lots)
        }
        let least = market.quoteAmount(filters.notionalMin)
        if estimate.quote < least { throw refuse("notional_too_small", market.wire(quote: least), worth) }
        let most = filters.notionalMax.map { market.quoteAmount($0) } ?? Market.quoteMax
        if estimate.quote > most { throw refuse("notional_too_large", market.wire(quote: most), worth) }
        return estimate
    }
}

extension Problem {
    /// 422 for a purchase that sells, or a sale that buys.
    static let wrongDirection = Problem(
        422,
        "wrong_direction",
        "A purchase gives the market's quote asset, a sale its base asset. Name them the other way round, or convert."
    )
}
