import Kernel
import PostgreSQL
import Randomness
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// The whole ledger on PostgreSQL, two processes' worth, against the dictionary ledger; no sweeper runs.
@Suite struct StoreDifferentialTests {
    private static let batches = 150
    private static let batchMax = 10

    /// Opens the accounts of the random operations under the ids that these use.
    private static func open(_ ledger: TestLedger) async throws {
        for account in RandomOperations.accounts {
            _ = try await ledger.owner.query(
                """
                insert into \(TestLedger.schema).ledger_accounts (id, owner, kind, asset, may_go_negative)
                values (\(account.id), \(account.owner), \("random \(account.id)"), \(account.asset),
                    \(account.mayGoNegative))
                """
            )
        }
    }

    @Test(arguments: [UInt64(11), 12])
    func `two ledgers in turn answer as the dictionary ledger does`(seed: UInt64) async throws {
        try await TestLedger.with(customers: 0) { ledger in
            try await TestClock.install(ledger)
            try await StoreDifferentialTests.open(ledger)
            try await ledger.running { first in
                try await ledger.running { second in
                    try await StoreDifferentialTests.compare(ledger, [first, second], seed: seed)
                }
            }
            let problems = try await ledger.verifier.verify()
            #expect(problems.isEmpty, "seed \(seed)")
        }
    }

    private static func compare(_ ledger: TestLedger, _ ledgers: [Ledger], seed: UInt64) async throws {
        var operations = RandomOperations(seed: seed)
        var dictionary = DictionaryLedger()
        for account in RandomOperations.accounts {
            dictionary.open(account.id, .init(asset: account.asset, mayGoNegative: account.mayGoNegative))
        }
        // Ids stay in the window of open partitions only as long as the clock stays near the real one.
        for batch in 0..<batches {
            try await TestClock.advance(
                ledger,
                seconds: operations.random.once(in: 30) ? 7_200 : operations.random.below(30)
            )
            operations.now = try await shiftedNow(ledger)
            let items = (0...operations.random.below(batchMax)).map { _ in operations.next() }
            let instant = Mutex<Timestamp?>(nil)
            let noting = items.map { item in
                LedgerItem(operation: item.operation, commands: item.commands) { _, at in
                    instant.withLock { $0 = at }
                    return .init()
                }
            }
            let running = ledgers[batch % ledgers.count]
            let outcomes =
                items.count == 1 ? [try await running.submit(noting[0])] : try await running.submit(batch: noting)
            dictionary.now = try #require(instant.withLock { $0 })
            for (item, outcome) in zip(items, outcomes) {
                let expected = dictionary.apply(item.commands, of: item.operation)
                guard try agree(outcome, expected) else {
                    Issue.record("seed \(seed), batch \(batch): \(outcome), expected \(expected) of \(item.commands)")
                    return
                }
                if let receipt = try? outcome.receipt { operations.took(receipt) }
            }
            dictionary.store()
            try await expectBalances(ledger, dictionary, "seed \(seed), batch \(batch)")
        }
    }

    private static func shiftedNow(_ ledger: TestLedger) async throws -> Timestamp {
        try await ledger.owner.query("select pg_catalog.clock_timestamp() + by from shifted.shift")[0][0]
    }

    private static func agree(
        _ outcome: LedgerOutcome,
        _ expected: Result<DictionaryLedger.Receipt, LedgerRefusal>
    ) throws -> Bool {
        switch (outcome, expected) {
        case (.done(let receipt, _), .success(let right)):
            return receipt.transfers == right.transfers
                && receipt.reservations.map(\.id).sorted() == right.touched.sorted()
        case (.refused(let refusal, _), .failure(let right)): return refusal == right
        default: return false
        }
    }

    private static func expectBalances(_ ledger: TestLedger, _ dictionary: DictionaryLedger, _ at: String) async throws
    {
        for account in RandomOperations.accounts {
            let stored = try await ledger.balance(account.id)
            let expected = (dictionary.posted(account.id), dictionary.reserved(account.id))
            #expect(stored == expected, "\(at): \(account.id)")
        }
    }

    @Test func `many callers of two ledgers leave a sound ledger`() async throws {
        try await TestLedger.with(customers: 0) { ledger in
            try await StoreDifferentialTests.open(ledger)
            let done = try await ledger.running { first in
                try await ledger.running { second in
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for caller in 0..<32 {
                            group.addTask { try await StoreDifferentialTests.submit(caller, to: [first, second]) }
                        }
                        return try await group.reduce(0, +)
                    }
                }
            }
            #expect(done > 500)
            try await ledger.expectSound()
        }
    }

    /// Submits random operations one after the other; how many were done.
    private static func submit(_ caller: Int, to ledgers: [Ledger]) async throws -> Int {
        var operations = RandomOperations(seed: UInt64(caller) * 1_000_003)
        // Ids of different callers differ in bits that the counter never reaches.
        operations.idBits = UInt128(caller + 1) << 40
        var done = 0
        for _ in 0..<80 {
            operations.now = SystemClock().now()
            let outcome = try await ledgers[operations.random.below(ledgers.count)].submit(operations.next())
            if let receipt = try? outcome.receipt {
                operations.took(receipt)
                done += 1
            }
        }
        return done
    }
}
