import HTTP
import Kernel
import MatchingEngine

/// A market: what is traded for what, in which steps, and what orders it takes.
///
/// Prices are whole ticks and quantities whole lots. A tick is in minor units of the quote asset for one unit of the
/// base asset, a lot in minor units of the base asset; one tick times one lot is a whole number of the quote's minor
/// units, so that no trade is ever rounded.
struct Market: Sendable, Hashable {
    /// Its number, which orders and trades are stored with.
    let id: Int
    /// `BTC-USDC`.
    let symbol: String
    let base: Asset
    let quote: Asset
    /// Minor units of the quote asset for one unit of the base asset.
    let tick: Int128
    /// Minor units of the base asset.
    let lot: Int128
    var filters: MarketFilters
    var breaker: CircuitBreaker?

    /// Minor units of the quote asset that one lot costs at a price of one tick.
    var tickValue: Int128 { tick * lot / Market.unit(of: base) }

    /// The largest value of an order in minor units of the quote asset: beyond it sums of fees could overflow.
    static let quoteMax: Int128 = 1_000_000_000_000_000_000_000_000_000

    /// Minor units of one unit.
    static func unit(of asset: Asset) -> Int128 { (0..<asset.scale).reduce(1) { unit, _ in unit * 10 } }

    /// Whether a tick times a lot is a whole number of minor units of the quote asset, and not zero.
    static func isExact(tick: Int128, lot: Int128, base: Asset) -> Bool {
        let (product, overflow) = tick.multipliedReportingOverflow(by: lot)
        return !overflow && product > 0 && product % unit(of: base) == 0
    }

    // MARK: What a price and a quantity are worth

    /// What lots cost at a price.
    func quoteAmount(price: Int64, lots: Int64) -> Int128 { Int128(price) * Int128(lots) * tickValue }

    /// What ticks × lots are worth.
    func quoteAmount(_ ticksTimesLots: Int128) -> Int128 { ticksTimesLots * tickValue }

    /// Minor units of the base asset.
    func baseAmount(lots: Int64) -> Int128 { Int128(lots) * lot }

    // MARK: On the wire

    /// A price in the quote asset for one unit of the base asset.
    func wire(price: Int64) -> String { DecimalText.format(Int128(price) * tick, scale: quote.scale) }

    /// A quantity of the base asset.
    func wire(lots: Int64) -> String { DecimalText.format(baseAmount(lots: lots), scale: base.scale) }

    /// An amount of the quote asset.
    func wire(quote amount: Int128) -> String { DecimalText.format(amount, scale: quote.scale) }

    /// Reads a price.
    ///
    /// - Throws: 400 for what is no positive amount of the quote asset, 422 `price_not_on_tick`, `price_too_high`.
    func price(_ text: String, at pointer: String) throws(Problem) -> Int64 {
        let amount = try Money(positive: text, quote, at: pointer).minorUnits
        guard amount % tick == 0 else {
            throw OrderRefusal.filter("price_not_on_tick", limit: wire(quote: tick), value: text, at: pointer)
        }
        guard let ticks = Int64(exactly: amount / tick) else {
            throw OrderRefusal.filter("price_too_high", limit: wire(price: filters.priceMax), value: text, at: pointer)
        }
        return ticks
    }

    /// Reads a quantity.
    ///
    /// - Throws: 400 for what is no positive amount of the base asset, 422 `quantity_not_on_lot`,
    ///   `quantity_too_large`.
    func lots(_ text: String, at pointer: String) throws(Problem) -> Int64 {
        let amount = try Money(positive: text, base, at: pointer).minorUnits
        guard amount % lot == 0 else {
            throw OrderRefusal.filter("quantity_not_on_lot", limit: wire(lots: 1), value: text, at: pointer)
        }
        guard let lots = Int64(exactly: amount / lot) else {
            let limit = wire(lots: filters.quantityMax)
            throw OrderRefusal.filter("quantity_too_large", limit: limit, value: text, at: pointer)
        }
        return lots
    }
}
