import Kernel
@testable import Messaging
import PostgreSQL
import Testing

@Suite struct InboxClaimTests {
    private let claims = InboxClaims(schema: .banking)

    private func claim(_ fixture: Fixture, limit: Int = 100) async throws -> [InboxEvent] {
        try await fixture.pool.withConnection { connection in
            try await connection.pipeline([claims.line, claims.claim(sources: ["stripe"], limit: limit)])
        }[1].compactMap { row in
            let id: ID<InboxEvent>? = try row["id"]
            return id == nil ? nil : try InboxEvent(row)
        }
    }

    @Test func `10,000 shuffled events are claimed in the order of their coming`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put((0..<10_000).shuffled().map { fixture.arrival("e\($0)") })
            let stored = try await fixture.pool.query("select event_id from banking.inbox order by due_at, id")
            let expected: [String] = try stored.map { try $0[0] }
            var claimed: [String] = []
            while true {
                let events = try await claim(fixture, limit: 512)
                if events.isEmpty { break }
                claimed += events.map(\.eventID)
            }
            #expect(claimed == expected)
        }
    }

    @Test func `a claim takes the sources that it names`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([fixture.arrival("a"), fixture.arrival("b", source: "ramp")])
            #expect(try await claim(fixture).map(\.eventID) == ["a"])
        }
    }

    @Test func `while an event of an object runs no other of it is claimed`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([fixture.arrival("a1", object: "a"), fixture.arrival("b1", object: "b")])
            #expect(try await claim(fixture, limit: 1).map(\.eventID) == ["a1"])
            _ = try await fixture.inbox.put(fixture.arrival("a2", object: "a"))
            #expect(try await claim(fixture).map(\.eventID) == ["b1"])
            #expect(
                try await fixture.inbox.show(source: "stripe", eventID: "a2")?.reason == "waits for an earlier event"
            )
            _ = try await fixture.pool.query(
                "update banking.inbox set status = 'dead', due_at = null where event_id = 'a1'"
            )
            let isClaimed = try await eventually { try await claim(fixture).map(\.eventID) == ["a2"] }
            #expect(isClaimed)
        }
    }

    @Test(arguments: ["failed", "dead", "parked"])
    func `an ordered event waits for one in front of it that isn't done`(status: String) async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([
                fixture.arrival("a2", object: "a", sequence: 2), fixture.arrival("a1", object: "a", sequence: 1),
                fixture.arrival("a3", object: "a"), fixture.arrival("b1", object: "b", sequence: 1),
            ])
            _ = try await fixture.pool.query(
                """
                update banking.inbox
                set status = \(status),
                    due_at = case when \(status) = 'failed' then clock_timestamp() + interval '1 hour' end
                where event_id = 'a1'
                """
            )
            #expect(try await Set(claim(fixture).map(\.eventID)) == ["a3", "b1"])
            let waiting = try #require(try await fixture.inbox.show(source: "stripe", eventID: "a2"))
            #expect(waiting.status == .failed && waiting.event.attempt == 0)
            let head = try #require(try await fixture.inbox.show(source: "stripe", eventID: "a1"))
            #expect(try await fixture.inbox.drop(head.event.id, reason: "by hand"))
            _ = try await fixture.pool.query(
                """
                update banking.inbox set status = 'processed', due_at = null, finished_at = now()
                where event_id = 'a3'
                """
            )
            #expect(try await claim(fixture).map(\.eventID) == ["a2"])
        }
    }

    @Test func `of 165 leases that ended each late finish is refused and each event takes effect once`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put((0..<165).map { fixture.arrival("e\($0)", object: "o\($0)") })
            let stalled = try await claim(fixture, limit: 1_000)
            #expect(stalled.count == 165)
            _ = try await fixture.pool.query("update banking.inbox set due_at = clock_timestamp()")
            let rescuers = try await claim(fixture, limit: 1_000)
            #expect(rescuers.count == 165 && rescuers.allSatisfy { $0.token == 2 && $0.attempt == 2 })
            // Half of the late finishes come before the rescuer's, half after.
            var refused = 0
            for (number, (late, rescuer)) in zip(stalled, rescuers).enumerated() {
                if number.isMultiple(of: 2) { try await finish(fixture, rescuer) }
                do { try await finish(fixture, late) } catch { refused += 1 }
                if !number.isMultiple(of: 2) { try await finish(fixture, rescuer) }
            }
            #expect(refused == 165)
            #expect(try await fixture.effects().count == 165)
            // Nor does a late failure undo what the rescuer did.
            let late = stalled.map { InboxSettlement.released($0, because: "late") }
            let changed = try await fixture.pool.query(claims.settle(late))
            #expect(changed.isEmpty)
            #expect(try await fixture.inbox.list(.processed, limit: 1_000).count == 165)
        }
    }

    @Test func `a heartbeat keeps a lease, and tells of one that is gone`() async throws {
        try await Fixture.with { fixture in
            _ = try await fixture.inbox.put([fixture.arrival("e1"), fixture.arrival("e2")])
            let held = try await claim(fixture)
            _ = try await fixture.pool.query("update banking.inbox set due_at = clock_timestamp()")
            let kept = try await fixture.pool.query(claims.prolong(held.map { ($0.id, $0.token) }))
            #expect(kept.count == 2)
            #expect(try await claim(fixture).isEmpty)
            _ = try await fixture.pool.query(
                "update banking.inbox set due_at = clock_timestamp() where event_id = 'e1'"
            )
            #expect(try await claim(fixture).map(\.eventID) == ["e1"])
            #expect(try await fixture.pool.query(claims.prolong(held.map { ($0.id, $0.token) })).count == 1)
        }
    }

    private func finish(_ fixture: Fixture, _ event: InboxEvent) async throws {
        try await fixture.commit([Effect(event: event.id.value, note: event.eventID), event.mark])
    }
}
