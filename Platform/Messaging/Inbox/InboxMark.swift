public import Kernel
public import PostgreSQL

/// Marks a claimed event as handled, in the transaction of its effect.
///
/// If the claim is no longer the worker's, because its lease ended and another took over, the mark touches nothing and
/// the effect's batch is rolled back.
public struct InboxMark: StoredRow {
    /// The event.
    public let id: ID<InboxEvent>
    /// The number of the claim.
    public let token: Int64

    /// One update, of rows in id order.
    public static func store(_ rows: [InboxMark], in schema: Schema, at: Timestamp) -> [SQL] {
        let rows = rows.sorted { $0.id < $1.id }
        return [
            """
            update \(schema).inbox i
            set status = 'processed', due_at = null, reason = null, finished_at = \(at)
            from unnest(\(rows.map(\.id)), \(rows.map(\.token))) as m (id, token)
            where i.id = m.id and i.token = m.token and i.status = 'running'
            returning 1
            """
        ]
    }
}

/// Has the parked events of an object handled, in the transaction that makes the object known.
public struct InboxUnpark: StoredRow {
    /// Who sent them.
    public let source: String
    /// The sender's id of the object.
    public let objectID: String

    /// The events of an object of a source.
    public init(source: String, objectID: String) { (self.source, self.objectID) = (source, objectID) }

    /// False: often nothing is parked.
    public static var mustTouchEachRow: Bool { false }

    /// One update, of rows locked in id order.
    ///
    /// An event that is being handled meanwhile is left alone, as it may be this transaction that handles it; parked
    /// after all, it finds the object by its own next look.
    public static func store(_ rows: [InboxUnpark], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            with parked as (
                select i.id
                from unnest(\(rows.map(\.source)), \(rows.map(\.objectID))) as o (source, object_id)
                join \(schema).inbox i on i.source = o.source and i.object_id = o.object_id
                    and i.status in ('running', 'parked')
                where i.status = 'parked'
                order by i.id
                for no key update of i
            )
            update \(schema).inbox i
            set status = 'pending', due_at = \(at), attempts = 0, reason = null
            from parked p
            where i.id = p.id and i.status = 'parked'
            """
        ]
    }
}
