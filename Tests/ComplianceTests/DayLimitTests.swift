import Kernel
import PostgreSQL
import Testing

@testable import Compliance

@Suite struct DayLimitTests {
    /// How many of so many payments go on before one is refused because of the day's limit.
    private static func paid(
        _ count: Int,
        of dollars: Int128,
        by user: ID<User>,
        _ world: ComplianceWorld
    ) async throws
        -> Int
    {
        for index in 0..<count {
            let answer = try await world.gate.check(world.movement(.payment, dollars, of: user))
            guard answer.outcome == .approve else {
                #expect(answer.reasons == ["level_limit"])
                return index
            }
        }
        return count
    }

    @Test(arguments: [(900, 22), (100, 200), (7, 2_857)] as [(Int128, Int)])
    func `small payments add up to the limit of the day, to the unit`(dollars: Int128, fitting: Int) async throws {
        try await ComplianceWorld.with { world in
            try await world.rules {
                ($0.basicDayUnits, $0.velocityCount, $0.velocityUnits) = (20_000, 100_000, 100_000)
            }
            let user = try await world.user("Ana Ruiz")
            #expect(try await Self.paid(fitting + 10, of: dollars, by: user, world) == fitting)
        }
    }

    @Test(arguments: [Int128(3_000), 100])
    func `what didn't come about leaves the limit of the day as it was`(dollars: Int128) async throws {
        try await ComplianceWorld.with { world in
            try await world.rules { $0.basicDayUnits = 20_000 }
            let user = try await world.user("Ana Ruiz")
            for _ in 0..<60 {
                let movement = world.movement(.payment, dollars, of: user)
                #expect(try await world.gate.check(movement).outcome == .approve)
                await world.gate.didNotHappen(movement)
            }
            let fitting = Int(20_000 / dollars)
            #expect(try await Self.paid(fitting + 10, of: dollars, by: user, world) == fitting)
        }
    }

    /// A movement that a process asks about.
    private final class Question: Sendable {
        private let gate: ComplianceGate
        private let movement: MoneyMovement

        init(_ gate: ComplianceGate, _ movement: MoneyMovement) { (self.gate, self.movement) = (gate, movement) }

        func answer() async throws -> ComplianceAnswer { try await gate.check(movement) }
    }

    /// How many of 40 movements go on that two processes ask about at once.
    private static func atOnce(
        _ kind: MoneyMovement.Kind,
        _ dollars: Int128,
        _ world: ComplianceWorld
    ) async throws
        -> Int
    {
        let user = try await world.user("Ana Ruiz")
        let gates = [world.gate, world.anotherGate()]
        let questions = (0..<40).map { Question(gates[$0 % 2], world.movement(kind, dollars, of: user)) }
        return try await approved(questions)
    }

