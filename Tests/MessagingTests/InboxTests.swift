import Kernel
import Messaging
import PostgreSQL
import TestSupport
import Testing

@Suite struct InboxTests {
    @Test func `an event is stored once, again it is a duplicate, with another body a conflict`() async throws {
        try await Fixture.with { fixture in
            let inbox = fixture.inbox
            #expect(try await inbox.put(fixture.arrival("e1", body: "one")) == .stored)
            #expect(try await inbox.put(fixture.arrival("e1", body: "one")) == .duplicate)
            #expect(try await inbox.put(fixture.arrival("e1", body: "two")) == .conflict)
            #expect(try await inbox.put(fixture.arrival("e1", body: "two")) == .conflict)
            #expect(try await inbox.put(fixture.arrival("e1", body: "one", source: "ramp")) == .stored)
            let conflicts = try await inbox.conflicts()
            #expect(conflicts.map(\.eventID) == ["e1"] && conflicts.first?.seen == 2)
            #expect(conflicts.first?.body == Array("two".utf8))
            #expect(try await inbox.show(source: "stripe", eventID: "e1")?.event.body == Array("one".utf8))
        }
    }

    @Test func `a batch answers for each arrival, also for those that meet in it`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put(fixture.arrival("old", body: "a"))
            let receipts = try await fixture.inbox.put([
                fixture.arrival("new", body: "a"), fixture.arrival("new", body: "a"), fixture.arrival("new", body: "b"),
                fixture.arrival("old", body: "a"), fixture.arrival("old", body: "b"),
                fixture.arrival("other", body: "a"),
            ])
            #expect(receipts == [.stored, .duplicate, .conflict, .duplicate, .conflict, .stored])
            #expect(try await fixture.inboxRows() == 3)
            #expect(try await fixture.inbox.put([InboxArrival]()).isEmpty)
        }
    }

    @Test func `the bytes are kept as they came`() async throws {
        try await Fixture.with { fixture in
            let body: [UInt8] = [0, 255, 254, 0x7B, 0xC3, 0x28, 0]
            let arrival = InboxArrival(
                source: "ramp",
                eventID: "raw",
                type: "x",
                headers: ["x-body-signature": "s"],
                body: body,
                origin: .poll
            )
            #expect(try await fixture.inbox.put(arrival) == .stored)
            let record = try #require(try await fixture.inbox.show(source: "ramp", eventID: "raw"))
            #expect(record.event.body == body && record.event.origin == .poll && record.status == .pending)
            #expect(record.event.headers == ["x-body-signature": "s"])
        }
    }

    @Test func `of many who bring the same event at once one stores it`() async throws {
        try await Fixture.with { fixture in
            let inbox = fixture.inbox
            for round in 0..<20 {
                let receipts = try await withThrowingTaskGroup(of: InboxReceipt.self) { group in
                    for caller in 0..<16 {
                        let body = caller == 15 ? "other" : "same"
                        let arrival = fixture.arrival("e\(round)", body: body)
                        group.addTask { try await inbox.put(arrival) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(receipts.filter { $0 == .stored }.count == 1)
                // Whoever is stored first decides what the conflict is.
                #expect([1, 15].contains(receipts.filter { $0 == .conflict }.count))
            }
        }
    }

    @Test func `callers share statements through a group commit`() async throws {
        try await Fixture.with { fixture in
            let intake = GroupCommit(InboxIntake(fixture.inbox), label: "test")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await intake.run() }
                let receipts = try await withThrowingTaskGroup(of: InboxReceipt.self) { callers in
                    for caller in 0..<200 {
                        let arrival = fixture.arrival("e\(caller % 100)")
                        callers.addTask { try await intake.submit(arrival) }
                    }
                    return try await callers.reduce(into: []) { $0.append($1) }
                }
                #expect(receipts.filter { $0 == .stored }.count == 100)
                #expect(receipts.filter { $0 == .duplicate }.count == 100)
                group.cancelAll()
            }
        }
    }

    @Test func `a failure to store says so and stores nothing`() async throws {
        try await Fixture.with { fixture in
            let broken = InboxArrival(
                source: "stripe",
                eventID: "nul\0",
                type: "x",
                headers: [:],
                body: [],
                origin: .webhook
            )
            await #expect(throws: PostgresError.self) { try await fixture.inbox.put(broken) }
            let rows = try await fixture.inboxRows()
            #expect(rows == 0)
        }
    }

    @Test func `the domain's own role can do all of it`() async throws {
        try await Fixture.with { fixture in
            let pool = fixture.database.pool(.banking)
            let inbox = Inbox(pool: pool, schema: .banking, ids: fixture.ids, logger: Fixture.quiet)
            #expect(try await inbox.put([fixture.arrival("e1"), fixture.arrival("e2")]) == [.stored, .stored])
            let worker = InboxWorker(
                inbox: inbox,
                handlers: ["stripe": Handler { _ in .ignored("test") }],
                signal: WorkSignal(.inbox, of: .banking),
                logger: Fixture.quiet
            )
            try await worker.drain()
            #expect(try await inbox.list(.ignored).count == 2)
            #expect(try await inbox.backlog().isEmpty)
        }
    }

    @Test func `finished events of other domains are swept, those of providers stay`() async throws {
        try await Fixture.with { fixture in
            let mine = InboxArrival(
                source: "investing",
                eventID: "a",
                type: "t",
                headers: [:],
                body: [],
                origin: .event
            )
            _ = try await fixture.inbox.put([mine, fixture.arrival("b")])
            _ = try await fixture.pool.query(
                """
                update banking.inbox
                set status = 'processed', due_at = null, finished_at = clock_timestamp() - interval '31 days'
                """
            )
            #expect(try await fixture.inbox.sweep() == 1)
            #expect(try await fixture.inbox.sweep() == 0)
            #expect(try await fixture.inbox.show(source: "stripe", eventID: "b") != nil)
        }
    }
}
