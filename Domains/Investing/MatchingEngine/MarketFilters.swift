/// What orders a market takes.
public struct MarketFilters: Sendable, Hashable {
    /// Ticks: prices are multiples of it.
    ///
    /// At least 1.
    public var tickSize: Int64
    /// Ticks: the lowest limit and stop price.
    public var priceMin: Int64
    /// Ticks: the highest limit and stop price.
    public var priceMax: Int64
    /// Lots: quantities are multiples of it.
    ///
    /// At least 1.
    public var lotSize: Int64
    /// Lots: the smallest quantity.
    ///
    /// At least 1.
    public var quantityMin: Int64
    /// Lots: the largest quantity.
    public var quantityMax: Int64
    /// Ticks × lots: the smallest notional value; 0 for none.
    ///
    /// Orders without a limit price count at their bound, else at the reference price, else at the last price; without
    /// any of these the limit doesn't apply.
    public var notionalMin: Int128
    /// Ticks × lots: the largest notional value, counted in the same way; nil for none.
    public var notionalMax: Int128?
    /// How far above the reference price orders may take, in basis points of it; nil for any distance.
    public var bandUpBasisPoints: Int64?
    /// How far below the reference price orders may take, in basis points of it; nil for any distance.
    public var bandDownBasisPoints: Int64?
    /// Live orders that one owner may have, conditional ones included; nil for any number.
    public var openOrdersMax: Int?

    /// Filters that let everything pass which can be represented, unless more is said.
    public init(
        tickSize: Int64 = 1,
        priceMin: Int64 = 1,
        priceMax: Int64 = .max,
        lotSize: Int64 = 1,
        quantityMin: Int64 = 1,
        quantityMax: Int64 = .max,
        notionalMin: Int128 = 0,
        notionalMax: Int128? = nil,
        bandUpBasisPoints: Int64? = nil,
        bandDownBasisPoints: Int64? = nil,
        openOrdersMax: Int? = nil
    ) {
        precondition(tickSize >= 1 && lotSize >= 1 && quantityMin >= 1)
        precondition((bandUpBasisPoints ?? 0) >= 0 && (bandDownBasisPoints ?? 0) >= 0)
        (self.tickSize, self.priceMin, self.priceMax) = (tickSize, priceMin, priceMax)
        (self.lotSize, self.quantityMin, self.quantityMax) = (lotSize, quantityMin, quantityMax)
        (self.notionalMin, self.notionalMax) = (notionalMin, notionalMax)
        (self.bandUpBasisPoints, self.bandDownBasisPoints) = (bandUpBasisPoints, bandDownBasisPoints)
        self.openOrdersMax = openOrdersMax
    }
}
