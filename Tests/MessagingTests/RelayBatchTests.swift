import Kernel
@testable import Messaging
import Testing

@Suite struct RelayBatchTests {
    private func record(_ aggregate: UInt128, _ version: Int64, ordered: Bool = true, stage: Int = 0) -> OutboxRecord {
        OutboxRecord(
            id: ID(aggregate << 64 | UInt128(version)),
            eventID: 0,
            aggregateType: "t",
            aggregateID: aggregate,
            version: version,
            type: "x",
            typeVersion: 1,
            payload: [:],
            isOrdered: ordered,
            correlation: nil,
            causation: nil,
            traceparent: nil,
            recordedAt: Timestamp(seconds: 0),
            status: .pending,
            stage: stage,
            attempts: 0,
            nextAt: nil,
            lastError: nil
        )
    }

    private func batch(_ records: [OutboxRecord], stages: Int = 2, barrier: Int? = nil) -> RelayBatch {
        RelayBatch(records.map { ($0, barrier) }, stages: stages)
    }

    @Test func `within an aggregate the version decides, whatever the ids say`() {
        let batch = batch([record(1, 3), record(2, 1), record(1, 1), record(1, 2)])
        #expect(batch.entries.map(\.record.version) == [1, 1, 2, 3])
        #expect(batch.entries.map(\.record.aggregateID) == [1, 2, 1, 1])
    }

    @Test func `events pass the transports one after the other`() {
        var batch = batch([record(1, 1), record(2, 1)])
        #expect(batch.ready(for: 0) == [0, 1] && batch.ready(for: 1).isEmpty)
        batch.taken([0, 1], by: 0)
        #expect(batch.ready(for: 0).isEmpty && batch.ready(for: 1) == [0, 1])
    }

    @Test func `a refused event holds back the later ones of its aggregate there and nowhere else`() {
        var batch = batch([record(1, 1), record(1, 2), record(2, 1)])
        batch.taken([0, 1, 2], by: 0)
        batch.refused(0, by: 1, because: "no")
        #expect(batch.ready(for: 1) == [2])
        #expect(batch.entries.map(\.stage) == [1, 1, 1])
    }

    @Test func `an unordered event passes a refused one`() {
        var batch = batch([record(1, 1, ordered: false), record(1, 2, ordered: false), record(1, 3)])
        batch.refused(0, by: 0, because: "no")
        #expect(batch.ready(for: 0) == [1, 2])
    }

    @Test func `behind an event outside the batch one comes as far as that one came`() {
        let batch = batch([record(1, 2)], stages: 3, barrier: 1)
        #expect(batch.ready(for: 0) == [0])
        #expect(!batch.mayEnter(1, 0))
    }

    @Test func `nothing passes a transport that is away`() {
        var batch = batch([record(1, 1), record(2, 1)])
        batch.taken([0, 1], by: 0)
        batch.halted(at: 1)
        #expect(batch.ready(for: 1).isEmpty)
    }
}
