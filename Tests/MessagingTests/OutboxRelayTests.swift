import EmbeddedServers
import Kernel
@testable import Messaging
import PostgreSQL
import Randomness
import Redis
import TestSupport
import Testing

extension Fixture {
    func event(
        _ aggregate: UInt128,
        _ version: Int64,
        type: String = "banking.test.done",
        order: OutboxEvent.Order = .ordered
    ) -> OutboxEvent {
        OutboxEvent(
            id: ids.next(),
            aggregateType: "test",
            aggregate: ID<OutboxEvent>(aggregate),
            version: version,
            type: type,
            payload: ["version": .integer(version), "amount": "12.30"],
            order: order,
            correlation: 7,
            traceparent: "00-a-b-01"
        )
    }

    func relay(
        _ transports: [any EventTransport],
        policy: OutboxPolicy = Fixture.policy(3),
        pool: Pool? = nil
    ) -> OutboxRelay {
        OutboxRelay(
            pool: pool ?? self.pool,
            schema: schema,
            transports: transports,
            signal: WorkSignal(.outbox, of: schema),
            policy: policy,
            logger: Fixture.quiet
        )
    }

    static func policy(_ attemptsMax: Int, _ schedule: RetrySchedule = Fixture.soon) -> OutboxPolicy {
        var policy = OutboxPolicy()
        (policy.attemptsMax, policy.schedule) = (attemptsMax, schedule)
        return policy
    }
}

