public import Compliance
public import PostgreSQL

/// How far a user's identity has been verified ("know your customer").
public enum KYCStatus: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
    /// Nothing was checked yet.
    case none
    /// A person has to look.
    case pending
    /// Verified.
    case approved
    /// Refused.
    case rejected

    /// What compliance makes of it: only an approval counts as identified, only a rejection as refused.
    public var identification: MoneyMovement.Identification {
        switch self {
        case .none, .pending: .none
        case .approved: .approved
        case .rejected: .rejected
        }
    }

    /// Whether an operator may change the status to another: a decision, or `none` to let the user try again.
    func mayBecome(_ next: KYCStatus) -> Bool { self != next && next != .pending }
}
