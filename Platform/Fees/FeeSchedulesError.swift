public import Kernel
import PostgreSQL

/// Why a schedule could not be read, published or closed.
public enum FeeSchedulesError: Error, Hashable, Sendable {
    /// A stored schedule isn't what was published: its checksum differs or its rules can't be read.
    case damaged(ID<FeeSchedule>)
    /// Versions count up by one for each operation and asset.
    case versionNotNext(found: Int, next: Int)
    /// Another schedule for the operation and asset is in force at a part of its time, or has its version.
    case overlaps(ID<FeeSchedule>)
    /// The id is taken.
    case exists(ID<FeeSchedule>)
    /// A schedule that would have to end in the past, which would make quotes given since then unexplainable.
    case endsInThePast(ID<FeeSchedule>)
    /// There is no open schedule of that id that begins before the instant.
    case notOpen(ID<FeeSchedule>)
}

extension FeeSchedulesError {
    /// The refusal of a statement in the words of fees; nil for one that has nothing to do with them.
    init?(_ error: PostgresError, _ id: ID<FeeSchedule>) {
        if error.state == "23001" {
            self = .endsInThePast(id)
        } else if error.violates("fee_schedules_no_overlap") || error.violates("fee_schedules_version_unique") {
            self = .overlaps(id)
        } else if error.violates("fee_schedules_pkey") {
            self = .exists(id)
        } else {
            return nil
        }
    }
}

extension FeeSchedulesError: ProblemConvertible {
    /// 409 for what another version stands against, 422 for what can't be, 500 for damage.
    public var problem: Problem {
        switch self {
        case .damaged(let id):
            Problem(500, "fee_schedule_damaged", "The fee schedule \(id.wire) is not what was published.")
        case .versionNotNext(_, let next):
            Problem(
                409,
                "fee_schedule_version",
                "The next version is \(next).",
                faults: [.init("/version", "not_next")]
            )
        case .overlaps:
            Problem(409, "fee_schedules_overlap", "Another version is in force at a part of that time.")
        case .exists(let id): Problem(409, "fee_schedule_exists", "There is a fee schedule \(id.wire) already.")
        case .endsInThePast:
            Problem(422, "ends_in_the_past", "The version before it would have to end in the past; let it begin later.")
        case .notOpen(let id):
            Problem(409, "fee_schedule_not_open", "The fee schedule \(id.wire) is not open at that time.")
        }
    }
}
