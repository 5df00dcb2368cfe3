import Kernel
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// Connections are killed in the middle of batches; callers keep a journal of what they were answered.
@Suite struct KilledBackendsTests {
    private static let callers = 24
    private static let operationsEach = 60
    private static let killsMin = 12

    /// What a caller was told of an operation.
    private enum Told: Equatable {
        case done
        /// Nothing took effect.
        case failed
        case unknown
    }

    private struct Entry {
        let transfer: ID<Transfer>
        let told: Told
    }

    private final class Progress: Sendable {
        let working = Mutex(callers)
        let kills = Mutex(0)
    }

    @Test func `nothing acknowledged is lost and nothing is done twice when backends are killed`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000_000)
            let journal = try await ledger.running { first in
                try await ledger.running { second in try await KilledBackendsTests.run(ledger, [first, second]) }
            }
            let stored: [ID<Transfer>] = try await ledger.owner.query("select id from banking.ledger_transfers").map {
                try $0[0]
            }
            let present = Set(stored)
            #expect(
                journal.filter { $0.told == .done && !present.contains($0.transfer) }.isEmpty,
                "acknowledged and lost"
            )
            #expect(journal.filter { $0.told == .failed && present.contains($0.transfer) }.isEmpty, "denied and done")
            #expect(journal.filter { $0.told == .done }.count > journal.count / 2)
            // A use of a limit has no id of its own: only its sum tells whether it was done once.
            let used: Int128 = try await ledger.owner.query(
                "select sum(used) from banking.account_usage where span = 'day'"
            )[0][0]
            #expect(used == Int128(journal.filter { present.contains($0.transfer) }.count))
            try await ledger.expectSound()
        }
    }

    private static func run(_ ledger: TestLedger, _ ledgers: [Ledger]) async throws -> [Entry] {
        let progress = Progress()
        let killer = Pool(
            ConnectionOptions(url: ledger.database.url, applicationName: "killer"),
            size: 1,
            waitSeconds: 30
        )
        defer { killer.close() }
        return try await withThrowingTaskGroup(of: [Entry].self) { group in
            group.addTask {
                while progress.working.withLock({ $0 > 0 }) {
                    let killed = try await killer.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and application_name = 'test' and state <> 'idle' limit 2
                        """
                    )
                    progress.kills.withLock { $0 += killed.count }
                    _ = try await killer.query("select pg_sleep(0.02)")
                }
                return []
            }
            for caller in 0..<callers {
                group.addTask {
                    defer { progress.working.withLock { $0 -= 1 } }
                    var entries: [Entry] = []
                    // On a quick machine the callers go on until enough was killed.
                    while entries.count < operationsEach
                        || (progress.kills.withLock { $0 < killsMin } && entries.count < 5_000)
                    {
                        entries.append(await one(ledger, ledgers[(caller + entries.count) % 2], caller))
                    }
                    return entries
                }
            }
            let journal = try await group.reduce(into: []) { $0 += $1 }
            #expect(progress.kills.withLock { $0 } >= killsMin)
            return journal
        }
    }

    private static func one(_ ledger: TestLedger, _ to: Ledger, _ caller: Int) async -> Entry {
        let id = ledger.ids.next(Transfer.self)
        let account = ledger.customers[caller % ledger.customers.count]
        let item = ledger.item(
            .transfer(NewTransfer(id: id, debit: account, credit: ledger.house, amount: 1, code: "payment")),
            .use(Usage(account: account, counter: "payment", amount: 1, dayLimit: nil, monthLimit: nil))
        )
        do {
            _ = try await to.submit(item).receipt
            return Entry(transfer: id, told: .done)
        } catch PostgresError.outcomeUnknown {
            return Entry(transfer: id, told: .unknown)
        } catch {
            return Entry(transfer: id, told: .failed)
        }
    }
}
