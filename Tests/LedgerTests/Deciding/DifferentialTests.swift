import Foundation
import Kernel
import Randomness
import Testing

@testable import Ledger

/// `LedgerCore` against the ledger that anybody would write down, outcome by outcome.
@Suite struct DifferentialTests {
    /// Commands of a run; `DIBOAS_LEDGER_COMMANDS` sets another number, `DIBOAS_LEDGER_SEED` another start.
    static let commands = number("DIBOAS_LEDGER_COMMANDS") ?? 1_000_000
    static let firstSeed = UInt64(number("DIBOAS_LEDGER_SEED") ?? 1)
    /// Commands of one world, after which a new one is begun: the slow ledger's time grows with its square.
    static let worldMax = 90
    static let batchMax = 12

    static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    /// Runs beside each other, with every other seed each.
    static let parts = 2

    @Test(arguments: 0..<parts) func `the core answers as the dictionary ledger does`(part: Int) async {
        var done = 0
        var seed = DifferentialTests.firstSeed + UInt64(part)
        var secondDecisions = 0
        var accepted = 0
        var refusals: Set<String> = []
        while done < DifferentialTests.commands / DifferentialTests.parts {
            var world = World(seed: seed)
            // Every hundredth world is a long one.
            let end = seed % 100 < DifferentialTests.parts ? DifferentialTests.worldMax * 8 : DifferentialTests.worldMax
            while world.commands < end, world.difference == nil { world.batch() }
            if let difference = world.difference {
                Issue.record("seed \(seed), after \(world.commands) commands: \(difference)")
                return
            }
            // The threads are few and shared with tests that wait for servers.
            await Task.yield()
            done += world.commands
            secondDecisions += world.core.secondDecisions
            accepted += world.accepted
            refusals.formUnion(world.refusals)
            seed += UInt64(DifferentialTests.parts)
        }
        // The run must have been about something.
        #expect(accepted > done / 20)
        #expect(secondDecisions > done / 200)
        #expect(refusals.count == 19, "\(refusals.sorted())")
    }
}

/// Both ledgers, fed with the same operations.
private struct World {
    var operations: RandomOperations
    var core = MemoryStore()
    var dictionary = DictionaryLedger()
    var commands = 0
    var accepted = 0
    /// The names of the cases that were met.
    var refusals: Set<String> = []
    var difference: String?

    init(seed: UInt64) {
        operations = RandomOperations(seed: seed)
        for account in RandomOperations.accounts {
            core.open(account)
            dictionary.open(account.id, .init(asset: account.asset, mayGoNegative: account.mayGoNegative))
        }
    }

    mutating func batch() {
        operations.pass()
        let items = (0...operations.random.below(DifferentialTests.batchMax)).map { _ in operations.next() }
        let outcomes = core.commit(items, at: operations.now)
        dictionary.now = operations.now
        for (item, outcome) in zip(items, outcomes) {
            commands += item.commands.count
            let expected = dictionary.apply(item.commands, of: item.operation)
            switch outcome {
            case .success(let receipt):
                accepted += 1
                operations.took(receipt)
            case .failure(let refusal): refusals.insert(String("\(refusal)".prefix { $0 != "(" }))
            }
            if let what = compare(outcome, expected) {
                difference = "\(what)\nof \(item.commands)\nat \(operations.now)"
                return
            }
        }
        dictionary.store()
        difference = compareStates() ?? core.brokenRules().first
    }

    private func compare(
        _ outcome: Result<LedgerCore.Receipt, LedgerRefusal>,
        _ expected: Result<DictionaryLedger.Receipt, LedgerRefusal>
    ) -> String? {
        switch (outcome, expected) {
        case (.failure(let left), .failure(let right)): return left == right ? nil : "\(left), expected \(right)"
        case (.success(let left), .success(let right)):
            if left.transfers != right.transfers { return "\(left.transfers), expected \(right.transfers)" }
            // Lists, so that a reservation named twice is seen.
            let ids = left.reservations.map(\.id).sorted()
            if ids != right.touched.sorted() { return "touched \(ids), expected \(right.touched)" }
            for reservation in left.reservations {
                if let what = differs(reservation) { return what }
            }
            return differs(left)
        default: return "\(outcome), expected \(expected)"
        }
    }

    /// The accounts in a receipt are the customers' whose money moved or is held otherwise, as they are now.
    private func differs(_ receipt: LedgerCore.Receipt) -> String? {
        var expected = Set(receipt.transfers.flatMap { [$0.debit, $0.credit] })
        expected = expected.filter { dictionary.state.accounts[$0]?.mayGoNegative == false }
        let named = Set(receipt.accounts.map(\.id))
        if !expected.isSubset(of: named) { return "accounts \(named), expected \(expected)" }
        for account in receipt.accounts {
            let numbers = (
                dictionary.posted(account.id), dictionary.reserved(account.id), dictionary.version(account.id)
            )
            if (account.posted, account.reserved, account.version) != numbers {
                return "\(account), expected \(numbers)"
            }
        }
        return nil
    }

    private func differs(_ reservation: ReservationState) -> String? {
        guard let hold = dictionary.state.holds[reservation.id] else { return "\(reservation) isn't there" }
        let expected = ReservationState(
            id: reservation.id,
            account: hold.account,
            operation: hold.operation,
            kind: hold.kind,
            amount: hold.amount,
            captured: hold.captured,
            phase: hold.phase,
            expiresAt: hold.expiresAt,
            createdAt: hold.createdAt,
            endedAt: hold.endedAt,
            reason: hold.reason,
            settledBy: hold.settledBy
        )
        return reservation == expected ? nil : "\(reservation), expected \(expected)"
    }

    private func compareStates() -> String? {
        for (id, account) in core.accounts {
            let expected = (
                dictionary.posted(id), dictionary.reserved(id), dictionary.version(id),
                dictionary.state.accounts[id]?.frozenBecause
            )
            if (account.posted, account.reserved, account.version, account.frozenBecause) != expected {
                return "\(account), expected \(expected)"
            }
        }
        if core.reservations.count != dictionary.state.holds.count { return "other reservations" }
        for reservation in core.reservations.values {
            if let what = differs(reservation) { return what }
        }
        for (key, used) in core.usage {
            let expected = dictionary.used(key.counter, key.account, key.span, key.starts.start)
            if used != expected { return "\(key) is \(used), expected \(expected)" }
        }
        return nil
    }
}
