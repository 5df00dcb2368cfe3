public import Kernel
import PostgreSQL

/// What an erasure removed, and what stays and why: it names the user by id alone.
public struct ErasureReceipt: Entity, Sendable, Hashable {
    /// `ers_…`.
    public static let idPrefix = "ers"

    /// Something that was removed.
    public struct Removed: Hashable, Sendable {
        /// What: `identity.sessions`.
        public let what: String
        /// How many rows were deleted or emptied.
        public let rows: Int

        /// Something removed.
        public init(what: String, rows: Int) { (self.what, self.rows) = (what, rows) }
    }

    /// Something that stays.
    public struct Kept: Hashable, Sendable {
        /// What: `banking.transactions`.
        public let what: String
        /// Why.
        public let because: String

        /// Something kept.
        public init(what: String, because: String) { (self.what, self.because) = (what, because) }
    }

    /// Its id.
    public let id: ID<ErasureReceipt>
    /// Whose data was erased.
    public let user: ID<User>
    /// Who approved it, in words of the audit log.
    public let erasedBy: String
    /// When.
    public let erasedAt: Timestamp
    /// What went.
    public let removed: [Removed]
    /// What stays.
    public let kept: [Kept]

    /// The receipt for people and programs.
    public var json: JSON {
        [
            "id": .string(id.wire), "user": .string(user.wire), "erased_by": .string(erasedBy),
            "erased_at": .string(erasedAt.description), "removed": removedJSON, "kept": keptJSON,
        ]
    }

    var removedJSON: JSON { .array(removed.map { ["what": .string($0.what), "rows": .integer($0.rows)] }) }

    var keptJSON: JSON { .array(kept.map { ["what": .string($0.what), "because": .string($0.because)] }) }

    init(
        id: ID<ErasureReceipt>,
        user: ID<User>,
        erasedBy: String,
        erasedAt: Timestamp,
        removed: [Removed],
        kept: [Kept]
    ) {
        (self.id, self.user, self.erasedBy, self.erasedAt) = (id, user, erasedBy, erasedAt)
        (self.removed, self.kept) = (removed, kept)
    }

    /// Reads id, user, by, at, removed and kept.
    init(_ row: Row) throws {
        let (removed, kept): (JSON, JSON) = (try row[4], try row[5])
        (id, user, erasedBy, erasedAt) = (try row[0], try row[1], try row[2], try row[3])
        self.removed = (removed.elements ?? []).map {
            Removed(what: $0["what"]?.stringValue ?? "", rows: $0["rows"]?.integerValue ?? 0)
        }
        self.kept = (kept.elements ?? []).map {
            Kept(what: $0["what"]?.stringValue ?? "", because: $0["because"]?.stringValue ?? "")
        }
    }

    /// The statement that stores it.
    func store(for request: ID<ErasureRequest>) -> SQL {
        """
        insert into platform.erasure_receipts (id, user_id, request, erased_by, erased_at, removed, kept)
        values (\(id), \(user), \(request), \(erasedBy), \(erasedAt), \(removedJSON), \(keptJSON))
        """
    }
}
