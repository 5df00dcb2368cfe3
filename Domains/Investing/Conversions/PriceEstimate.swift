import HTTP
import Kernel
import MatchingEngine

/// What a market order would bring, by the levels of the book at that moment.
///
/// It is pure. The book may change before the order comes; how far is what `bound` allows.
struct PriceEstimate: Sendable, Hashable {
    let side: Side
    let lots: Int64
    /// What they are worth in minor units of the quote asset, before the fee.
    let quote: Int128
    /// Minor units of the quote asset.
    let fee: Int128
    /// The worst price of the levels that are needed, in ticks.
    let worst: Int64

    /// What buying for an amount brings, its fee included.
    ///
    /// - Throws: 422 `notional_too_small` where it doesn't pay for a lot, `insufficient_liquidity`.
    static func buying(
        for amount: Int128,
        _ levels: [DepthLevel],
        _ market: Market,
        _ rates: TradingRates
    ) throws(Problem) -> PriceEstimate {
        let budget = Funds.spendable(amount, rates: rates) / market.tickValue
        var (left, lots) = (budget, Int128(0))
        var (worst, isSpent) = (Int64(0), false)
        for level in levels {
            let taken = min(left / Int128(level.price), Int128(level.quantity))
            isSpent = taken < Int128(level.quantity)
            guard taken > 0 else { break }
            left -= taken * Int128(level.price)
            lots += taken
            worst = level.price
            if isSpent { break }
        }
        guard let best = levels.first else { throw Problem.tooThin(market) }
        guard worst > 0, let exact = Int64(exactly: lots) else {
            let limit = market.wire(quote: market.quoteAmount(price: best.price, lots: 1))
            throw OrderRefusal.filter(
                "notional_too_small",
                limit: limit,
                value: market.wire(quote: amount),
                at: "/amount"
            )
        }
        // More would have been bought if more had been there.
        guard isSpent || left < Int128(worst) else { throw Problem.tooThin(market) }
        return PriceEstimate(.buy, exact, market.quoteAmount(budget - left), worst, rates)
    }

    /// What selling lots brings.
    ///
    /// - Throws: 422 `insufficient_liquidity`.
    static func selling(
        _ lots: Int64,
        _ levels: [DepthLevel],
        _ market: Market,
        _ rates: TradingRates
    ) throws(Problem) -> PriceEstimate {
        var (left, notional) = (lots, Int128(0))
        var worst: Int64 = 0
        for level in levels {
            let taken = min(left, level.quantity)
            notional += Int128(taken) * Int128(level.price)
            left -= taken
            worst = level.price
            if left == 0 { break }
        }
        guard left == 0 else { throw Problem.tooThin(market) }
        return PriceEstimate(.sell, lots, market.quoteAmount(notional), worst, rates)
    }

    private init(_ side: Side, _ lots: Int64, _ quote: Int128, _ worst: Int64, _ rates: TradingRates) {
        (self.side, self.lots, self.quote, self.worst) = (side, lots, quote, worst)
        fee = FillFee().most(quote, partsPerBillion: rates.taker)
    }

    /// What moves in the quote asset with the fee: what a purchase costs, or a sale brings.
    var total: Int128 { side == .buy ? quote + fee : quote - fee }

    /// What one unit of the base asset costs on average, in minor units of the quote asset, rounded half-even.
    func averagePrice(in market: Market) -> Int128 {
        Rounding.halfEven.scale(quote, by: Market.unit(of: market.base), over: market.baseAmount(lots: lots)) ?? 0
    }
}

extension Problem {
    /// 422 where the book doesn't hold enough for all of an order.
    static func tooThin(_ market: Market) -> Problem {
        Problem(
            422,
            "insufficient_liquidity",
            "\(market.symbol) has too few orders for that amount at present. Ask for less, or later."
        )
    }
}
