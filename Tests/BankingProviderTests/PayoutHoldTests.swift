import DomainKit
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// A payout's money is held for as long as its provider is asked, and no provider is asked without.
@Suite struct PayoutHoldTests {
    /// Seconds that the reservation of a withdrawal has left.
    private func secondsLeft(_ world: BankWorld) async throws -> Double {
        try await world.pool.query(
            "select extract(epoch from expires_at - clock_timestamp())::float8 from banking.reservations"
        )[0][0]
    }

    private func letPass(_ world: BankWorld, seconds: Double) async throws {
        _ = try await world.pool.query(
            "update banking.reservations set expires_at = expires_at - make_interval(secs => \(seconds))"
        )
    }

    @Test func `while the provider is away each attempt holds the money on before it`() async throws {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            for attempt in 1...3 {
                try await world.nextAttempt()
                #expect(world.provider.asked == attempt)
                #expect(try await secondsLeft(world) > 23.9 * 3_600)
                // As long as the longest pause between two attempts.
                try await letPass(world, seconds: 6 * 3_600)
                #expect(try await world.runtime.sweeper.sweepOnce().expired == 0)
            }
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            try await world.nextAttempt()
            let sent = try await world.transaction(id)
            #expect(sent.status == .providerProcessing && sent.providerReference == "po_1")
            #expect(try await world.available() == 60_000)
        }
    }

    @Test(arguments: [true, false])
    func `a withdrawal whose money is held no more is not sent, and fails with the money back`(
        isSwept: Bool
    )
        async throws
    {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            try await letPass(world, seconds: 1_801)
            if isSwept { #expect(try await world.runtime.sweeper.sweepOnce().expired == 1) }
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            try await world.nextAttempt()
            let ended = try await world.transaction(id)
            #expect(ended.status == .failed && ended.reason == "reservation_ended")
            #expect(world.provider.asked == 0)
            #expect(try await world.callStatus(id) == "refused")
            #expect(try await world.available() == 100_000)
            #expect(try await LedgerVerifier(schema: .banking, pool: world.pool).verify().isEmpty)
        }
    }

    @Test func `what has ended meanwhile isn't asked for again`() async throws {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            try await world.nextAttempt()
            let by = Initiator(system: "test", correlation: id.value)
            let outcome = try await world.settlement.end(
                try await world.transaction(id),
                reason: "no_such_account",
                by: by,
                with: []
            )
            #expect(outcome == .settled)
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            try await world.nextAttempt()
            #expect(world.provider.asked == 1)
            #expect(try await world.callStatus(id) == "refused")
            #expect(try await world.transaction(id).reason == "no_such_account")
            #expect(try await world.available() == 100_000)
        }
    }
}
