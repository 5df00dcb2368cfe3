public import Kernel

/// What PostgreSQL, or the way to it, answered instead of a result.
public enum PostgresError: Error, Sendable {
    /// No connection could be made; nothing was sent.
    case unreachable(String)
    /// The connection broke while the statements were under way, before a commit was among them: nothing took effect.
    case connectionLost(String)
    /// The connection broke with a commit under way, and looking did not decide it; it may have taken effect.
    case outcomeUnknown(String)
    /// The server refused a statement; its transaction took no effect.
    case refused(Refusal)
    /// No connection of the pool came free in time; nothing was sent.
    case poolExhausted(waitedSeconds: Double)
    /// The pool or connection was closed; nothing was sent.
    case closed

    /// The server's answer to a statement that failed.
    public struct Refusal: Sendable, Hashable {
        /// SQLSTATE, five characters.
        public let state: String
        /// The message.
        public let message: String
        /// The detail, or an empty text.
        public let detail: String
        /// The constraint at fault, or an empty text.
        public let constraint: String
        /// The statement's text.
        public let statement: String
        /// The character of the statement's text where the server saw the fault, 1 being the first; nil if it didn't
        /// say.
        public let position: Int?
    }

    /// The SQLSTATE of a refusal; nil for everything else.
    public var state: String? {
        guard case .refused(let refusal) = self else { return nil }
        return refusal.state
    }

    /// Whether the same transaction may go through when run again: a serialization failure or a deadlock.
    public var isRetryable: Bool { state == "40001" || state == "40P01" }

    /// Whether a conditional statement found other rows than it expected (`blocks.expect_rows`).
    public var isStale: Bool { state == "D0409" }

    /// Whether the statement broke that unique, check or exclusion constraint.
    public func violates(_ constraint: String) -> Bool {
        guard case .refused(let refusal) = self else { return false }
        return refusal.state.hasPrefix("23") && refusal.constraint == constraint
    }
}

extension PostgresError: ProblemConvertible {
    /// 503: the client may try again.
    public var problem: Problem {
        switch self {
        case .outcomeUnknown:
            Problem(
                503,
                "outcome_unknown",
                "The database went away before it answered. Repeat the request, with its Idempotency-Key.",
                retryAfterSeconds: 2
            )
        case .unreachable, .connectionLost, .poolExhausted, .closed:
            Problem(
                503,
                "database_unavailable",
                "The database can't be reached. Nothing was changed.",
                retryAfterSeconds: 2
            )
        case .refused(let refusal) where ["57014", "55P03", "57P01", "57P03", "53300"].contains(refusal.state):
            Problem(503, "database_busy", "The database is too busy. Nothing was changed.", retryAfterSeconds: 2)
        case .refused:
            Problem(500, "internal_error", "Something went wrong on our side. Nothing was changed.")
        }
    }
}
