import Kernel
import PostgreSQL
import Testing

@testable import Ledger

/// An item that breaks its batch fails alone.
@Suite struct PoisonTests {
    /// What is wrong with an item.
    enum Poison: String, CaseIterable, Sendable {
        case duplicateRow, missingRow, duplicateTransfer, duplicateReservation, codeWithNUL
    }

    private static func item(_ poison: Poison, _ ledger: TestLedger, taken: LedgerItem) -> LedgerItem {
        let ok = ledger.pay(1, from: ledger.house, to: ledger.customers[0])
        switch poison {
        case .duplicateRow:
            let row = HistoryRow(id: ID(taken.operation.value), entity: taken.operation)
            return ledger.item(ok) { _, _ in .init(rows: [row, row]) }
        case .missingRow: return ledger.item(ok) { _, _ in .init(rows: [MissingRow(entity: ID(404))]) }
        case .duplicateTransfer: return ledger.item(ok, taken.commands[0])
        case .duplicateReservation: return ledger.item(ok, taken.commands[1])
        case .codeWithNUL:
            let transfer = NewTransfer(
                id: ledger.ids.next(),
                debit: ledger.house,
                credit: ledger.customers[0],
                amount: 1,
                code: "a\0b"
            )
            return ledger.item(.transfer(transfer))
        }
    }

    @Test(arguments: Poison.allCases)
    func `a poisoned item fails alone, its neighbours go through`(poison: Poison) async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(10)
            let taken = ledger.item(
                ledger.pay(1, from: ledger.house, to: ledger.customers[0]),
                .reserve(NewReservation(id: ledger.ids.next(), account: ledger.customers[0], amount: 1, kind: "test"))
            )
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            _ = try await store.commit([taken])[0].receipt
            let before = try await ledger.transfers()
            let results = try await PoisonTests.together(
                ledger,
                store,
                (0..<40).map { index in
                    if index == 17 { return PoisonTests.item(poison, ledger, taken: taken) }
                    let row = HistoryRow(id: ledger.ids.next(), entity: ledger.ids.next())
                    return ledger.item(ledger.pay(1, from: ledger.house, to: ledger.customers[1])) { _, _ in
                        .init(rows: [row])
                    }
                }
            )
            for (index, result) in results {
                switch result {
                case .success(let outcome): #expect(index != 17 && outcome.refusal == nil)
                case .failure(let error): #expect(index == 17 && error is PostgresError, "\(error)")
                }
            }
            #expect(results.count == 40)
            #expect(try await ledger.transfers() == before + 39)
            #expect(try await ledger.balance(ledger.customers[1]).posted == 49)
            try await ledger.expectSound()
        }
    }

    /// Submits items so that they are one batch.
    private static func together(
        _ ledger: TestLedger,
        _ store: LedgerStore,
        _ items: [LedgerItem]
    ) async throws -> [(Int, Result<LedgerOutcome, any Error>)] {
        let queue = GroupCommit(store, label: "poison", writers: 1)
        return try await withThrowingTaskGroup(of: (Int, Result<LedgerOutcome, any Error>).self) { group in
            for (index, item) in items.enumerated() {
                group.addTask {
                    do { return (index, .success(try await queue.submit(item))) } catch {
                        return (index, .failure(error))
                    }
                }
            }
            while queue.waiting < items.count { await Task.yield() }
            return try await withThrowingTaskGroup(of: Void.self) { writers in
                writers.addTask { try await queue.run() }
                let results = try await group.reduce(into: []) { $0.append($1) }
                writers.cancelAll()
                return results
            }
        }
    }
}
