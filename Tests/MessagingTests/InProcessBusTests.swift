import Kernel
@testable import Messaging
import PostgreSQL
import Randomness
import TestSupport
import Testing

@Suite struct InProcessBusTests {
    /// Investing's inbox, on another server's database.
    private func with(_ body: (Fixture, TestDatabase, Inbox) async throws -> Void) async throws {
        try await Fixture.with { fixture in
            try await TestDatabase.with { other in
                let inbox = Inbox(
                    pool: other.pool(.investing),
                    schema: .investing,
                    ids: fixture.ids,
                    logger: Fixture.quiet
                )
                try await body(fixture, other, inbox)
            }
        }
    }

    @Test func `a subscriber's inbox gets each event once, in order, with its envelope`() async throws {
        try await with { fixture, _, inbox in
            let bus = InProcessBus(from: .banking, to: [Subscription(inbox: inbox, types: ["banking.sent"])])
            let events = (1...20).map {
                fixture.event(3, $0, type: $0.isMultiple(of: 2) ? "banking.sent" : "banking.other")
            }
            try await fixture.commit(events)
            #expect(try await fixture.relay([bus]).drain() == 20)
            // Handed over again, as after a crash before the mark.
            _ = try await fixture.pool.query(
                "update banking.outbox_events set status = 'pending', stage = 0, published_at = null"
            )
            #expect(try await fixture.relay([bus]).drain() == 20)
            let stored = try await inbox.list(.pending)
            #expect(stored.map(\.event.sequence) == (1...10).map { $0 * 2 })
            #expect(try await inbox.conflicts().isEmpty)
            let first = try #require(stored.first).event
            #expect(first.source == "banking" && first.eventID == ID<OutboxEvent>(events[1].eventID).description)
            #expect(try CloudEvent(json: JSON.parse(first.body)).data["amount"] == "12.30")
            #expect(first.objectID == "test/\(ID<OutboxEvent>(3))" && first.origin == .event)
        }
    }

    @Test func `a subscriber that takes any order gets events that wait for none`() async throws {
        try await with { fixture, _, inbox in
            let bus = InProcessBus(from: .banking, to: [Subscription(inbox: inbox, isOrdered: false)])
            try await fixture.commit((1...3).map { fixture.event(3, $0) })
            #expect(try await fixture.relay([bus]).drain() == 3)
            let stored = try await inbox.list(.pending)
            #expect(stored.map(\.event.sequence) == [nil, nil, nil])
            #expect(stored.map(\.event.objectID) == [nil, nil, nil])
        }
    }

    @Test func `while the subscriber's server is away its events wait without an attempt`() async throws {
        try await with { fixture, other, inbox in
            let bus = InProcessBus(from: .banking, to: [Subscription(inbox: inbox)])
            let gone = Inbox(
                pool: Pool(ConnectionOptions(url: other.url + "&port=1")),
                schema: .investing,
                ids: fixture.ids,
                logger: Fixture.quiet
            )
            try await fixture.commit([fixture.event(1, 1)])
            let toNowhere = InProcessBus(from: .banking, to: [Subscription(inbox: gone)])
            #expect(try await fixture.relay([toNowhere]).drain() == 0)
            #expect(try await fixture.outbox.list(.pending).map(\.attempts) == [0])
            #expect(try await fixture.relay([bus]).drain() == 1)
            #expect(try await inbox.list(.pending).count == 1)
        }
    }

    @Test func `a handler that fails for a while gets an aggregate's events in order all the same`() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("bus flow: seed \(seed)")
        try await with { fixture, other, inbox in
            _ = try await other.pool().query(
                "create table investing.seen (place bigserial, subject text, sequence bigint)"
            )
            let random = Box(SeededRandom(seed))
            let pool = other.pool(size: 8)
            let handler = Handler(attempts: 1_000) { event in
                if random.change({ Int.random(in: 0..<3, using: &$0) }) == 0 { return .retry("dice") }
                try await pool.withTransaction { transaction in
                    _ = try await transaction.pipeline(
                        [
                            """
                            insert into investing.seen (subject, sequence)
                            values (\(event.objectID), \(event.sequence))
                            """
                        ] + ([event.mark] as [any StoredRow]).statements(in: .investing, at: event.receivedAt)
                    )
                }
                return .processed
            }
            let bus = InProcessBus(from: .banking, to: [Subscription(inbox: inbox)])
            var events: [OutboxEvent] = []
            for version in 1...15 {
                for aggregate in 1...12 { events.append(fixture.event(UInt128(aggregate), Int64(version))) }
            }
            try await fixture.commit(events)
            #expect(try await fixture.relay([bus]).drain() == 180)
            let workers = (0..<2).map { _ in
                InboxWorker(
                    inbox: Inbox(pool: pool, schema: .investing, ids: fixture.ids, logger: Fixture.quiet),
                    handlers: ["banking": handler],
                    signal: WorkSignal(.inbox, of: .investing),
                    schedule: Fixture.soon,
                    lanesMax: 5,
                    logger: Fixture.quiet
                )
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in workers { group.addTask { try await worker.run() } }
                let isDone = try await eventually {
                    try await inbox.list(.processed, limit: 1_000).count == 180
                }
                #expect(isDone)
                group.cancelAll()
            }
            let rows = try await pool.query(
                "select array_agg(sequence order by place) from investing.seen group by subject"
            )
            #expect(rows.count == 12)
            for row in rows {
                let sequences: [Int64] = try row[0]
                #expect(sequences == Array(1...15))
            }
        }
    }
}
