import DomainKit
import DomainTransfers
import Kernel
import Messaging
import PostgreSQL
import Testing

/// Money on its way is seen, and so is what should have arrived.
@Suite struct TransitTests {
    @Test func `the check tells what is on its way until it has arrived`() async throws {
        try await World.with { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 1_000, .usd), in: .investing)
            _ = try await world.sent(user, Money(minorUnits: 300, .usd), from: .investing, to: .banking)
            let all = try World.schemas.map { try world.member($0).transfers }
            let differences = try await TransitCheck.differences(all)
            #expect(differences.count == 1)
            let difference = try #require(differences.first)
            #expect(Set([difference.first, difference.second]) == ["banking", "investing"])
            #expect(difference.asset == "USD")
            #expect(difference.amount == 300)
            try await world.settle()
            #expect(try await TransitCheck.differences(all).isEmpty)
        }
    }

    @Test func `the age of the oldest transfer counts from when it left`() async throws {
        try await World.with { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 1_000, .usd), in: .banking)
            let id = try await world.sent(user, Money(minorUnits: 300, .usd), from: .banking, to: .investing)
            let member = try world.member(.banking)
            _ = try await member.runtime.pool.query(
                "update banking.transfers set updated_at = updated_at - interval '400 seconds' where id = \(id)"
            )
            let ages = try await member.transfers.oldestInTransitSeconds()
            #expect(Set(ages.keys) == ["investing"])
            #expect((400..<460).contains(ages["investing"] ?? 0))
            try await world.settle()
            #expect(try await member.transfers.oldestInTransitSeconds().isEmpty)
        }
    }

    @Test func `the database refuses a change that no transfer has`() async throws {
        try await World.with { world in
            let user = world.ids.next(User.self)
            try await world.fund(user, Money(minorUnits: 1_000, .usd), in: .banking)
            let id = try await world.sent(user, Money(minorUnits: 300, .usd), from: .banking, to: .investing)
            try await world.settle()
            let pool = try world.member(.banking).runtime.pool
            let error = await #expect(throws: PostgresError.self) {
                try await pool.query(
                    "update banking.transfers set status = 'returned', reason = 'a test' where id = \(id)"
                )
            }
            #expect(error?.state == "23514")
        }
    }
}
