public import Kernel
public import PostgreSQL

extension AuditEntry: StoredRow {
    /// False: the statement counts its rows itself.
    public static var mustTouchEachRow: Bool { false }

    /// One statement: it moves the chain's head once for all entries and inserts them under the batch's number.
    ///
    /// It locks the head's only row until the commit, so that batches of a schema commit one after the other; it
    /// belongs at a batch's end. The entries of a batch must come in one call.
    public static func store(_ rows: [AuditEntry], in schema: Schema, at: Timestamp) -> [SQL] {
        let digests = rows.map { AuditDigest.of($0, recordedAt: at) }
        let batch = Bytes(AuditDigest.of(rows: digests))
        return [
            """
            with moved as (
                update \(schema).audit_chain
                set batch = batch + 1, head = sha256(head || \(batch))
                returning batch, head
            ), noted as (
                insert into \(schema).audit_batches (batch, entries, digest, head, recorded_at)
                select batch, \(rows.count), \(batch), head, \(at)
                from moved
            ), logged as (
                insert into \(schema).audit_log (id, batch, place, recorded_at, actor, action, entity, entity_id,
                    before, after, ip, user_agent, session, correlation, digest)
                select e.id, m.batch, e.place, \(at), e.actor, e.action, e.entity, e.entity_id, e.before, e.after, e.ip,
                    e.user_agent, e.session, e.correlation, e.digest
                from moved m
                cross join unnest(\(rows.map(\.id)), \(rows.map(\.actor)), \(rows.map(\.action)), \(rows.map(\.entity)),
                    \(rows.map(\.entityID)), \(rows.map(\.before)), \(rows.map(\.after)), \(rows.map(\.ip)),
                    \(rows.map(\.userAgent)), \(rows.map(\.session)), \(rows.map(\.correlation)),
                    \(digests.map(Bytes.init))) with ordinality
                    as e (id, actor, action, entity, entity_id, before, after, ip, user_agent, session, correlation,
                    digest, place)
                returning 1
            )
            select blocks.expect_rows(count(*), \(rows.count)) from logged
            """
        ]
    }
}
