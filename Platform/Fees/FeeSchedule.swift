public import Kernel

/// The fees of one operation in one asset over a span of time.
///
/// A version is never changed; a change is a new version.
public struct FeeSchedule: Hashable, Sendable, Entity {
    /// `fsch_…`.
    public static let idPrefix = "fsch"

    /// Its id.
    public let id: ID<FeeSchedule>
    /// Its number among the versions for the operation and asset, from 1.
    public let version: Int
    /// What is charged for: dotted lower case words beginning with the domain's, as `banking.deposit.card`.
    public let operation: String
    /// The asset of the amounts and of the fees.
    public let asset: Asset
    /// The first instant at which it is in force.
    public let effectiveFrom: Timestamp
    /// The first instant at which it no longer is; nil for open.
    public let effectiveTo: Timestamp?
    /// Whether the fees may come to more than the amount, for which an operation is refused otherwise.
    public let allowExceed: Bool
    /// The fees, in the order of their lines, 0 (free) to `rulesMax`.
    public let rules: [FeeRule]

    /// The most rules of a schedule.
    public static let rulesMax = 20

    /// Operations between a customer and somebody else that pass no account of ours.
    ///
    /// There is nothing to take a fee from, so that their schedules have no rules.
    public static let uncharged: Set<String> = ["banking.ramp"]

    /// The domain whose operation it is: the operation's first word.
    public var domain: String { String(operation.prefix { $0 != "." }) }

    /// A schedule, checked in full.
    ///
    /// - Throws: `FeeScheduleError.invalid` with everything that is wrong, by JSON pointers into the schedule's JSON
    ///   form.
    public init(
        id: ID<FeeSchedule>,
        version: Int,
        operation: String,
        asset: Asset,
        effectiveFrom: Timestamp,
        effectiveTo: Timestamp? = nil,
        allowExceed: Bool = false,
        rules: [FeeRule]
    ) throws(FeeScheduleError) {
        (self.id, self.version, self.operation, self.asset) = (id, version, operation, asset)
        (self.effectiveFrom, self.effectiveTo) = (effectiveFrom, effectiveTo)
        (self.allowExceed, self.rules) = (allowExceed, rules)
        var check = FeeScheduleCheck(asset: asset)
        check.schedule(self)
        guard check.faults.isEmpty else { throw .invalid(check.faults) }
    }

    /// Whether the schedule is in force at an instant.
    public func isEffective(at instant: Timestamp) -> Bool {
        guard let effectiveTo else { return effectiveFrom <= instant }
        return effectiveFrom <= instant && instant < effectiveTo
    }
}

/// Why there is no such schedule.
public enum FeeScheduleError: Error, Hashable, Sendable {
    /// The schedule has faults, each a JSON pointer and a stable word.
    case invalid([Problem.Fault])
    /// Two schedules for the same operation and asset are in force at the same time.
    case overlap(ID<FeeSchedule>, ID<FeeSchedule>)
}

extension FeeScheduleError: ProblemConvertible {
    /// 422 for faults, 409 for an overlap.
    public var problem: Problem {
        switch self {
        case .invalid(let faults):
            Problem(422, "invalid_fee_schedule", "The fee schedule has faults; each is listed.", faults: faults)
        case .overlap(let first, let second):
            Problem(
                409,
                "fee_schedules_overlap",
                "\(first.wire) and \(second.wire) are in force at the same time; close the older one first."
            )
        }
    }
}