@Suite struct OutboxRelayTests {
    @Test func `an event is published with all that was stored`() async throws {
        try await Fixture.with { fixture in
            let event = fixture.event(5, 1)
            try await fixture.commit([event])
            let transport = RecordingTransport()
            #expect(try await fixture.relay([transport]).drain() == 1)
            let published = try #require(transport.state.current.events.first)
            #expect(published.id == ID<OutboxEvent>(event.eventID).description)
            #expect(published.source == "/diboas/banking" && published.type == "banking.test.done.v1")
            #expect(
                published.data == ["amount": "12.30", "version": .integer(1)] || published.data["amount"] == "12.30"
            )
            #expect(published.correlation == ID<OutboxEvent>(7).description && published.causation == nil)
            #expect(published.traceparent == "00-a-b-01" && published.sequence == 1)
            let record = try #require(try await fixture.outbox.show(event.id))
            #expect(record.status == .published && record.stage == 1)
            #expect(try await fixture.relay([transport]).drain() == 0)
            #expect(
                try await fixture.outbox.backlog()
                    == Outbox.Backlog(unpublished: 0, dead: 0, oldestUnpublishedSeconds: 0)
            )
        }
    }

    @Test func `events stored in any order are published in their aggregate's order`() async throws {
        try await Fixture.with { fixture in
            var events: [OutboxEvent] = []
            for aggregate in 1...50 {
                for version in 1...60 { events.append(fixture.event(UInt128(aggregate), Int64(version))) }
            }
            events.shuffle()
            try await fixture.commit(events)
            let transport = RecordingTransport()
            #expect(try await fixture.relay([transport]).drain() == 3_000)
            #expect(transport.firstSeen.count == 50)
            #expect(transport.firstSeen.values.allSatisfy { $0 == Array(1...60) })
            #expect(transport.state.current.events.count == 3_000)
        }
    }

    @Test func `a refused event is tried on the schedule, then it is dead, and its aggregate waits`() async throws {
        try await Fixture.with { fixture in
            let transport = RecordingTransport()
            transport.state.change { $0.refusedTypes = ["bad.v1"] }
            let bad = fixture.event(1, 2, type: "bad")
            try await fixture.commit([fixture.event(1, 1), bad, fixture.event(1, 3), fixture.event(2, 1)])
            #expect(try await fixture.relay([transport], policy: Fixture.policy(1)).drain() == 2)
            #expect(transport.firstSeen[ID<OutboxEvent>(1).description] == [1])
            #expect(try await fixture.outbox.show(bad.id)?.status == .dead)
            #expect(try await fixture.outbox.show(bad.id)?.lastError == "recording: bad.v1")
            #expect(try await fixture.outbox.backlog().dead == 1)
            // The one behind it is put off, so it doesn't fill claims, and comes back when the operator decides.
            let relay = fixture.relay([transport])
            #expect(try await relay.drain() == 0)
            #expect(try await fixture.outbox.list(.failed).map(\.version) == [3])
            transport.state.change { $0.refusedTypes = [] }
            #expect(try await fixture.outbox.replay(bad.id))
            #expect(try await relay.drain() == 2)
            #expect(transport.firstSeen[ID<OutboxEvent>(1).description] == [1, 2, 3])
        }
    }

    @Test func `a dead event that is dropped lets its aggregate go on`() async throws {
        try await Fixture.with { fixture in
            let transport = RecordingTransport()
            transport.state.change { $0.refusedTypes = ["bad.v1"] }
            let bad = fixture.event(1, 1, type: "bad")
            try await fixture.commit([bad, fixture.event(1, 2)])
            let relay = fixture.relay([transport], policy: Fixture.policy(1))
            #expect(try await relay.drain() == 0)
            #expect(try await relay.drain() == 0)
            #expect(try await fixture.outbox.drop(bad.id, reason: "never mind"))
            #expect(try await !fixture.outbox.drop(bad.id, reason: "again"))
            #expect(try await relay.drain() == 1)
            #expect(try await fixture.outbox.list(.dropped).map(\.lastError) == ["never mind"])
        }
    }

    @Test func `unordered events pass a dead one`() async throws {
        try await Fixture.with { fixture in
            let transport = RecordingTransport()
            transport.state.change { $0.refusedTypes = ["bad.v1"] }
            try await fixture.commit([
                fixture.event(1, 1, type: "bad", order: .unordered), fixture.event(1, 2, order: .unordered),
            ])
            #expect(try await fixture.relay([transport], policy: Fixture.policy(1)).drain() == 1)
            try await fixture.commit([fixture.event(1, 3, order: .unordered)])
            #expect(try await fixture.relay([transport]).drain() == 1)
        }
    }

    @Test func `a transport that is away holds up no other, counts no attempt, and catches up in order`() async throws {
        try await Fixture.with { fixture in
            let (bus, stream) = (RecordingTransport("bus"), RecordingTransport("stream"))
            stream.state.change { $0.isAway = true }
            try await fixture.commit([fixture.event(1, 1), fixture.event(2, 1)])
            #expect(try await fixture.relay([bus, stream]).drain() == 0)
            try await fixture.commit([fixture.event(1, 2)])
            #expect(try await fixture.relay([bus, stream]).drain() == 0)
            #expect(bus.firstSeen[ID<OutboxEvent>(1).description] == [1, 2])
            #expect(bus.state.current.events.count == 3, "the first is handed over once")
            #expect(try await fixture.outbox.list(.pending).map(\.attempts) == [0, 0, 0])
            stream.state.change { $0.isAway = false }
            try await fixture.commit([fixture.event(1, 3)])
            _ = try await fixture.relay([bus, stream]).drain()
            _ = try await fixture.relay([bus, stream]).drain()
            #expect(stream.firstSeen[ID<OutboxEvent>(1).description] == [1, 2, 3])
            #expect(stream.firstSeen.count == 2)
            #expect(try await fixture.outbox.backlog().unpublished == 0)
        }
    }

    @Test func `two relays side by side, refusals and sessions that die keep each aggregate's order`() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("relay flow: seed \(seed)")
        try await Fixture.with(poolSize: 12) { fixture in
            let transport = RecordingTransport()
            var flaky = transport
            let random = Box(SeededRandom(seed))
            flaky.before = { (_) async throws(EventTransportError) -> Void in
                let throwDice = random.change { Int.random(in: 0..<12, using: &$0) }
                switch throwDice {
                case 0: throw .refused("dice")
                case 1: throw .unavailable("dice")
                case 2:
                    // The relay dies between two steps: its locks go, its marks never come.
                    _ = try? await fixture.pool.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and state = 'idle in transaction' limit 1
                        """
                    )
                default: break
                }
            }
            let relays = [
                fixture.relay([flaky], policy: Fixture.policy(1_000)),
                fixture.relay([flaky], policy: Fixture.policy(1_000)),
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for relay in relays {
                    group.addTask {
                        while !Task.isCancelled { _ = try? await relay.drain() }
                    }
                }
                for round in 0..<40 {
                    let inOrder = (1...20).flatMap { aggregate in
                        (1...3).map { fixture.event(UInt128(aggregate), Int64(round * 3 + $0)) }
                    }
                    let events = random.change { inOrder.shuffled(using: &$0) }
                    while true {
                        do {
                            try await fixture.commit(events)
                            break
                        } catch let error as PostgresError where error.state == nil || error.state == "57P01" {
                            continue
                        }
                    }
                }
                let isEmpty = try await eventually { try await fixture.outbox.backlog().unpublished == 0 }
                #expect(isEmpty)
                group.cancelAll()
            }
            #expect(transport.firstSeen.count == 20)
            #expect(transport.firstSeen.values.allSatisfy { $0 == Array(1...120) })
        }
    }

    @Test func `Redis gets the events in a stream, and none is lost while it is away`() async throws {
        try await Fixture.with { fixture in
            try await TestRedis.withServer { server in
                let client = try RedisClient(url: server.url, logger: Fixture.quiet)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await client.run() }
                    #expect(await client.waitUntilConnected(timeoutSeconds: 120))
                    let transport = RedisStreamTransport(client: client, schema: .banking)
                    try await fixture.commit((1...450).map { fixture.event(1, $0) })
                    #expect(try await fixture.relay([transport]).drain() == 450)
                    let entries = try await client.command(["XRANGE", "events:banking", "-", "+"]).elements ?? []
                    let sequences = try entries.map { entry -> Int64 in
                        let fields = entry.elements?.last?.elements ?? []
                        return try CloudEvent(json: JSON.parse(fields.last?.bytes ?? [])).sequence
                    }
                    #expect(sequences == Array(1...450))
                    await server.stop()
                    let isGone = try await eventually { !client.isConnected }
                    #expect(isGone)
                    try await fixture.commit([fixture.event(1, 451)])
                    #expect(try await fixture.relay([transport]).drain() == 0)
                    #expect(try await fixture.outbox.list(.pending).map(\.attempts) == [0])
                    group.cancelAll()
                }
            }
        }
    }

    @Test func `a published event is published again on demand`() async throws {
        try await Fixture.with { fixture in
            let transport = RecordingTransport()
            let event = fixture.event(1, 1)
            try await fixture.commit([event])
            #expect(try await fixture.relay([transport]).drain() == 1)
            #expect(try await fixture.outbox.replay(event.id))
            #expect(try await !fixture.outbox.replay(event.id), "it waits already")
            #expect(try await fixture.relay([transport]).drain() == 1)
            #expect(Set(transport.state.current.events.map(\.id)).count == 1)
        }
    }
}
