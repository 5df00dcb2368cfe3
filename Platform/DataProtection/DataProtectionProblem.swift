import HTTP
public import Kernel

/// Why private data isn't given, taken or forgotten.
public enum DataProtectionProblem: Error, Hashable, Sendable {
    /// The user's data was erased; nothing of it comes back, and nothing is taken any more.
    case erased
    /// There is no such kind of data.
    case unknownType(String)
    /// A value is longer than its kind may be.
    case tooLong(String, bytesMax: Int)
    /// None of the reader's roles may read this kind.
    case notPermitted([String])
    /// A stored envelope was changed, moved from another place, or cut.
    case notAuthentic(String)
    /// The user's key was replaced again and again while something was to be stored.
    case busy
    /// Something stands against erasing the user now.
    case obstacles([ErasureObstacle])
    /// There is no request for erasure, or it is decided.
    case notRequested
    /// A request for erasure is open already.
    case requestedAlready
    /// Nobody decides on their own erasure.
    case ownRequest
}

extension DataProtectionProblem: ProblemConvertible {
    /// 403 for who may not, 409 for what stands in the way, 410 for what is gone, 500 for data that was tampered with.
    public var problem: Problem {
        switch self {
        case .erased: Problem(410, "erased", "The personal data of this user was erased.")
        case .unknownType(let name):
            Problem(422, "unknown_data_type", "There is no kind of data \(name).")
        case .tooLong(let name, let bytesMax):
            Problem(422, "value_too_long", "\(name) takes at most \(bytesMax) bytes.")
        case .notPermitted(let names):
            Problem(403, "data_not_permitted", "Your roles may not read \(names.joined(separator: ", ")).")
        case .notAuthentic: Problem(500, "internal_error", "Something went wrong on our side. Nothing was changed.")
        case .busy: Problem(503, "database_busy", "Too much happens at once. Try again.", retryAfterSeconds: 1)
        case .obstacles(let obstacles):
            Problem(
                409,
                "erasure_not_possible",
                "Not yet: " + obstacles.map(\.text).joined(separator: " "),
                faults: obstacles.map { Problem.Fault("/\($0.place)", $0.code) }
            )
        case .notRequested: Problem(409, "erasure_not_requested", "There is no open request for erasure.")
        case .requestedAlready: Problem(409, "erasure_requested", "There is an open request for erasure already.")
        case .ownRequest: Problem(403, "own_account", "Nobody decides on their own account. Ask a colleague.")
        }
    }
}
