import Compliance
import Kernel
import PostgreSQL
import Testing

@testable import Identity
@testable import KYC

/// The end of levels, on a clock that is moved.
@Suite struct ExpiryTests {
    private static let day: Int64 = 86_400

    @Test func `a level that ends is told of before and then, and limits are those of nobody known at once`()
        async throws
    {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            #expect(try await world.expiry.run() == 0)
            world.clock.advance(seconds: 670 * Self.day + 1)
            #expect(try await world.expiry.run() == 1)
            #expect(try await world.expiry.run() == 0)
            #expect(try await Self.told(world) == ["platform.user.identity_expiring"])
            let near = try await world.send("GET", "/v1/me/identity", by: ana.wire)
            #expect((near.body["level"], near.body["may_renew"]) == ("full", true))
            world.clock.advance(seconds: 60 * Self.day)
            #expect(try await world.level(of: ana) == "none")
            #expect(try await world.status(of: ana) == "approved")
            #expect(try await world.expiry.run() == 1)
            #expect(try await world.expiry.run() == 0)
            #expect(try await world.status(of: ana) == "none")
            #expect(
                try await Self.told(world) == ["platform.user.identity_expiring", "platform.user.identity_expired"]
            )
        }
    }

    @Test func `each notice is written to the customer once, as soon as there is somebody who takes it`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            world.clock.advance(seconds: 670 * Self.day + 1)
            _ = try await world.expiry.run()
            world.mailbox.setAway(true)
            #expect(try await world.writer.writePending() == 1)
            #expect(try await world.writer.writePending() == 0)
            world.mailbox.setAway(false)
            world.clock.advance(seconds: 6)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { _ = try await world.writer.writePending() } }
                try await group.waitForAll()
            }
            let mail = try #require(world.mailbox.mails.first)
            #expect(mail.to == "\(ana)@example.com" && mail.subject == "Identify yourself anew")
            world.clock.advance(seconds: 60 * Self.day)
            for _ in 0..<2 { _ = try await world.expiry.run() }
            for _ in 0..<2 { _ = try await world.writer.writePending() }
            #expect(world.mailbox.mails.map(\.subject) == ["Identify yourself anew", "Your limits are lower now"])
        }
    }

    @Test func `who has gone meanwhile isn't written to`() async throws {
        try await KYCWorld.with { world in
            let (ana, bob) = (try await world.user(), try await world.user())
            for user in [ana, bob] { try await world.identify(user) }
            world.clock.advance(seconds: 731 * Self.day)
            _ = try await world.expiry.run()
            _ = try await world.pool.query("update platform.users set status = 'closed' where id = \(ana)")
            #expect(try await world.writer.writePending() == 2)
            #expect(world.mailbox.mails.map(\.to) == ["\(bob)@example.com"])
        }
    }

    @Test func `a letter that is never taken is given up`() async throws {
        try await KYCWorld.with { world in
            try await world.identify(try await world.user())
            world.clock.advance(seconds: 731 * Self.day)
            _ = try await world.expiry.run()
            world.mailbox.setAway(true)
            for _ in 0..<LetterWriter.attemptsMax {
                _ = try await world.writer.writePending()
                world.clock.advance(seconds: 6 * 3_600)
            }
            #expect(try await world.pool.query("select from platform.pending_letters").isEmpty)
            #expect(world.mailbox.mails.isEmpty)
        }
    }

    @Test func `a renewal that is handed in restores the level until it is decided, for two weeks at most`()
        async throws
    {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            world.clock.advance(seconds: 731 * Self.day)
            #expect(try await world.expiry.run() == 1)
            let id = try await world.submitted(for: ana)
            #expect(try await world.status(of: ana) == "approved")
            #expect(try await world.level(of: ana) == "full")
            world.clock.advance(seconds: 14 * Self.day)
            #expect(try await world.level(of: ana) == "none")
            #expect(try await world.expiry.run() == 1)
            #expect(try await world.status(of: ana) == "none")
            for officer in [try await world.officer(), try await world.officer()] {
                try await world.decide(id, "approved", by: officer)
            }
            #expect(try await world.level(of: ana) == "full")
            world.clock.advance(seconds: 729 * Self.day)
            #expect(try await world.level(of: ana) == "full")
        }
    }

    @Test func `a refused renewal ends the level at once`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            world.clock.advance(seconds: 700 * Self.day)
            let id = try await world.submitted(for: ana)
            #expect(try await world.level(of: ana) == "full")
            try await world.decide(id, "rejected", by: try await world.officer())
            #expect(try await world.level(of: ana) == "none")
            #expect(try await world.status(of: ana) == "rejected")
        }
    }

    @Test func `the level of a closed account ends without a word`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            _ = try await world.pool.query("update platform.users set status = 'closed' where id = \(ana)")
            world.clock.advance(seconds: 731 * Self.day)
            #expect(try await world.expiry.run() == 1)
            #expect(try await world.expiry.run() == 0)
            #expect(try await Self.told(world).isEmpty)
        }
    }

    @Test func `expiry beside a renewal that is approved leaves the renewed level`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            try await world.identify(ana)
            world.clock.advance(seconds: 729 * Self.day)
            let id = try await world.submitted(for: ana)
            let officers = [try await world.officer(), try await world.officer()]
            try await world.decide(id, "approved", by: officers[0])
            world.clock.advance(seconds: 20 * Self.day)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.decide(id, "approved", by: officers[1]) }
                for _ in 0..<4 { group.addTask { _ = try await world.expiry.run() } }
                try await group.waitForAll()
            }
            #expect(try await world.status(of: ana) == "approved")
            #expect(try await world.level(of: ana) == "full")
        }
    }

    @Test func `limits follow the level, and its end, at once`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            #expect(try await Self.reasons(world, ana) == ["identification_required", "name_required", "level_limit"])
            try await world.identify(ana)
            #expect(try await Self.reasons(world, ana) == [])
            world.clock.advance(seconds: 730 * Self.day)
            #expect(try await Self.reasons(world, ana) == ["identification_expired"])
            _ = try await world.expiry.run()
            #expect(try await Self.reasons(world, ana).contains("identification_required"))
        }
    }

    /// Why a payment of 50,000 dollars is blocked; empty where it isn't.
    private static func reasons(_ world: KYCWorld, _ user: ID<User>) async throws -> [String] {
        let gate = ComplianceGate(pool: world.pool, ids: world.ids, clock: world.clock)
        let movement = MoneyMovement(
            subject: world.ids.next(User.self).value,
            user: user,
            kind: .payment,
            amount: Money(minorUnits: 5_000_000, .usd),
            identification: (KYCStatus(rawValue: try await world.status(of: user)) ?? .none).identification
        )
        let answer = try await gate.check(movement)
        return answer.outcome == .block ? answer.reasons : []
    }

    private static func told(_ world: KYCWorld) async throws -> [String] {
        try await world.pool.query(
            "select type from platform.outbox_events where type like 'platform.user.identity_%' order by id"
        ).map { try $0[0] }
    }
}
