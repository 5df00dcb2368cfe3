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

    @Test func `what rules send to a person becomes one case of all that waits, and holds nothing else`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            #expect(try await Self.structured(world, user).reasons == ["structuring"])
            _ = try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
            #expect(try await world.cases.queue().map { $0["kind"] } == ["aml"])
            let id = try await Self.caseID(world)
            let found = try #require(try await world.cases.find(id))
            #expect(found["alerts"]?.elements?.count == 2)
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
            let answer = try await world.gate.check(world.movement(.payment, 5, of: user))
            #expect(answer.outcome == .block && answer.reasons == ["stopped_by_case"])
            #expect(answer.refusal?.code == "movement_refused")
        }
    }

    @Test func `what comes up after a proposal takes the proposal back`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            _ = try await Self.structured(world, user)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            // With what waits already as much as may leave in a day.
            try await world.happened("withdrawal", 71_100, to: user)
            _ = try await world.gate.check(world.movement(.withdrawal, 500, of: user))
            await #expect(throws: Problem.self) { try await world.cases.decide(id, agrees: true, by: "bob") }
            #expect(try await world.cases.find(id)?["status"] == "open")
        }
    }

    @Test func `another movement of the same rule and day takes the proposal back`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            _ = try await Self.structured(world, user)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            #expect(try await world.gate.check(world.movement(.withdrawal, 9_900, of: user)).outcome == .review)
            await #expect(throws: Problem.self) { try await world.cases.decide(id, agrees: true, by: "bob") }
            #expect(try await world.cases.find(id)?["alerts"]?.elements?.count == 2)
        }
    }

    @Test func `time alone lets nothing go that waits for a person`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
            let held = world.movement(.withdrawal, 9_900, of: user)
            let since = world.clock.now()
            #expect(try await world.gate.check(held).outcome == .review)
            // The day that the rule looks at is over, the case isn't.
            world.clock.advance(seconds: 3 * 86_400)
            #expect(try await world.gate.check(world.movement(.withdrawal, 9_900, of: user)).outcome == .approve)
            #expect(try await world.gate.standing(of: held, since: since) == .waits)
        }
    }

    @Test func `what nobody decides about ends after two weeks`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
            let held = world.movement(.withdrawal, 9_900, of: user)
            let since = world.clock.now()
            #expect(try await world.gate.check(held).outcome == .review)
            world.clock.advance(seconds: ComplianceGate.waitingDaysMax * 86_400 - 1)
            #expect(try await world.gate.standing(of: held, since: since) == .waits)
            world.clock.advance(seconds: 1)
            guard case .refused(let answer) = try await world.gate.standing(of: held, since: since) else {
                Issue.record("it waits for ever")
                return
            }
            #expect(answer.endsBecause == "review_timed_out" && answer.outcome == .block)
        }
    }

    @Test func `what was sold from own wallets counts as what left`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("sale", dollars, to: user) }
            let answer = try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
            #expect(answer.reasons == ["structuring"])
        }
    }

    @Test func `what waits for a person goes on when its case is released, and is kept then`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
            let held = world.movement(.withdrawal, 9_900, of: user)
            let since = world.clock.now()
            #expect(try await world.gate.check(held).outcome == .review)
            let kept: SQL = "select count(*) from platform.compliance_checks"
            let before = try await world.count(kept)
            for _ in 0..<3 { #expect(try await world.gate.standing(of: held, since: since) == .waits) }
            // Not even the next day anything is raised that takes a proposal back.
            world.clock.advance(seconds: 86_400 - 3_600)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
            #expect(try await world.gate.standing(of: held, since: since) == .waits)
            #expect(try await world.count(kept) == before)
            try await world.cases.decide(id, agrees: true, by: "bob")
            guard case .goesOn(let answer) = try await world.gate.standing(of: held, since: since) else {
                Issue.record("a released movement doesn't go on")
                return
            }
            #expect(answer.checks.last?.flags == ["structuring", "cleared"])
            #expect(try await world.count(kept) > before)
        }
    }

    @Test func `what waits for a person is refused when its case is confirmed, and waits while nothing can be read`()
        async throws
    {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("withdrawal", dollars, to: user) }
            let held = world.movement(.withdrawal, 9_900, of: user)
            let since = world.clock.now()
            #expect(try await world.gate.check(held).outcome == .review)
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .confirmed, by: "ada")
            try await world.cases.decide(id, agrees: true, by: "bob")
            world.gate.forget()
            guard case .refused(let answer) = try await world.gate.standing(of: held, since: since) else {
                Issue.record("a confirmed movement isn't refused")
                return
            }
            #expect(answer.reasons == ["stopped_by_case"])
            world.gate.forget()
            world.pool.close()
            #expect(try await world.gate.standing(of: held, since: since) == .waits)
        }
    }

    @Test func `money that has come and must be looked at holds what leaves`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            for dollars: Int128 in [9_000, 9_500] { try await world.happened("deposit", dollars, to: user) }
            let deposit = world.movement(.deposit, 9_900, of: user)
            #expect(try await world.gate.check(deposit).reasons == ["structuring"])
            world.gate.forget()
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .approve)
            #expect(try await world.gate.arrived(deposit).reasons == ["structuring"])
            world.gate.forget()
            let leaving = try await world.gate.check(world.movement(.payment, 5, of: user))
            #expect(leaving.reasons == ["under_review"] && leaving.refusal?.code == "movement_in_review")
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            try await world.cases.decide(id, agrees: true, by: "bob")
            world.gate.forget()
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .approve)
        }
    }
}
