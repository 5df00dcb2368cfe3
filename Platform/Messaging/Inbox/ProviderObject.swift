public import Kernel
public import PostgreSQL

/// The state of an object at a provider as one event tells it, comparable with what other events tell.
///
/// States have a total order, so that whatever way events arrive in, the same one is left at the end: a final state is
/// newer than any that isn't, then the later `created` counts, then the higher `rank`, then the name.
public struct ProviderState: Hashable, Sendable, Comparable {
    /// The provider's word: `succeeded`.
    public let name: String
    /// How far the state is in the object's life; decides between events of the same instant.
    public let rank: Int
    /// Whether the object's life ends with it; only another final state follows.
    public let isFinal: Bool
    /// When it came about, by the provider's clock.
    public let created: Timestamp

    /// A state as an event tells it.
    public init(_ name: String, rank: Int, isFinal: Bool, created: Timestamp) {
        (self.name, self.rank, self.isFinal, self.created) = (name, rank, isFinal, created)
    }

    /// Whether the right one is newer.
    public static func < (left: ProviderState, right: ProviderState) -> Bool {
        if left.isFinal != right.isFinal { return right.isFinal }
        if left.created != right.created { return left.created < right.created }
        if left.rank != right.rank { return left.rank < right.rank }
        return left.name < right.name
    }
}

/// What is known of an object at a provider.
public struct ProviderObject: Sendable, Hashable {
    /// Who sent it.
    public let source: String
    /// The sender's id of the object.
    public let objectID: String
    /// The newest known state; nil before the first.
    public let state: ProviderState?
    /// Counts the changes; 0 before the first.
    public let version: Int64

    /// An object; the version goes with the state.
    public init(source: String, objectID: String, state: ProviderState?, version: Int64) {
        (self.source, self.objectID, self.state, self.version) = (source, objectID, state, version)
    }

    /// The row to commit when an event tells `told`; nil when that is not newer than what is known.
    public func merging(_ told: ProviderState) -> ProviderObjectChange? {
        if let state, told <= state { return nil }
        return ProviderObjectChange(source: source, objectID: objectID, state: told, expectedVersion: version)
    }
}

/// The newer state of an object, to be committed with the event's effect and mark.
///
/// It is conditional on the version that the decision was made on; a batch with a change that comes too late is rolled
/// back.
public struct ProviderObjectChange: StoredRow, Hashable {
    /// Who sent it.
    public let source: String
    /// The sender's id of the object.
    public let objectID: String
    /// The newer state.
    public let state: ProviderState
    /// The version that is there now; 0 for none.
    public let expectedVersion: Int64

    /// One insert or update.
    public static func store(_ rows: [ProviderObjectChange], in schema: Schema, at: Timestamp) -> [SQL] {
        let (states, objects) = (rows.map(\.state), rows.map(\.objectID))
        return [
            """
            insert into \(schema).inbox_objects as o
                (source, object_id, state, rank, is_final, provider_created, version, changed_at)
            select c.source, c.object_id, c.state, c.rank, c.is_final, c.created, c.expected + 1, \(at)
            from unnest(\(rows.map(\.source)), \(objects), \(states.map(\.name)), \(states.map { Int64($0.rank) }),
                \(states.map(\.isFinal)), \(states.map(\.created)), \(rows.map(\.expectedVersion)))
                as c (source, object_id, state, rank, is_final, created, expected)
            left join \(schema).inbox_objects e on e.source = c.source and e.object_id = c.object_id
            where coalesce(e.version, 0) = c.expected
            order by c.source, c.object_id
            on conflict (source, object_id) do update
            set state = excluded.state, rank = excluded.rank, is_final = excluded.is_final,
                provider_created = excluded.provider_created, version = excluded.version,
                changed_at = excluded.changed_at
            where o.version = excluded.version - 1
            returning 1
            """
        ]
    }
}

extension Inbox {
    /// What is known of an object; version 0 when nothing is.
    public func object(source: String, objectID: String) async throws -> ProviderObject {
        let rows = try await pool.query(
            """
            select state, rank, is_final, provider_created, version
            from \(schema).inbox_objects
            where source = \(source) and object_id = \(objectID)
            """
        )
        guard let row = rows.first else {
            return ProviderObject(source: source, objectID: objectID, state: nil, version: 0)
        }
        let state = ProviderState(try row[0], rank: try row[1], isFinal: try row[2], created: try row[3])
        return ProviderObject(source: source, objectID: objectID, state: state, version: try row[4])
    }
}
