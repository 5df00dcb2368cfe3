import Kernel
@testable import Messaging
import PostgreSQL
import ServiceLifecycle
import Testing

@Suite struct InboxWorkerTests {
    /// Commits the effect and the mark together.
    private func effect(_ fixture: Fixture) -> Handler {
        Handler { event in
            try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
            return .processed
        }
    }

    @Test func `an event takes effect once and is processed`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put((0..<100).map { fixture.arrival("e\($0)") })
            try await fixture.worker(effect(fixture)).drain()
            #expect(try await Set(fixture.effects()) == Set((0..<100).map { "e\($0)" }))
            #expect(try await fixture.effects().count == 100)
            #expect(try await fixture.inbox.list(.processed).count == 100)
        }
    }

    @Test func `an event is handled as soon as it is signalled`() async throws {
        try await Fixture.with { fixture in
            let signal = WorkSignal(.inbox, of: .banking)
            let worker = fixture.worker(effect(fixture), signal: signal)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                for number in 0..<5 {
                    _ = try await fixture.inbox.put(fixture.arrival("e\(number)"))
                    signal.raise()
                    let isHandled = try await eventually { try await fixture.effects().count == number + 1 }
                    #expect(isHandled)
                }
                group.cancelAll()
            }
        }
    }

    @Test(arguments: ["before", "after", "without mark", "killed"])
    func `a handler that breaks anywhere leaves one effect`(point: String) async throws {
        try await Fixture.with { fixture in
            let tries = Box(0)
            let handler = Handler { event in
                let isFirst = tries.change { tries in
                    tries += 1
                    return tries == 1
                }
                let effect = Effect(event: event.id.value, note: event.eventID)
                switch (isFirst, point) {
                case (true, "before"): throw PostgresError.unreachable("before")
                case (true, "without mark"): return .processed
                case (true, "killed"):
                    // The session dies between the statements and the commit.
                    try await fixture.pool.withTransaction { transaction in
                        _ = try await transaction.pipeline([effect, event.mark].rows(at: event.receivedAt))
                        _ = try await transaction.query("select pg_terminate_backend(pg_backend_pid())")
                    }
                    return .processed
                default:
                    try await fixture.commit([effect, event.mark])
                    if isFirst, point == "after" { throw PostgresError.outcomeUnknown("after") }
                    return .processed
                }
            }
            _ = try await fixture.inbox.put(fixture.arrival("e1"))
            try await fixture.worker(handler).drain()
            #expect(try await fixture.effects() == ["e1"])
            #expect(try await fixture.inbox.list(.processed).count == 1)
            #expect(tries.current == (point == "after" ? 1 : 2))
        }
    }

    @Test(arguments: [1, 3, 20])
    func `an event that keeps failing is dead after its attempts, and an operator brings it back`(
        attempts: Int
    ) async throws {
        try await Fixture.with { fixture in
            let tries = Box([Int]())
            let isMended = Box(false)
            let handler = Handler(attempts: attempts) { event in
                tries.change { $0.append(event.attempt) }
                guard isMended.current else { return .retry("broken") }
                try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
                return .processed
            }
            _ = try await fixture.inbox.put(fixture.arrival("e1"))
            try await fixture.worker(handler).drain()
            #expect(tries.current == Array(1...attempts))
            let dead = try #require(try await fixture.inbox.list(.dead).first)
            #expect(dead.reason == "broken" && dead.dueAt == nil)
            #expect(try await fixture.inbox.backlog().map(\.dead) == [1])
            isMended.change { $0 = true }
            #expect(try await fixture.inbox.replay(dead.event.id))
            try await fixture.worker(handler).drain()
            #expect(try await fixture.effects() == ["e1"])
            #expect(try await !fixture.inbox.replay(dead.event.id), "a processed event isn't handled again")
        }
    }

    @Test func `a failed attempt is due again on the schedule`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put(fixture.arrival("e1"))
            try await fixture.worker(Handler { _ in .retry("later") }, schedule: .standard).drain()
            let record = try #require(try await fixture.inbox.list(.failed).first)
            let wait = try #require(record.dueAt).secondsSince(record.event.receivedAt)
            #expect(wait > 2.4 && wait < 20 && record.reason == "later")
        }
    }

    @Test func `an event is ignored, or given up, or dropped, with a reason`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([fixture.arrival("old"), fixture.arrival("bad")])
            try await fixture.worker(Handler { $0.eventID == "old" ? .ignored("stale") : .dead("no such currency") })
                .drain()
            #expect(try await fixture.inbox.list(.ignored).map(\.reason) == ["stale"])
            let dead = try #require(try await fixture.inbox.list(.dead).first)
            #expect(dead.reason == "no such currency")
            #expect(try await fixture.inbox.drop(dead.event.id, reason: "refunded by hand"))
            #expect(try await !fixture.inbox.drop(dead.event.id, reason: "again"))
            #expect(try await fixture.inbox.show(dead.event.id)?.reason == "refunded by hand")
            #expect(try await fixture.inbox.list(.dropped).count == 1)
        }
    }

    @Test func `an event that ends its process every time is dead without another try`() async throws {
        try await Fixture.with { fixture in
            let tries = Box(0)
            _ = try await fixture.inbox.put(fixture.arrival("e1"))
            _ = try await fixture.pool.query("update banking.inbox set attempts = 3")
            let handler = Handler { _ in
                tries.change { $0 += 1 }
                return .processed
            }
            try await fixture.worker(handler).drain()
            #expect(tries.current == 0)
            #expect(try await fixture.inbox.list(.dead).count == 1)
        }
    }

    @Test func `an event about an unknown object is parked, and handled when the object appears`() async throws {
        try await Fixture.with { fixture in
            let handler = Handler { event in
                let isKnown: Bool = try await fixture.value(
                    "select exists (select from banking.effects where note = 'object')"
                )
                guard isKnown else { return .parked("no such payment") }
                try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
                return .processed
            }
            _ = try await fixture.inbox.put([
                fixture.arrival("e1", object: "pi_1"), fixture.arrival("e2", object: "pi_2"),
            ])
            try await fixture.worker(handler, schedule: .standard).drain()
            #expect(try await fixture.inbox.list(.parked).count == 2)
            try await fixture.commit([
                Effect(event: 1, note: "object"), InboxUnpark(source: "stripe", objectID: "pi_1"),
                InboxUnpark(source: "ramp", objectID: "pi_2"),
            ])
            try await fixture.worker(handler, schedule: .standard).drain()
            #expect(try await fixture.effects() == ["object", "e1"])
            #expect(try await fixture.inbox.list(.parked).map(\.event.eventID) == ["e2"])
            // Parked between the object's statement and its commit, an event finds it by its own next look.
            _ = try await fixture.pool.query(
                "update banking.inbox set due_at = clock_timestamp() where status = 'parked'"
            )
            try await fixture.worker(handler, schedule: .standard).drain()
            #expect(try await fixture.effects() == ["object", "e1", "e2"])
        }
    }

    @Test func `an event stays parked when its own looks are used up, and begins anew after a while`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put(fixture.arrival("e1", object: "pi_1"))
            try await fixture.worker(Handler { _ in .parked("unknown") }).drain()
            let parked = try #require(try await fixture.inbox.list(.parked).first)
            let due = try #require(parked.dueAt)
            #expect(due.secondsSince(SystemClock().now()) > 3_000 && parked.event.attempt == 0)
            try await fixture.commit([InboxUnpark(source: "stripe", objectID: "pi_1")])
            #expect(try await fixture.inbox.list(.pending).map(\.event.attempt) == [0])
        }
    }

    @Test func `an object that becomes known during an event's last look is found by another one`() async throws {
        try await Fixture.with { fixture in
            let handler = Handler { event in
                let isKnown: Bool = try await fixture.value(
                    "select exists (select from banking.effects where note = 'object')"
                )
                if isKnown {
                    try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
                    return .processed
                }
                // It has looked in vain; now the object is stored, which finds the event running.
                if event.attempt == 3 {
                    try await fixture.commit([
                        Effect(event: 1, note: "object"), InboxUnpark(source: "stripe", objectID: "pi_1"),
                    ])
                }
                return .parked("no such payment")
            }
            _ = try await fixture.inbox.put(fixture.arrival("e1", object: "pi_1"))
            try await fixture.worker(handler).drain()
            #expect(try await fixture.inbox.list(.parked).map(\.event.eventID) == ["e1"])
            // An hour later.
            _ = try await fixture.pool.query("update banking.inbox set due_at = due_at - interval '1 hour'")
            try await fixture.worker(handler).drain()
            #expect(try await fixture.effects() == ["object", "e1"])
        }
    }

    @Test func `what follows a parked event in its order looks again within a minute`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([
                fixture.arrival("e1", object: "pi_1", sequence: 1), fixture.arrival("e2", object: "pi_1", sequence: 2),
            ])
            try await fixture.worker(Handler { _ in .parked("unknown") }).drain()
            _ = try await fixture.pool.query(
                "update banking.inbox set due_at = clock_timestamp() where event_id = 'e2'"
            )
            try await fixture.worker(Handler { _ in .parked("unknown") }).drain()
            let follower = try #require(try await fixture.inbox.show(source: "stripe", eventID: "e2"))
            let due = try #require(follower.dueAt)
            #expect(follower.status == .failed && due.secondsSince(SystemClock().now()) <= 61)
        }
    }

    @Test func `all 120 orders of five events of an object end in the same state`() async throws {
        try await Fixture.with { fixture in
            let handler = Handler { event in
                guard let objectID = event.objectID, let index = Int(String(decoding: event.body, as: UTF8.self)) else {
                    return .dead("malformed")
                }
                let known = try await fixture.inbox.object(source: event.source, objectID: objectID)
                guard let change = known.merging(paymentStates[index]) else { return .ignored("stale") }
                try await fixture.commit([change, Effect(event: event.id.value, note: objectID), event.mark])
                return .processed
            }
            let orders = permutations([0, 1, 2, 3, 4])
            _ = try await fixture.inbox.put(
                orders.enumerated().flatMap { number, order in
                    order.map { fixture.arrival("e\(number)-\($0)", object: "pi_\(number)", body: String($0)) }
                }
            )
            try await fixture.worker(handler).drain()
            let ends = try await fixture.pool.query("select state, count(*) from banking.inbox_objects group by state")
            let (state, count): (String, Int) = (try ends[0][0], try ends[0][1])
            #expect(ends.count == 1 && state == "succeeded" && count == 120)
            let backlog = try await fixture.inbox.backlog()
            #expect(backlog.isEmpty)
        }
    }

    @Test func `a shutdown finishes what is under way and releases the rest`() async throws {
        try await Fixture.with { fixture in
            let (started, go) = (Box(0), Flag())
            let handler = Handler { event in
                started.change { $0 += 1 }
                await go.wait(timeoutSeconds: 30)
                try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
                return .processed
            }
            _ = try await fixture.inbox.put((1...3).map { fixture.arrival("e\($0)", object: "pi_1") })
            let worker = fixture.worker(handler)
            let group = ServiceGroup(services: [worker], logger: Fixture.quiet)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let isStarted = try await eventually { started.current == 1 }
                #expect(isStarted)
                await group.triggerGracefulShutdown()
                go.raise()
                try await tasks.waitForAll()
            }
            #expect(try await fixture.effects() == ["e1"])
            let released = try await fixture.inbox.list(.failed)
            #expect(released.map(\.event.attempt) == [0, 0])
            try await fixture.worker(effect(fixture)).drain()
            #expect(try await fixture.effects() == ["e1", "e2", "e3"])
        }
    }
}

extension [any StoredRow] {
    /// The statements for Banking, for transactions that a test makes itself.
    func rows(at: Timestamp) -> [SQL] { statements(in: .banking, at: at) }
}
