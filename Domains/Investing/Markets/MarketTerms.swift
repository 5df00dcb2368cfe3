import HTTP
import Kernel
import MatchingEngine

/// What a market takes, and when it halts by itself, as an operator says it: amounts in units of its assets, as on the
/// wire.
struct MarketTerms: Sendable, Hashable {
    /// Basis points that a band may be wide upwards; downwards it ends at nothing.
    static let bandMax = 100_000
    /// Orders that a limit of open ones may allow.
    static let openOrdersMax = 1_000_000
    /// How far back a circuit breaker may look, and how long it may halt: a week.
    static let breakerSecondsMax = 604_800

    private(set) var filters: MarketFilters
    private(set) var breaker: CircuitBreaker?

    /// A market's present terms.
    init(_ market: Market) { (filters, breaker) = (market.filters, market.breaker) }

    /// What holds where nothing is said of it: a billion ticks and lots, the smallest value, no band, no breaker.
    init(newIn market: Market) {
        filters = MarketFilters(
            priceMax: 1_000_000_000,
            quantityMax: 1_000_000_000,
            notionalMin: 1,
            notionalMax: Market.quoteMax / market.tickValue
        )
    }

    /// Reads a description: what it doesn't name is as it was, what it says null of as in a new market.
    ///
    /// - Throws: 422 that says what doesn't fit.
    init(_ json: JSON, _ market: Market, _ old: MarketTerms) throws(Problem) {
        self = old
        let new = MarketTerms(newIn: market).filters
        func amount(_ name: String, _ asset: Asset) throws(Problem) -> Int128? {
            json[name] == .null ? nil : try MarketTerms.amount(json[name], name, asset)
        }
        // Limits that lie between two steps are those of the steps that they let pass.
        func steps(_ name: String, _ asset: Asset, _ step: Int128, up: Bool) throws(Problem) -> Int64? {
            guard let minor = try amount(name, asset) else { return nil }
            guard let steps = Int64(exactly: up ? (minor - 1) / step + 1 : minor / step) else {
                throw MarketTerms.misfit
            }
            return steps
        }
        func has(_ name: String) -> Bool { json[name] != nil }
        let (base, quote) = (market.base, market.quote)
        if has("price_min") { filters.priceMin = try steps("price_min", quote, market.tick, up: true) ?? new.priceMin }
        if has("price_max") { filters.priceMax = try steps("price_max", quote, market.tick, up: false) ?? new.priceMax }
        if has("quantity_min") {
            filters.quantityMin = try steps("quantity_min", base, market.lot, up: true) ?? new.quantityMin
        }
        if has("quantity_max") {
            filters.quantityMax = try steps("quantity_max", base, market.lot, up: false) ?? new.quantityMax
        }
        let most = Market.quoteMax / market.tickValue
        if has("notional_min") {
            filters.notionalMin = (try amount("notional_min", quote) ?? 1).quotientUp(market.tickValue)
        }
        if has("notional_max") {
            filters.notionalMax = try amount("notional_max", quote).map { min($0 / market.tickValue, most) } ?? most
        }
        try readBand(json)
        if has("open_orders_max") {
            filters.openOrdersMax = try MarketTerms.number(json, "open_orders_max", 1...MarketTerms.openOrdersMax)
        }
        if let breaker = json["circuit_breaker"] { self.breaker = try MarketTerms.breaker(breaker) }
        guard filters.priceMin >= 1, filters.priceMax >= filters.priceMin, filters.quantityMin >= 1,
            filters.quantityMax >= filters.quantityMin, filters.notionalMin <= filters.notionalMax ?? most
        else { throw MarketTerms.misfit }
    }

    private static let misfit = Problem(
        422,
        "limits_do_not_fit",
        "The largest price, quantity and value must be at least the smallest, and those a tick and a lot."
    )

    /// `band_basis_points` is both sides' at once.
    private mutating func readBand(_ json: JSON) throws(Problem) {
        for name in ["band_basis_points", "band_up_basis_points"] where json[name] != nil {
            filters.bandUpBasisPoints = try MarketTerms.number(json, name, 0...MarketTerms.bandMax).map { Int64($0) }
        }
        for name in ["band_basis_points", "band_down_basis_points"] where json[name] != nil {
            filters.bandDownBasisPoints = try MarketTerms.number(json, name, 0...MarketTerms.bandMax)
                .map { Int64(min($0, 10_000)) }
        }
    }

    /// `{"move_basis_points": 500, "window_seconds": 300, "halt_seconds": 600}`; null for none, without `halt_seconds`
    /// until an operator resumes.
    private static func breaker(_ json: JSON) throws(Problem) -> CircuitBreaker? {
        guard json != .null else { return nil }
        guard let move = try number(json, "move_basis_points", 1...1_000_000),
            let window = try number(json, "window_seconds", 1...breakerSecondsMax)
        else {
            throw Problem(422, "required", "A circuit breaker needs move_basis_points and window_seconds.")
        }
        let halt = try number(json, "halt_seconds", 1...breakerSecondsMax)
        return CircuitBreaker(
            moveBasisPoints: Int64(move),
            window: Int64(window) * 1_000_000,
            halt: halt.map { Int64($0) * 1_000_000 }
        )
    }

    /// A number; nil where it isn't given or null.
    private static func number(_ json: JSON, _ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let value = json[name], value != .null else { return nil }
        guard let number = value.integerValue, range.contains(number) else {
            let text = "\(name) must be a number from \(range.lowerBound) to \(range.upperBound)."
            throw Problem(422, "limits_do_not_fit", text)
        }
        return number
    }

    /// Minor units of an amount that must be given.
    static func amount(_ json: JSON?, _ name: String, _ asset: Asset) throws(Problem) -> Int128 {
        guard let text = json?.stringValue else {
            throw Problem(422, "required", "\(name) is missing; give it in \(asset.code).")
        }
        do {
            return try Money(positive: text, asset, at: "/\(name)").minorUnits
        } catch {
            throw Problem(422, "no_amount", "\(name) must be an amount of \(asset.code) above zero; \(text) isn't.")
        }
    }
}

extension Int128 {
    /// Divided, rounded up; of numbers that are not negative.
    fileprivate func quotientUp(_ divisor: Int128) -> Int128 { self / divisor + (self % divisor == 0 ? 0 : 1) }
}
