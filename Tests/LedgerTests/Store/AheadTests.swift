import Kernel
import PostgreSQL
import Testing

@testable import Ledger

/// Batches that are decided while those before them are still being stored.
@Suite struct AheadTests {
    private static func store(_ ledger: TestLedger) -> LedgerStore {
        LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
    }

    /// What an account is like now, as a batch under way would leave it.
    private static func state(of account: ID<LedgerAccount>, _ ledger: TestLedger) async throws -> SeenAccount {
        let rows = try await ledger.pool.query(
            "select posted, version, recorded_at from banking.ledger_accounts where id = \(account)"
        )
        let state = AccountState(
            id: account,
            asset: "USD",
            posted: try rows[0]["posted"],
            version: try rows[0]["version"]
        )
        return SeenAccount(state: state, changedAt: try rows[0]["recorded_at"])
    }

    /// Batches of one payment from customer to customer each, all at once.
    private static func pay(_ ledger: TestLedger, by stores: [LedgerStore], batches: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<batches {
                let (from, to) = (ledger.customers[index % 4], ledger.customers[(index + 1 + index / 4 % 3) % 4])
                group.addTask {
                    let items = (0..<5).map { _ in ledger.item(ledger.pay(1, from: from, to: to)) }
                    for outcome in try await stores[index % stores.count].commit(items) { _ = try outcome.receipt }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `batches of one process follow each other without a conflict`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let store = AheadTests.store(ledger)
            try await AheadTests.pay(ledger, by: [store], batches: 60)
            #expect(try await ledger.transfers() == 4 + 300)
            #expect(store.turns.pacing.conflicts == 0)
            try await ledger.expectSound()
        }
    }

    @Test func `batches of two processes go under locks where they meet`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            try await AheadTests.pay(ledger, by: [AheadTests.store(ledger), AheadTests.store(ledger)], batches: 60)
            #expect(try await ledger.transfers() == 4 + 300)
            try await ledger.expectSound()
        }
    }

    @Test func `money that a batch would have brought but did not is not spent`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let store = AheadTests.store(ledger)
            let phantom = AccountState(id: ledger.customers[0], asset: "USD", posted: 1_000, version: 2)
            _ = store.turns.uncommitted.add([phantom], at: try await ledger.now())
            let payment = ledger.item(ledger.pay(500, from: ledger.customers[0], to: ledger.customers[1]))
            let outcome = try await store.commit([payment])[0]
            #expect(
                outcome.refusal
                    == .insufficientFunds(account: ledger.customers[0], available: 10, requested: 500)
            )
            #expect(store.turns.pacing.conflicts == 1)
            #expect(try await ledger.transfers() == 4)
            try await ledger.expectSound()
        }
    }

    @Test func `a refusal that follows from what is not committed yet is decided again`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let store = AheadTests.store(ledger)
            let spent = AccountState(id: ledger.customers[0], asset: "USD", posted: 0, version: 2)
            _ = store.turns.uncommitted.add([spent], at: try await ledger.now())
            let payment = ledger.item(ledger.pay(10, from: ledger.customers[0], to: ledger.customers[1]))
            _ = try await store.commit([payment])[0].receipt
            #expect(try await ledger.balance(ledger.customers[0]).posted == 0)
            try await ledger.expectSound()
        }
    }

    @Test func `an account that another process froze or reserved on meanwhile is seen`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let store = AheadTests.store(ledger)
            let frozen = try await AheadTests.state(of: ledger.customers[0], ledger)
            let held = try await AheadTests.state(of: ledger.customers[1], ledger)
            _ = store.turns.uncommitted.add([frozen.state], at: frozen.changedAt)
            _ = store.turns.uncommitted.add([held.state], at: held.changedAt)
            _ = try await AheadTests.store(ledger).commit([
                ledger.item(.freeze(ledger.customers[0], because: "checked"))
            ])
            _ = try await ledger.reserve(8, on: ledger.customers[1])
            let outcomes = try await store.commit(
                [0, 1].map { ledger.item(ledger.pay(5, from: ledger.customers[$0], to: ledger.customers[2])) }
            )
            #expect(outcomes[0].refusal == .accountFrozen(ledger.customers[0]))
            #expect(
                outcomes[1].refusal == .insufficientFunds(account: ledger.customers[1], available: 2, requested: 5)
            )
            try await ledger.expectSound()
        }
    }

    @Test func `whoever shares an account waits for those before it, the others don't`() {
        let ids = IDGenerator()
        let accounts: [ID<LedgerAccount>] = (0..<3).map { _ in ids.next() }
        let turns = AccountTurns()
        let first = turns.enter([accounts[0]])
        let second = turns.enter([accounts[0], accounts[1]])
        let third = turns.enter([accounts[1]])
        let other = turns.enter([accounts[2]])
        #expect([first, second, third, other].map(turns.hasReached) == [true, false, false, true])
        turns.leave(first)
        turns.leave(first)
        #expect([second, third].map(turns.hasReached) == [true, false])
        turns.leave(second)
        #expect(turns.hasReached(third))
    }

    @Test func `a batch that is forgotten leaves what a later one noted`() async {
        let (ids, uncommitted) = (IDGenerator(), UncommittedAccounts())
        let id: ID<LedgerAccount> = ids.next()
        func note(_ posted: Int128) -> Int {
            uncommitted.add([AccountState(id: id, asset: "USD", posted: posted)], at: Timestamp(microseconds: 0))
        }
        let (earlier, later) = (note(1), note(2))
        uncommitted.remove([id], of: earlier)
        #expect(uncommitted.states(of: [id])[id]?.state.posted == 2)
        uncommitted.remove([id], of: later)
        #expect(uncommitted.states(of: [id]).isEmpty)
    }

    @Test func `after a conflict some batches go under locks, after another one twice as many`() {
        let pacing = AheadPacing()
        for pause in [AheadPacing.pauseMin, AheadPacing.pauseMin * 2] {
            #expect(pacing.allowsAhead())
            pacing.metConflict()
            for _ in 0..<pause { #expect(!pacing.allowsAhead()) }
        }
        #expect(pacing.allowsAhead())
        pacing.wentThrough()
        pacing.metConflict()
        for _ in 0..<AheadPacing.pauseMin { #expect(!pacing.allowsAhead()) }
        #expect(pacing.allowsAhead())
    }
}
