import Kernel
import PostgreSQL
import Screening
import TestSupport
import Testing

@testable import Compliance

@Suite struct GateTests {
    @Test func `money doesn't leave while nothing can be read, and the rest waits for a person`() async throws {
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            world.pool.close()
            for kind in [MoneyMovement.Kind.payment, .withdrawal, .transfer] {
                let answer = try await world.gate.check(world.movement(kind, 5, of: user))
                #expect(answer.outcome == .block && answer.reasons == ["compliance_unavailable"])
            }
            #expect(try await world.gate.check(world.movement(.deposit, 5, of: user)).outcome == .review)
        }
    }

    @Test func `ordinary payments are decided without a read of their own`() async throws {
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            let first = try await world.gate.check(world.movement(.payment, 5, of: user))
            #expect(first.outcome == .approve)
            // Whatever is read from here on fails.
            world.pool.close()
            // An eighth of the movements that velocity leaves.
            for _ in 0..<(299 / 8) {
                #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .approve)
            }
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .block)
        }
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            let first = try await world.gate.check(world.movement(.payment, 5, of: user))
            world.pool.close()
            world.clock.advance(seconds: 5)
            let later = try await world.gate.check(world.movement(.payment, 5, of: user))
            #expect(first.outcome == .approve && later.outcome == .block)
        }
    }

    @Test func `a shadow decides nothing, and what it would have decided is kept`() async throws {
        try await ComplianceWorld.with { world in
            let sets = RuleSets(pool: world.pool, clock: world.clock)
            var strict = PolicyParameters()
            strict.flagUnits = 10
            strict.blockUnits = 10
            let version = try await sets.draft(strict, reason: "try", by: "test")
            try await sets.use(version, as: .shadow)
            let user: ID<User> = world.ids.next()
            #expect(try await world.gate.check(world.movement(.payment, 20, of: user)).outcome == .approve)
            let shadow: SQL = """
                select count(*) from platform.compliance_checks where provider = 'shadow' and outcome = 'block'
                """
            #expect(try await world.count(shadow) == 1)
            try await sets.use(version, as: .active)
            world.gate.forget()
            #expect(try await world.gate.check(world.movement(.payment, 20, of: user)).outcome == .block)
            await #expect(throws: Problem.self) { try await sets.use(99, as: .active) }
            #expect(try await sets.parameters(of: version) == strict)
            #expect(try await sets.parameters(of: 99) == nil)
        }
    }

    @Test func `a listed address is blocked in any spelling, another one isn't`() async throws {
        try await ComplianceWorld.with { world in
            var list = ReadList()
            let text = "0x7F367cC41522cE07553e823bf3be79A889DEbe1B"
            let address = try #require(WalletAddress(asset: "ETH", address: text))
            list.parties = [
                ListedParty(key: "1", kind: .organisation, names: [.init("Somebody")], addresses: [address])
            ]
            _ = try await world.lists.load(list, of: .ofac, checksum: [UInt8](repeating: 9, count: 32), by: "test")
            func outcome(_ account: String) async throws -> ComplianceAnswer.Outcome {
                let user: ID<User> = world.ids.next()
                let asked = ScreenedAddress(subject: 1, user: user, account: account, use: .payout)
                return try await world.gate.screen(asked).outcome
            }
            #expect(try await outcome("eip155:1:\(text)") == .block)
            #expect(try await outcome("eip155:137:\(text.lowercased())") == .block)
            #expect(try await outcome("eip155:1:0x1111111111111111111111111111111111111111") == .approve)
            #expect(try await outcome("eip155:1:nonsense\u{1}") == .review)
            let kept: SQL = "select count(*) from platform.compliance_checks where rule = 'address_lists.v1'"
            #expect(try await world.count(kept) == 2)
        }
    }

    @Test func `a backtest says the same each time, and what a version would have stopped`() async throws {
        try await ComplianceWorld.with { world in
            let user: ID<User> = world.ids.next()
            for dollars: Int128 in [9_000, 9_500, 9_900, 20] {
                try await world.happened("withdrawal", dollars, to: user)
            }
            world.clock.advance(seconds: 60)
            let test = Backtest(pool: world.pool)
            let (start, end) = (Timestamp(seconds: 0), world.clock.now())
            let report = try await test.run(PolicyParameters(), from: start, to: end)
            #expect(report.movements == 4 && report.outcomes == ["approve": 3, "review": 1])
            #expect(report.flags == ["structuring": 1] && report.stopped.count == 1)
            #expect(try await test.run(PolicyParameters(), from: start, to: end) == report)
            var loose = PolicyParameters()
            loose.structuringCount = 4
            #expect(try await test.run(loose, from: start, to: end).outcomes == ["approve": 4])
            let live = try await world.gate.check(world.movement(.withdrawal, 9_900, of: user))
            #expect(live.reasons == ["structuring"])
        }
    }
}
