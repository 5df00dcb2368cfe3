import Kernel
import PostgreSQL
import TestSupport
import Testing

@testable import Ledger

@Suite struct LedgerSubmitTests {
    private static let tables: [SQL] = [
        "select count(*) from banking.ledger_transfers", "select count(*) from banking.reservations",
        "select count(*) from banking.account_usage", "select count(*) from banking.idempotency_keys",
        "select count(*) from banking.status_history", "select sum(version)::bigint from banking.ledger_accounts",
    ]

    private static func counts(_ ledger: TestLedger) async throws -> [Int] {
        var counts: [Int] = []
        for table in tables { counts.append(try await ledger.count(table)) }
        return counts
    }

    @Test func `a refusal stores nothing but what its finish asks for`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let before = try await LedgerSubmitTests.counts(ledger)
            let (alice, bob) = (ledger.customers[0], ledger.customers[1])
            let commands: [LedgerCommand] = [
                .use(Usage(account: alice, counter: "payment", amount: 5, dayLimit: nil, monthLimit: nil)),
                .reserve(NewReservation(id: ledger.ids.next(), account: alice, amount: 5, kind: "withdrawal")),
                .freeze(bob, because: "why"), ledger.pay(6, from: alice, to: bob),
            ]
            try await ledger.running { running in
                let outcome = try await running.submit(LedgerItem(operation: ledger.ids.next(), commands: commands))
                #expect(outcome.refusal == .insufficientFunds(account: alice, available: 5, requested: 6))
                #expect(try await LedgerSubmitTests.counts(ledger) == before)
                let row = HistoryRow(id: ledger.ids.next(), entity: ledger.ids.next())
                let told = LedgerItem(operation: ledger.ids.next(), commands: commands) { _, _ in .init(rows: [row]) }
                #expect(try await running.submit(told).refusal != nil)
            }
            #expect(try await ledger.count("select count(*) from banking.status_history") == before[4] + 1)
            #expect(try await ledger.balance(alice) == (10, 0))
        }
    }

    @Test func `a dry run tells what would happen and stores nothing`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let before = try await LedgerSubmitTests.counts(ledger)
            let running = Ledger(schema: TestLedger.schema, pool: ledger.pool)
            let outcomes = try await running.dryRun([
                ledger.item(ledger.pay(6, from: ledger.customers[0], to: ledger.customers[1])),
                ledger.item(ledger.pay(6, from: ledger.customers[0], to: ledger.customers[1])),
                ledger.item(ledger.pay(16, from: ledger.customers[1], to: ledger.customers[0])),
            ])
            #expect(try outcomes[0].receipt.transfers.first?.creditPosted == 16)
            #expect(outcomes[1].refusal == .insufficientFunds(account: ledger.customers[0], available: 4, requested: 6))
            #expect(outcomes[2].refusal == nil)
            #expect(try await LedgerSubmitTests.counts(ledger) == before)
            #expect(ledger.pool.inUse == 0)
        }
    }

    @Test func `a full queue takes nothing more`() async throws {
        try await TestLedger.with { ledger in
            // Nobody runs this ledger yet, so what is submitted stays in the queue.
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            let queue = GroupCommit(store, label: "full", queueMax: 3)
            try await withThrowingTaskGroup(of: LedgerOutcome.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await queue.submit(ledger.item(ledger.pay(1, from: ledger.house, to: ledger.customers[0])))
                    }
                }
                while queue.waiting < 3 { await Task.yield() }
                await #expect {
                    _ = try await queue.submit(ledger.item(ledger.pay(1, from: ledger.house, to: ledger.customers[0])))
                } throws: { error in
                    if case GroupCommitError.full = error { true } else { false }
                }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    writers.addTask { try await queue.run() }
                    for try await outcome in group { _ = try outcome.receipt }
                    writers.cancelAll()
                }
            }
            #expect(try await ledger.balance(ledger.customers[0]).posted == 3)
            await #expect {
                _ = try await queue.submit(ledger.item())
            } throws: { error in
                if case GroupCommitError.closed = error { true } else { false }
            }
        }
    }

    @Test func `a refused operation is decided with due reservations of all accounts of its batch`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let (alice, bob) = (ledger.customers[0], ledger.customers[1])
            let due = try await ledger.now().adding(seconds: -1)
            let first = try await ledger.reserve(10, on: alice, until: due)
            let second = try await ledger.reserve(10, on: bob, until: due)
            try await ledger.running { running in
                // Each leg alone lacks funds; the second comes into sight once the first has them.
                let outcome = try await running.submit(
                    ledger.item(
                        ledger.pay(10, from: alice, to: ledger.house),
                        ledger.pay(10, from: bob, to: ledger.house)
                    )
                )
                #expect(outcome.refusal == nil)
            }
            #expect(try await ledger.phase(first) == .expired)
            #expect(try await ledger.phase(second) == .expired)
            try await ledger.expectSound()
        }
    }

    @Test func `a limit's use is read on both sides of midnight`() async throws {
        try await TestLedger.with { ledger in
            let alice = ledger.customers[0]
            let usage = Usage(account: alice, counter: "withdrawal", amount: 60, dayLimit: 100, monthLimit: 100)
            // The batch's instant is the last of the month, whatever is read after it is read in the next one.
            let tomorrow = try await ledger.now().adding(seconds: 40 * 86_400).day.firstOfMonth.start
            let last = Timestamp(microseconds: tomorrow.microseconds - 1)
            for span in UsageSpan.allCases {
                _ = try await ledger.owner.query(
                    """
                    insert into \(TestLedger.schema).account_usage (account, counter, span, starts, used)
                    values (\(alice), \("withdrawal"), \(span), \(span.start(of: last)), 60)
                    """
                )
            }
            try await TestClock.install(ledger, first: last, then: tomorrow)
            let fresh = Ledger(schema: TestLedger.schema, pool: ledger.database.pool(TestLedger.schema, size: 1))
            let outcomes = try await fresh.submit(batch: [ledger.item(.use(usage))])
            #expect(
                outcomes[0].refusal
                    == .limitExceeded(counter: "withdrawal", span: .day, limit: 100, used: 60, requested: 60)
            )
        }
    }

    @Test func `balances leave out reservations whose time is over`() async throws {
        try await TestLedger.with { ledger in
            let owner = ledger.ids.next(User.self)
            let account = try await ledger.accounts.open(AccountKey(owner, "checking", .usd))
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            _ = try await store.commit([ledger.item(ledger.pay(100, from: ledger.house, to: account))])
            let now = try await ledger.now()
            _ = try await ledger.reserve(30, on: account, until: now.adding(seconds: -1))
            _ = try await ledger.reserve(20, on: account, until: now.adding(seconds: 600))
            let balance = try #require(try await ledger.accounts.balances(of: owner.value).first)
            #expect(balance.total.minorUnits == 100)
            #expect(balance.reserved.minorUnits == 20)
            #expect(balance.available.minorUnits == 80)
        }
    }

    @Test func `an account is opened once by many at once`() async throws {
        try await TestLedger.with { ledger in
            let key = AccountKey(ledger.ids.next(User.self), "savings", .eur)
            let ids = try await withThrowingTaskGroup(of: ID<LedgerAccount>.self) { group in
                for _ in 0..<32 { group.addTask { try await ledger.accounts.open(key) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
        }
    }
}
