import Kernel
import MatchingEngine

/// What an order must hold so that whatever it still can do is paid for.
enum Funds {
    /// Minor units: of the quote asset for a buy, fees at the highest of its rates included; of the base for a sell.
    ///
    /// - Throws: 422 `notional_too_large` where sums could overflow.
    static func hold(_ order: Order, in market: Market) -> Int128 {
        switch order.side {
        case .sell: return market.baseAmount(lots: order.remaining)
        case .buy:
            let price = order.price ?? order.bound ?? 0
            let quote = market.quoteAmount(price: price, lots: order.remaining)
            return quote + order.fee.most(quote, partsPerBillion: order.rates.highest)
        }
    }

    /// Minor units that two legs hold together beyond what the dearer one needs.
    ///
    /// Each rounds its fees by itself, so what one was charged and what the other still can be may be one more than the
    /// fee on the whole.
    static func pairSlack(_ side: Side) -> Int128 { side == .buy ? 1 : 0 }

    /// The most that can be spent on trades of an amount that includes the fee.
    static func spendable(_ amount: Int128, rates: TradingRates) -> Int128 {
        var quote = amount * 1_000_000_000 / (1_000_000_000 + Int128(rates.highest))
        // Rounding may leave one more or one less.
        while quote > 0, quote + FillFee().most(quote, partsPerBillion: rates.highest) > amount { quote -= 1 }
        while quote + 1 + FillFee().most(quote + 1, partsPerBillion: rates.highest) <= amount { quote += 1 }
        return quote
    }
}
