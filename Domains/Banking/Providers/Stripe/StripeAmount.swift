import Kernel

/// Stripe's amounts: integers in the smallest unit of the currency, which has none, two or three decimals.
///
/// Source: https://docs.stripe.com/currencies#zero-decimal
enum StripeAmount {
    /// The decimals of the currencies that Stripe takes and we have as assets.
    ///
    /// Others are refused, so that no factor is guessed.
    private static let decimals: [Asset: Int] = [.usd: 2, .eur: 2]

    /// The number and the currency's code on Stripe's wire; nil for an asset that Stripe doesn't take, or a part of
    /// its unit.
    static func wire(_ money: Money) -> (amount: Int128, currency: String)? {
        guard let decimals = decimals[money.asset],
            let amount = shifted(money.minorUnits, by: decimals - money.asset.scale)
        else { return nil }
        return (amount, money.asset.code.lowercased())
    }

    /// The money of a number on Stripe's wire; nil for a currency that is none of ours.
    static func money(_ amount: Int, currency: String) -> Money? {
        guard let asset = Asset(code: currency.uppercased()), let decimals = decimals[asset], amount >= 0,
            let minorUnits = shifted(Int128(amount), by: asset.scale - decimals)
        else { return nil }
        return Money(minorUnits: minorUnits, asset)
    }

    /// A number of units as one of units 10^places as small; nil when that isn't whole.
    private static func shifted(_ value: Int128, by places: Int) -> Int128? {
        let factor = (0..<abs(places)).reduce(Int128(1)) { factor, _ in factor * 10 }
        if places >= 0 { return value * factor }
        return value % factor == 0 ? value / factor : nil
    }
}
