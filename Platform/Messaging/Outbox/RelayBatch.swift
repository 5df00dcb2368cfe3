/// The events of one pass of a relay and how far each came: a value without I/O.
///
/// Transports are stages that an event passes in order. An ordered event never enters a stage before the earlier events
/// of its aggregate have passed it.
struct RelayBatch {
    /// What became of one event.
    struct Entry {
        let record: OutboxRecord
        /// Transports that have taken it.
        var stage: Int
        /// The first stage that it may not enter, since an earlier event of its aggregate has not passed it.
        var barrier: Int
        /// Why the transport at `stage` refused it.
        var refusal: String?
    }

    private(set) var entries: [Entry]

    /// A batch of claimed events; `barrier` of a claim is the lowest stage of an earlier event outside the batch.
    init(_ claims: [(record: OutboxRecord, barrier: Int?)], stages: Int) {
        let claims = RelayBatch.inVersionOrder(claims)
        entries = claims.map { claim in
            Entry(record: claim.record, stage: claim.record.stage, barrier: min(claim.barrier ?? stages, stages))
        }
    }

    /// Positions of the events that may enter a stage now, in order.
    func ready(for stage: Int) -> [Int] {
        entries.indices.filter { mayEnter(stage, $0) }
    }

    /// Whether an event may enter a stage now; a refusal of an earlier one may have changed it.
    func mayEnter(_ stage: Int, _ position: Int) -> Bool {
        let entry = entries[position]
        return entry.stage == stage && entry.barrier > stage && entry.refusal == nil
    }

    /// The transport of a stage took these events.
    mutating func taken(_ positions: some Sequence<Int>, by stage: Int) {
        for position in positions { entries[position].stage = stage + 1 }
    }

    /// The transport of a stage refused one event: later ones of its aggregate stay behind it.
    mutating func refused(_ position: Int, by stage: Int, because reason: String) {
        entries[position].refusal = reason
        let record = entries[position].record
        guard record.isOrdered else { return }
        for later in entries.indices.dropFirst(position + 1) where entries[later].record.follows(record) {
            entries[later].barrier = min(entries[later].barrier, stage)
        }
    }

    /// The transport of a stage is away: nothing ready for it moves on.
    mutating func halted(at stage: Int) {
        for position in entries.indices { entries[position].barrier = min(entries[position].barrier, stage) }
    }

    /// Ids are minted by several processes, whose clocks differ; within an aggregate the version decides.
    private static func inVersionOrder(
        _ claims: [(record: OutboxRecord, barrier: Int?)]
    ) -> [(record: OutboxRecord, barrier: Int?)] {
        var places: [OutboxRecord.Aggregate: [Int]] = [:]
        for (place, claim) in claims.enumerated() { places[claim.record.aggregate, default: []].append(place) }
        var ordered = claims
        for taken in places.values where taken.count > 1 {
            let sorted = taken.map { claims[$0] }.sorted { $0.record.version < $1.record.version }
            for (place, claim) in zip(taken, sorted) { ordered[place] = claim }
        }
        return ordered
    }
}

extension OutboxRecord {
    /// What events of one order share.
    struct Aggregate: Hashable {
        let type: String
        let id: UInt128
    }

    var aggregate: Aggregate { Aggregate(type: aggregateType, id: aggregateID) }

    /// Whether it must not be published before another one.
    func follows(_ other: OutboxRecord) -> Bool {
        isOrdered && version > other.version && aggregate == other.aggregate
    }
}
