import Compliance
import Kernel
import PostgreSQL
import Testing

@Suite struct ReviewTests {
    /// Withdrawals of a day just below the flagged amount, the last of which is looked at.
    private static func structured(_ world: ComplianceWorld, _ user: ID<User>) async throws -> ComplianceAnswer {
        for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
        return try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
    }

    private static func caseID(_ world: ComplianceWorld) async throws -> ID<ComplianceCase> {
        let queue = try await world.cases.queue()
        return try #require(queue.first?["id"]?.stringValue.flatMap { ID<ComplianceCase>(wire: $0) })
    }

    @Test func `what rules send to a person becomes one case, which holds nothing else`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            #expect(try await Self.structured(world, user).reasons == ["structuring"])
            _ = try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
            #expect(try await world.cases.queue().map { $0["kind"] } == ["aml"])
            let id = try await Self.caseID(world)
            let found = try #require(try await world.cases.find(id))
            #expect(found["alerts"]?.elements?.count == 1)
            #expect(found["evidence"]?["amount"] == "9900.00")
            world.gate.forget()
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .approve)
        }
    }

    @Test func `a release lets the customer go on for three days, not longer`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            _ = try await Self.structured(world, user)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            try await world.cases.decide(id, agrees: true, by: "bob")
            let cleared = try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
            #expect(cleared.outcome == .approve)
            #expect(cleared.checks.last?.flags == ["structuring", "cleared"])
            world.clock.advance(seconds: 72 * 3_600 + 1)
            #expect(try await Self.structured(world, user).reasons == ["structuring"])
        }
    }

    @Test func `what is confirmed holds the customer's money`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            _ = try await Self.structured(world, user)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .confirmed, by: "ada")
            try await world.cases.decide(id, agrees: true, by: "bob")
            world.gate.forget()
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).reasons == ["under_review"])
        }
    }

    @Test func `what comes up after a proposal takes the proposal back`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            _ = try await Self.structured(world, user)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            try await world.happened("withdrawal", 81_000, to: user)
            _ = try await world.gate.check(world.movement(.withdrawal, 500, of: user))
            await #expect(throws: Problem.self) { try await world.cases.decide(id, agrees: true, by: "bob") }
            #expect(try await world.cases.find(id)?["status"] == "open")
        }
    }
}
