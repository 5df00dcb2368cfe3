public import Kernel

/// Why there is no quote, refund or recomputation.
public enum FeeError: Error, Hashable, Sendable {
    /// No schedule is in force for the operation and asset at that instant.
    case noSchedule(operation: String, asset: Asset, at: Timestamp)
    /// The schedule is not in force at that instant.
    case notEffective(at: Timestamp)
    /// An amount is in another asset than the schedule's.
    case assetMismatch(expected: Asset, found: Asset)
    /// An amount that must be above zero is not.
    case amountNotPositive
    /// The schedule has rules for single providers and the context names none.
    case providerRequired
    /// No rule of the schedule is for that option.
    case unknownPremiumOption(String)
    /// The rule has a free allowance and the context doesn't say what is used of it.
    case allowanceUsageMissing(rule: String)
    /// The fees come to more than the amount and the schedule doesn't allow that.
    case feesExceedAmount(fees: Money, amount: Money)
    /// More is to be refunded than is left of the operation.
    case refundExceedsAmount(left: Money, requested: Money)
    /// A sum of 10^38 minor units or more.
    case overflow
}

extension FeeError: ProblemConvertible {
    /// The refusal as a client gets it; what only this repository's code can get wrong is a 500.
    public var problem: Problem {
        switch self {
        case .noSchedule(let operation, let asset, _):
            Problem(422, "no_fee_schedule", "There are no fees set for \(operation) in \(asset); it isn't offered now.")
        case .feesExceedAmount(let fees, let amount):
            Problem(
                422,
                "fees_exceed_amount",
                "The fees of \(fees) exceed the amount of \(amount); choose a larger amount.",
                faults: [.init("/amount", "fees_exceed_amount")]
            )
        case .amountNotPositive:
            Problem(
                422,
                "amount_not_positive",
                "The amount must be above zero.",
                faults: [.init("/amount", "amount_not_positive")]
            )
        case .overflow:
            Problem(422, "amount_too_large", "The amount is too large.", faults: [.init("/amount", "overflow")])
        case .unknownPremiumOption(let option):
            Problem(
                422,
                "unknown_premium_option",
                "There is no option \(option) for this operation.",
                faults: [.init("/premium_options", "unknown_premium_option")]
            )
        case .providerRequired:
            Problem(
                422,
                "provider_required",
                "The fees of this operation depend on the provider; name one.",
                faults: [.init("/provider", "required")]
            )
        case .refundExceedsAmount(let left, let requested):
            Problem(
                422,
                "refund_exceeds_amount",
                "\(requested) is more than the \(left) that can still be refunded.",
                faults: [.init("/amount", "refund_exceeds_amount")]
            )
        case .notEffective, .assetMismatch, .allowanceUsageMissing:
            Problem(500, "fee_calculation_failed", "The fees could not be calculated. Nothing was charged.")
        }
    }
}
