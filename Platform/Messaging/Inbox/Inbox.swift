public import Kernel
public import Logging
import Metrics
public import PostgreSQL

/// A schema's inbox: what others told it, kept before it is understood and handled once.
public struct Inbox: Sendable {
    /// Arrivals stored by one statement.
    public static let arrivalsMax = 2_000
    private static let lookupsMax = 3

    let pool: Pool
    /// The schema that owns it.
    public let schema: Schema
    private let ids: IDGenerator
    private let logger: Logger

    /// The inbox of a schema.
    public init(pool: Pool, schema: Schema, ids: IDGenerator, logger: Logger) {
        (self.pool, self.schema, self.ids, self.logger) = (pool, schema, ids, logger)
    }

    /// Keeps one arrival and says whether it is new, committed on return.
    public func put(_ arrival: InboxArrival) async throws -> InboxReceipt { try await put([arrival])[0] }

    /// Keeps arrivals in their order and answers for each.
    ///
    /// An event id that is there with the same body is a duplicate and changes nothing. With another body it is a
    /// conflict: the newcomer is kept beside, logged as an error and counted in `inbox_conflicts_total`. Idempotent.
    ///
    /// - Throws: a `PostgresError`; then a part of the arrivals may have been stored.
    public func put(_ arrivals: [InboxArrival]) async throws -> [InboxReceipt] {
        var receipts: [InboxReceipt] = []
        var start = 0
        while start < arrivals.count {
            let end = min(start + Inbox.arrivalsMax, arrivals.count)
            receipts += try await putPage(arrivals[start..<end])
            start = end
        }
        report(arrivals, receipts)
        return receipts
    }

    private struct Key: Hashable {
        let source: String
        let eventID: String
    }

    private func putPage(_ arrivals: ArraySlice<InboxArrival>) async throws -> [InboxReceipt] {
        var firsts: [Key: [UInt8]] = [:]
        var rows: [(position: Int, arrival: InboxArrival, digest: [UInt8])] = []
        var receipts: [Int: InboxReceipt] = [:]
        for (position, arrival) in arrivals.enumerated() {
            let key = Key(source: arrival.source, eventID: arrival.eventID)
            let digest = arrival.digest
            // Within one statement a row can't meet the row before it; equal bodies are settled here, others by a
            // second round.
            if let first = firsts[key], first == digest {
                receipts[position] = .duplicate
            } else {
                if firsts[key] == nil { firsts[key] = digest }
                rows.append((position, arrival, digest))
            }
        }
        // An event that another transaction stored meanwhile is in the way and yet not in the statement's snapshot: the
        // next statement sees it.
        for _ in 0..<Inbox.lookupsMax where !rows.isEmpty {
            for (index, receipt) in try await store(rows) { receipts[rows[index].position] = receipt }
            rows.removeAll { receipts[$0.position] != nil }
        }
        return try arrivals.indices.map { index in
            guard let receipt = receipts[index - arrivals.startIndex] else {
                throw PostgresError.connectionLost("an event of the inbox was neither stored nor found")
            }
            return receipt
        }
    }

    private func store(
        _ rows: [(position: Int, arrival: InboxArrival, digest: [UInt8])]
    ) async throws -> [(Int, InboxReceipt)] {
        let arrivals = rows.map(\.arrival)
        let newIDs: [ID<InboxEvent>] = arrivals.map { _ in ids.next() }
        let answers = try await pool.query(
            """
            with arrived as materialized (
                select *
                from unnest(\(newIDs), \(arrivals.map(\.source)), \(arrivals.map(\.eventID)), \(arrivals.map(\.type)),
                    \(arrivals.map(\.objectID)), \(arrivals.map(\.sequence)), \(arrivals.map(\.origin)),
                    \(arrivals.map(\.headers)), \(arrivals.map { Bytes($0.body) }), \(rows.map { Bytes($0.digest) }))
                    with ordinality
                    as a (id, source, event_id, type, object_id, sequence, origin, headers, body, digest, place)
            ), stored as (
                insert into \(schema).inbox
                    (id, source, event_id, type, object_id, sequence, origin, headers, body, digest)
                select id, source, event_id, type, object_id, sequence, origin, headers, body, digest
                from arrived
                order by place
                on conflict (source, event_id) do nothing
                returning id
            ), earlier as (
                select a.place, i.digest = a.digest or i.origin <> a.origin as is_same
                from arrived a
                join \(schema).inbox i on i.source = a.source and i.event_id = a.event_id
            ), conflicts as (
                insert into \(schema).inbox_conflicts (source, event_id, digest, headers, body)
                select distinct on (a.source, a.event_id, a.digest) a.source, a.event_id, a.digest, a.headers, a.body
                from earlier e
                join arrived a on a.place = e.place
                where not e.is_same
                order by a.source, a.event_id, a.digest
                on conflict (source, event_id, digest) do update
                set seen = inbox_conflicts.seen + 1, last_seen_at = clock_timestamp()
            )
            select a.place - 1 as place,
                case when s.id is not null then 'stored' when e.is_same then 'duplicate' else 'conflict' end as receipt
            from arrived a
            left join stored s on s.id = a.id
            left join earlier e on e.place = a.place
            where s.id is not null or e.place is not null
            """
        )
        return try answers.map { row in
            let receipt: String = try row[1]
            return (try row[0], InboxReceipt(rawValue: receipt) ?? .conflict)
        }
    }

    private func report(_ arrivals: [InboxArrival], _ receipts: [InboxReceipt]) {
        var counts: [String: [InboxReceipt: Int]] = [:]
        for (arrival, receipt) in zip(arrivals, receipts) {
            counts[arrival.source, default: [:]][receipt, default: 0] += 1
            guard receipt == .conflict else { continue }
            logger.error(
                "an event came again with another body",
                metadata: ["source": "\(arrival.source)", "event": "\(arrival.eventID)", "schema": "\(schema)"]
            )
        }
        for (source, receipts) in counts {
            let dimensions = [("schema", schema.name), ("source", source)]
            for (receipt, count) in receipts {
                Counter(label: "inbox_received_total", dimensions: dimensions + [("result", receipt.rawValue)])
                    .increment(by: count)
            }
            if let conflicts = receipts[.conflict] {
                Counter(label: "inbox_conflicts_total", dimensions: dimensions).increment(by: conflicts)
            }
        }
    }
}

/// Puts many callers' arrivals into an inbox by one statement: `GroupCommit(InboxIntake(inbox), …)` for webhooks.
public struct InboxIntake: BatchCommitter {
    private let inbox: Inbox

    /// An intake into an inbox.
    public init(_ inbox: Inbox) { self.inbox = inbox }

    /// Keeps the arrivals and answers for each.
    public func commit(_ items: [InboxArrival]) async throws -> [InboxReceipt] { try await inbox.put(items) }
}
