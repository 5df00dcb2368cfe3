public import Kernel
public import PostgreSQL

extension OutboxEvent {
    /// True: an insert under a new id.
    public static var waitsForNobody: Bool { true }

    /// One insert.
    ///
    /// It sends no notification: raise the schema's `WorkSignal` once the batch is committed.
    public static func store(_ rows: [OutboxEvent], in schema: Schema, at: Timestamp) -> [SQL] {
        let aggregateTypes = rows.map(\.aggregateType)
        let typeVersions = rows.map { Int64($0.typeVersion) }
        return [
            """
            insert into \(schema).outbox_events (id, event_id, aggregate_type, aggregate_id, version, type,
                type_version, payload, is_ordered, correlation, causation, traceparent, recorded_at)
            select e.*, \(at)
            from unnest(\(rows.map(\.id)), \(rows.map(\.eventID)), \(aggregateTypes), \(rows.map(\.aggregateID)),
                \(rows.map(\.version)), \(rows.map(\.type)), \(typeVersions), \(rows.map(\.payload)),
                \(rows.map { $0.order == .ordered }), \(rows.map(\.correlation)), \(rows.map(\.causation)),
                \(rows.map(\.traceparent))) as e
            returning 1
            """
        ]
    }
}
