public import Kernel

/// Gives fees back in proportion to what is refunded of an operation, so that partial refunds sum exactly to the
/// fees.
///
/// After each refund the fees given back are the refunded share of the refundable fees, rounded half-even; this
/// refund's part of that is split over the lines by largest remainder, each line's part being its exact share so far
/// less what it gave back. When the whole amount is refunded each refundable line has given back all of itself; no
/// step takes anything back.
public struct FeeRefund: Hashable, Sendable {
    /// The operation's amount.
    public let amount: Money
    /// What each line charged.
    public let charged: [Money]
    /// What has been refunded of the amount so far.
    public private(set) var refunded: Money
    /// What each line has given back so far, in the order of the lines.
    public private(set) var returned: [Money]

    private let refundable: [Int128]

    /// Before the first refund.
    ///
    /// The caller guarantees an amount above zero and lines in its asset.
    public init(amount: Money, lines: [FeeLine]) {
        self.init(
            amount: amount,
            lines: lines,
            refunded: .zero(amount.asset),
            returned: lines.map { _ in .zero(amount.asset) }
        )
    }

    /// As it was after earlier refunds, of which the caller guarantees the numbers.
    public init(amount: Money, lines: [FeeLine], refunded: Money, returned: [Money]) {
        precondition(amount.minorUnits > 0 && returned.count == lines.count, "a refund of nothing or of other lines")
        (self.amount, charged) = (amount, lines.map(\.amount))
        (self.refunded, self.returned) = (refunded, returned)
        refundable = lines.map { $0.isRefundable ? $0.amount.minorUnits : 0 }
    }

    /// What each line gives back for a refund of a part of the amount.
    ///
    /// - Throws: `FeeError.assetMismatch`, `amountNotPositive`, `refundExceedsAmount`, `overflow`; nothing has
    ///   changed then.
    public mutating func refund(_ part: Money) throws(FeeError) -> [Money] {
        guard part.asset == amount.asset else { throw .assetMismatch(expected: amount.asset, found: part.asset) }
        guard part.minorUnits > 0 else { throw .amountNotPositive }
        let left = amount - refunded
        guard part.minorUnits <= left.minorUnits else { throw .refundExceedsAmount(left: left, requested: part) }
        let sofar = refunded + part
        let fees = refundable.reduce(0, +)
        guard let due = Rounding.halfEven.scale(fees, by: sofar.minorUnits, over: amount.minorUnits) else {
            throw .overflow
        }
        let parts = refundable.indices.map { index in
            share(refundable[index], of: sofar, lessReturned: returned[index].minorUnits)
        }
        let step = due - returned.reduce(0) { $0 + $1.minorUnits }
        let fee = LargestRemainder.split(step, by: parts).map { Money(minorUnits: $0, amount.asset) }
        refunded = sofar
        for index in returned.indices { returned[index] = returned[index] + fee[index] }
        return fee
    }

    private func share(_ fee: Int128, of sofar: Money, lessReturned before: Int128) -> LargestRemainder.Part {
        let product = fee.magnitude.multipliedFullWidth(by: sofar.minorUnits.magnitude)
        // A share of at most the whole: the quotient can't be more than the fee.
        let (whole, remainder) = amount.minorUnits.magnitude.dividingFullWidth(product)
        return LargestRemainder.Part(whole: Int128(whole) - before, remainder: remainder)
    }
}
