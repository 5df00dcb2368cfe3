public import Kernel
public import PostgreSQL

/// One change of a thing's status.
public struct StatusChange: StoredRow, Entity {
    /// `sch_…`.
    public static let idPrefix = "sch"

    /// The row's id, from the caller's generator; its time chooses the partition.
    public let id: ID<StatusChange>
    /// The kind of thing: `transaction`.
    public let entity: String
    /// The thing.
    public let entityID: UInt128
    /// The thing's version after the change.
    public let version: Int64
    /// The status before; nil when the thing is new.
    public let from: String?
    /// The status after.
    public let to: String
    /// Why.
    public let reason: String?
    /// What else is known; it holds no U+0000.
    public let metadata: JSON?

    /// A change of an entity's status.
    public init<Of>(
        id: ID<StatusChange>,
        entity: String,
        entityID: ID<Of>,
        version: Int64,
        from: String?,
        to: String,
        reason: String? = nil,
        metadata: JSON? = nil
    ) {
        (self.id, self.entity, self.entityID, self.version) = (id, entity, entityID.value, version)
        (self.from, self.to, self.reason, self.metadata) = (from, to, reason, metadata)
    }

    /// True: an insert under a new id.
    public static var waitsForNobody: Bool { true }

    /// One insert into `status_history`.
    public static func store(_ rows: [StatusChange], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).status_history
                (id, entity, entity_id, version, from_status, to_status, reason, metadata, recorded_at)
            select c.*, \(at)
            from unnest(\(rows.map(\.id)), \(rows.map(\.entity)), \(rows.map(\.entityID)), \(rows.map(\.version)),
                \(rows.map(\.from)), \(rows.map(\.to)), \(rows.map(\.reason)), \(rows.map(\.metadata))) as c
            returning 1
            """
        ]
    }
}
