import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// Freezes that come between what somebody has read and what they do.
@Suite struct FreezeTests {
    private let by = Initiator(system: "operator:olga", correlation: 1)

    private func statuses(_ world: BankWorld) -> AccountStatuses {
        AccountStatuses(
            runtime: world.runtime,
            ids: world.ids,
            accounts: world.calls.accounts,
            assets: BankAssets(schema: .banking, pool: world.pool)
        )
    }

    private func checking(_ world: BankWorld) async throws -> BankAccount {
        try #require(try await world.calls.accounts.list(of: world.user).first { $0.kind == .checking })
    }

    private func reason(_ world: BankWorld) async throws -> String? {
        try await world.runtime.accounts.balances(of: world.user.value)
            .first { $0.kind == "checking" && $0.total.asset == .usd }?.frozenBecause
    }

    private func chargeback(_ world: BankWorld) -> SQL {
        """
        update banking.ledger_accounts set frozen_because = 'chargeback of txn_1'
        where owner = \(world.user) and kind = 'checking' and asset = 'USD'
        """
    }

    @Test func `a chargeback that comes while an account is let go stays, and so does the account`() async throws {
        try await BankWorld.with { world in
            let statuses = statuses(world)
            let frozen = try await statuses.decide(try await checking(world), .frozen, because: "a report", by: by)
            #expect(try await reason(world) == "account frozen: a report")
            let change = chargeback(world)
            let error = await #expect(throws: Problem.self) {
                try await world.database.overtaking(by: change) {
                    try await statuses.decide(frozen, .open, because: "a mistake", by: by)
                }
            }
            #expect(error?.status == 409 && error?.code == "conflict")
            #expect(try await reason(world) == "chargeback of txn_1")
            #expect(try await checking(world).status == .frozen)
            // Read again, the account goes free, and the money for which there is another reason doesn't.
            let open = try await statuses.decide(try await checking(world), .open, because: "a mistake", by: by)
            #expect(open.status == .open)
            #expect(try await reason(world) == "chargeback of txn_1")
            let others = try await world.runtime.accounts.balances(of: world.user.value).filter {
                $0.frozenBecause != nil
            }
            #expect(others.count == 1)
        }
    }

    @Test func `a chargeback that comes while an account is frozen isn't taken for that, and outlives it`() async throws
    {
        try await BankWorld.with { world in
            let statuses = statuses(world)
            let account = try await checking(world)
            let change = chargeback(world)
            let frozen = try await world.database.overtaking(by: change) {
                try await statuses.decide(account, .frozen, because: "a report", by: by)
            }
            #expect(frozen.status == .frozen)
            #expect(try await reason(world) == "chargeback of txn_1")
            _ = try await statuses.decide(frozen, .open, because: "a mistake", by: by)
            #expect(try await reason(world) == "chargeback of txn_1")
        }
    }

    @Test(arguments: [BankTransaction.Kind.payment, .withdrawal])
    func `what waited and is let go doesn't leave an account that is frozen just then, but after it`(
        _ kind: BankTransaction.Kind
    ) async throws {
        try await BankWorld.with { world in
            let payee: ID<User> = world.ids.next()
            let id = try await world.inReview(kind, to: payee)
            let overtaken = world.held { try await world.freeze(because: "suspicion") }
            #expect(try await overtaken.round() == 0)
            #expect(try await world.transaction(id).status == .inReview)
            #expect(try await world.runtime.accounts.balances(of: payee.value).allSatisfy { $0.total.minorUnits == 0 })
            try await world.freeze(because: nil)
            #expect(try await world.held.round() == 1)
            #expect(try await world.transaction(id).status == (kind == .payment ? .completed : .sentToProvider))
            let paid = try await world.runtime.accounts.balances(of: payee.value).map(\.total.minorUnits)
            #expect(paid == (kind == .payment ? [40_000] : []))
            #expect(try await LedgerVerifier(schema: .banking, pool: world.pool).verify().isEmpty)
        }
    }
}
