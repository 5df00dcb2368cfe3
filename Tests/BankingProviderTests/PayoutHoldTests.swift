import Compliance
import DomainKit
import Identity
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

    @Test func `what was asked for before a freeze waits for its end with its money held, however long, and goes on`()
        async throws
    {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            try await world.nextAttempt()
            #expect(world.provider.asked == 1)
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            try await world.freeze(because: "chargeback")
            for _ in 0...ProviderCalls.attemptsMax {
                try await world.nextAttempt()
                try await letPass(world, seconds: 23.9 * 3_600)
                #expect(try await world.runtime.sweeper.sweepOnce().expired == 0)
            }
            #expect(world.provider.asked == 1)
            #expect(try await world.callStatus(id) == "pending")
            #expect(try await world.transaction(id).status == .sentToProvider)
            try await world.freeze(because: nil)
            try await world.nextAttempt()
            #expect(world.provider.asked == 2)
            #expect(try await world.transaction(id).status == .providerProcessing)
            #expect(try await world.available() == 60_000)
        }
    }

    @Test func `what is over while an account is frozen ends, and its money is there`() async throws {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            try await world.freeze(because: "suspicion")
            try await letPass(world, seconds: 1_801)
            try await world.nextAttempt()
            #expect(world.provider.asked == 0)
            #expect(try await world.transaction(id).reason == "reservation_ended")
            #expect(try await world.available() == 100_000)
        }
    }

    @Test func `nothing is paid out for a customer who is locked meanwhile, until they are free again`() async throws {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            for (status, asked) in [("locked", 0), ("active", 1)] {
                _ = try await world.platform.query(
                    "update platform.users set status = \(status) where id = \(world.user)"
                )
                world.checks.users.forget(world.user)
                try await world.nextAttempt()
                #expect(world.provider.asked == asked)
            }
            #expect(try await world.transaction(id).status == .providerProcessing)
        }
    }

    @Test(arguments: [ComplianceCases.Decision.released, .confirmed])
    func `a case that is opened meanwhile stops a payout until it is decided, or ends it`(
        decision: ComplianceCases.Decision
    ) async throws {
        try await BankWorld.with { world in
            let id = try await world.withdrawal()
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            let cases = ComplianceCases(pool: world.platform, ids: world.ids, clock: SystemClock())
            let alert = ComplianceCases.Alert(
                user: world.user,
                kind: .aml,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            try await cases.raise([alert], evidence: [:])
            try await world.nextAttempt()
            #expect(world.provider.asked == 0)
            let opened = try #require(try await cases.queue().first?["id"]?.stringValue)
            let found = try #require(ID<ComplianceCase>(wire: opened))
            try await cases.propose(found, decision, by: "ada")
            try await cases.decide(found, agrees: true, by: "bob")
            world.compliance.forget()
            try await world.nextAttempt()
            let isReleased = decision == .released
            #expect(world.provider.asked == (isReleased ? 1 : 0))
            let transaction = try await world.transaction(id)
            #expect(transaction.status == (isReleased ? .providerProcessing : .failed))
            #expect(transaction.reason == (isReleased ? nil : "refused"))
            #expect(try await world.callStatus(id) == (isReleased ? "done" : "refused"))
            #expect(try await world.available() == (isReleased ? 60_000 : 100_000))
        }
    }

    @Test func `nothing goes to an account elsewhere that is frozen, and what goes to a closed one comes back`()
        async throws
    {
        try await BankWorld.with { world in
            let linked = try await world.calls.accounts.link(
                .wire,
                label: "Elsewhere",
                token: "tok_1",
                lastDigits: "1234",
                verification: .verified,
                for: world.user
            )
            func set(_ status: BankAccount.Status) async throws {
                _ = try await world.pool.query(
                    "update banking.accounts set status = \(status) where id = \(linked.id)"
                )
            }
            world.provider.answer(.accepted(reference: "po_1", action: nil))
            let first = try await world.withdrawal(to: linked.id)
            try await set(.frozen)
            for _ in 0...ProviderCalls.attemptsMax { try await world.nextAttempt() }
            #expect(world.provider.asked == 0)
            #expect(try await world.callStatus(first) == "pending")
            try await set(.open)
            try await world.nextAttempt()
            #expect(world.provider.asked == 1)
            #expect(try await world.transaction(first).status == .providerProcessing)
            let second = try await world.withdrawal(to: linked.id)
            try await set(.closed)
            try await world.nextAttempt()
            #expect(world.provider.asked == 1)
            let ended = try await world.transaction(second)
            #expect(ended.status == .failed && ended.reason == "linked_account_closed")
            #expect(try await world.available() == 60_000)
        }
    }
}
