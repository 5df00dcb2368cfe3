public import Kernel
public import PostgreSQL

/// A user's wish to be forgotten, and what became of it.
public struct ErasureRequest: Entity, Sendable, Hashable {
    /// `erq_…`.
    public static let idPrefix = "erq"

    /// How far it is.
    public enum Status: String, Sendable, CaseIterable, SQLEncodable, SQLDecodable {
        /// To be decided.
        case open
        /// The user has changed their mind.
        case withdrawn
        /// An operator has refused it.
        case refused
        /// It was approved and done.
        case erased
    }

    /// Its id.
    public let id: ID<ErasureRequest>
    /// Who is to be forgotten.
    public let user: ID<User>
    /// How far it is.
    public let status: Status
    /// When it was made.
    public let requestedAt: Timestamp
    /// When it was decided or withdrawn.
    public let decidedAt: Timestamp?
    /// Why it was refused.
    public let reason: String?

    static let columns: SQL = "id, user_id, status, requested_at, decided_at, reason"

    init(_ row: Row) throws(DecodingFailure) {
        (id, user, status) = (try row[0], try row[1], try row[2])
        (requestedAt, decidedAt, reason) = (try row[3], try row[4], try row[5])
    }

    /// The request for clients.
    public var json: JSON {
        [
            "id": .string(id.wire), "user": .string(user.wire), "status": .string(status.rawValue),
            "requested_at": .string(requestedAt.description),
            "decided_at": decidedAt.map { .string($0.description) } ?? .null,
            "reason": reason.map { .string($0) } ?? .null,
        ]
    }
}
