import Kernel
import WalletCrypto

/// What is owed to a pair's position in a block: from one to the next, what it has earned in fees.
struct PairFees: Hashable, Sendable {
    /// Its liquidity.
    let units: BigUInt
    /// What is owed of the asset, in minor units, and of the other token, in its smallest units.
    let owed: Int128
    let pairOwed: Int128

    init(units: BigUInt, owed: Int128, pairOwed: Int128) {
        (self.units, self.owed, self.pairOwed) = (units, owed, pairOwed)
    }

    init(_ worth: PositionReading.Worth) {
        self.init(
            units: worth.units,
            owed: Int128(clamping: worth.owed),
            pairOwed: Int128(clamping: worth.pairOwed)
        )
    }

    /// What has been earned until then, in the asset.
    ///
    /// What was collected in between is counted as far as it was seen before. Where liquidity was taken out, what is
    /// owed may be principal, and nothing is counted.
    func earned(until now: PairFees, at price: PoolPrice) -> Int128 {
        guard now.units >= units else { return 0 }
        func more(_ before: Int128, _ after: Int128) -> Int128 { after >= before ? after - before : after }
        let own = BigUInt(more(owed, now.owed)) + price.inFirst(BigUInt(more(pairOwed, now.pairOwed)))
        return min(Int128(clamping: own), Money.limit - 1)
    }

    /// A worth that lasted for some seconds, as it is summed up; in minor units times seconds.
    static func lasting(_ worth: Int128, seconds: Int64) -> Int128 {
        guard worth > 0, seconds > 0 else { return 0 }
        let (product, overflow) = worth.multipliedReportingOverflow(by: Int128(seconds))
        return overflow ? Money.limit - 1 : min(product, Money.limit - 1)
    }
}

extension OfferRate {
    /// How long what is in an offer has to have been looked at, until its fees are a rate.
    static let observedSeconds: Int64 = 86_400

    /// The yearly rate of fees, in billionths: what was earned against what it was worth while it was.
    ///
    /// Nil unless all that is worth `worth` now has been looked at for a day, or as much of it for longer.
    static func yearly(fees: Int128, over worthSeconds: Int128, of worth: Int128) -> Int64? {
        guard fees >= 0, worthSeconds > 0, BigUInt(worthSeconds) >= BigUInt(max(1, worth)) * BigUInt(observedSeconds)
        else { return nil }
        let yearly = BigUInt(fees) * BigUInt(secondsPerYear) * BigUInt.powerOfTen(Billionths.places)
        return Int64(clamping: (yearly / BigUInt(worthSeconds)).int128 ?? .max)
    }
}