    private static func approved(_ questions: [Question]) async throws -> Int {
        try await withThrowingTaskGroup(of: ComplianceAnswer.self) { group in
            for question in questions { group.addTask { try await question.answer() } }
            var approved = 0
            for try await answer in group {
                if answer.outcome == .approve { approved += 1 } else { #expect(answer.reasons == ["level_limit"]) }
            }
            return approved
        }
    }

    @Test func `of what is asked at once only as much goes on as the limit of the day leaves`() async throws {
        try await ComplianceWorld.with { world in
            try await world.rules { $0.basicDayUnits = 5_000 }
            #expect(try await Self.atOnce(.withdrawal, 1_000, world) == 5)
            #expect(try await Self.atOnce(.payment, 1_000, world) == 5)
            #expect(try await Self.atOnce(.payment, 500, world) == 10)
            // Far from a limit a process has an eighth to give out, which isn't left to another one.
            try await world.rules { $0.basicDayUnits = 20_000 }
            let small = try await Self.atOnce(.payment, 600, world)
            #expect(small <= 33 && small >= 24)
        }
    }

    @Test func `what the history tells of counts once, and what never came about no longer than a minute`() async throws
    {
        try await ComplianceWorld.with { world in
            try await world.rules { $0.basicDayUnits = 5_000 }
            let user = try await world.user("Ana Ruiz")
            let first = world.movement(.payment, 2_000, of: user)
            #expect(try await world.gate.check(first).outcome == .approve)
            try await world.happened("payment", 2_000, to: user, id: first.subject)
            #expect(try await world.gate.check(world.movement(.payment, 3_000, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 1, of: user)).reasons == ["level_limit"])
            world.clock.advance(seconds: OutgoingClaim.seconds)
            #expect(try await world.gate.check(world.movement(.payment, 3_000, of: user)).outcome == .approve)
        }
    }

    @Test func `however many movements a day has, all of them count`() async throws {
        try await ComplianceWorld.with { world in
            try await world.rules { ($0.basicDayUnits, $0.velocityCount, $0.velocityUnits) = (9_000, 10_000, 100_000) }
            let user = try await world.user("Ana Ruiz")
            try await world.happened("payment", 8_000, to: user)
            let statement: SQL = """
                insert into platform.transaction_facts (domain, transaction, user_id, type, status, asset, amount, fee,
                    version, created_at, as_of, generation)
                select 'banking', (lpad(to_hex(\(Int(world.clock.now().microseconds / 1_000))::bigint), 12, '0')
                    || lpad(to_hex(n), 20, '0'))::uuid, \(user), 'payment', 'completed', 'USD', 1, 0, 1,
                    \(world.clock.now()), \(world.clock.now()), 1
                from generate_series(1, 600) n
                """
            _ = try await world.pool.query(statement)
            #expect(try await world.gate.check(world.movement(.payment, 1_000, of: user)).reasons == ["level_limit"])
            #expect(try await world.gate.check(world.movement(.payment, 990, of: user)).outcome == .approve)
        }
    }

    @Test func `many small payments are looked at`() async throws {
        try await ComplianceWorld.with { world in
            try await world.rules { $0.velocityCount = 20 }
            let user = try await world.user("Ana Ruiz")
            for _ in 0..<20 {
                #expect(try await world.gate.check(world.movement(.payment, 1, of: user)).outcome == .approve)
            }
            #expect(try await world.gate.check(world.movement(.payment, 1, of: user)).reasons == ["velocity"])
        }
    }

    @Test func `of payouts from own wallets those count that go to somebody else`() async throws {
        try await ComplianceWorld.with { world in
            try await world.rules { $0.basicDayUnits = 5_000 }
            let user = try await world.user("Ana Ruiz")
            // To an own wallet: nobody was asked about it.
            try await world.happened("payout", 4_000, to: user)
            let address = "eip155:1:0x1111111111111111111111111111111111111111"
            let payout = Payout(
                subject: world.ids.next(User.self).value,
                user: user,
                amount: Money(minorUnits: 400_000, .usd),
                to: MoneyMovement.Destination(account: address, .other(name: "Bo Berg"))
            )
            #expect(try await world.gate.screen(payout).outcome == .approve)
            try await world.happened("payout", 4_000, to: user, id: payout.subject)
            world.clock.advance(seconds: OutgoingClaim.seconds)
            #expect(try await world.gate.check(world.movement(.payment, 1_000, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 1, of: user)).reasons == ["level_limit"])
        }
    }

    @Test func `without a name nothing leaves and little is paid, until there is one`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user(nil)
            let leaving = try await world.gate.check(world.movement(.withdrawal, 1, of: user))
            #expect(leaving.reasons == ["name_required"] && leaving.refusal?.code == "identification_required")
            #expect(try await world.gate.check(world.movement(.payment, 60, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 40, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 1, of: user)).reasons == ["name_required"])
            _ = try await world.pool.query("update platform.users set name = 'Ana Ruiz' where id = \(user)")
            #expect(try await world.gate.check(world.movement(.payment, 900, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.withdrawal, 1, of: user)).outcome == .approve)
        }
    }

    @Test func `a device is new that the customer never signed in from, however long ago the others were`() async throws
    {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            func signIn(_ device: String) async throws {
                let now = world.clock.now()
                let id: ID<User> = world.ids.next()
                _ = try await world.pool.query(
                    """
                    insert into platform.sessions (id, user_id, created_at, expires_at, last_used_at, user_agent)
                    values (\(id), \(user), \(now), \(now.adding(seconds: 60)), \(now), \(device))
                    """
                )
            }
            func reasons() async throws -> [String] {
                try await world.gate.check(world.movement(.withdrawal, 2_000, of: user)).reasons
            }
            try await signIn("an app")
            #expect(try await reasons().isEmpty)
            world.clock.advance(seconds: 100 * 86_400)
            // Sessions are swept some time after they end.
            _ = try await world.pool.query("delete from platform.sessions")
            try await signIn("an app")
            #expect(try await reasons().isEmpty)
            try await signIn("another app")
            #expect(try await reasons() == ["new_device"])
            world.clock.advance(seconds: 24 * 3_600)
            #expect(try await reasons().isEmpty)
        }
    }
}
