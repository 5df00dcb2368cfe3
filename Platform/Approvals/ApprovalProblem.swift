import HTTP
public import Kernel

/// Why a proposal can't be made or decided on.
public enum ApprovalProblem: Error, Sendable, Hashable {
    /// There is no such kind.
    case unknownKind
    /// The same is proposed already.
    case proposedAlready
    /// Who proposed it can't decide on it.
    case ownProposal
    /// Only who proposed it can take it back.
    case notYours
    /// It is decided, or its time is over.
    case notOpen(Approval.Status)
    /// What is stored isn't what was proposed.
    case tampered
}

extension ApprovalProblem: ProblemConvertible {
    /// 403 for the wrong person, 409 for what isn't open, 422 for what can't be proposed.
    public var problem: Problem {
        switch self {
        case .unknownKind: .malformed("not_allowed", in: "/kind")
        case .proposedAlready: Problem(409, "proposed_already", "The same is proposed already and not decided on.")
        case .ownProposal: Problem(403, "own_proposal", "Nobody decides on their own proposal. Ask a colleague.")
        case .notYours: Problem(403, "not_your_proposal", "Only who proposed it can take it back. Refuse it instead.")
        case .notOpen(let status): Problem(409, "proposal_not_open", "The proposal is \(status.rawValue).")
        case .tampered: Problem(409, "proposal_changed", "What is stored isn't what was proposed. Nothing was done.")
        }
    }
}
