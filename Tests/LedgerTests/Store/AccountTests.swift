import Kernel
import PostgreSQL
import Testing

@testable import Ledger

/// Accounts that are opened many at a time.
struct AccountTests {
    private static let count = 300

    @Test func `many accounts are opened at once, by several who know of none, each account once`() async throws {
        try await TestLedger.with { world in
            let user: ID<User> = world.ids.next()
            let keys = (0..<Self.count).map { AccountKey(user, "kind_\($0)", $0.isMultiple(of: 2) ? .usd : .usdc) }
            // Each with a memory of its own, and in another order.
            let opened = try await withThrowingTaskGroup(of: [AccountKey: ID<LedgerAccount>].self) { group in
                for _ in 0..<4 {
                    let (accounts, order) = (world.accounts, keys.shuffled() + [keys[0]])
                    group.addTask { try await accounts.open(order) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(opened.allSatisfy { $0 == opened[0] })
            #expect(Set(opened[0].keys) == Set(keys) && Set(opened[0].values).count == Self.count)
            let stored = try await world.pool.query(
                "select count(*) from banking.ledger_accounts where owner = \(user)"
            )
            #expect(try stored[0][0] == Self.count)
            #expect(try await world.accounts.find(keys) == opened[0])
            #expect(try await world.accounts.open([]).isEmpty)
        }
    }

    @Test func `totals are those of the accounts that there are`() async throws {
        try await TestLedger.with { world in
            let (accounts, user): (LedgerAccounts, ID<User>) = (world.accounts, world.ids.next())
            let (full, empty) = (AccountKey(user, "full", .usd), AccountKey(user, "empty", .usd))
            let missing = AccountKey(user, "missing", .usd)
            let ids = try await accounts.open([full, empty])
            let store = LedgerStore(schema: TestLedger.schema, pool: world.pool, onCommit: {})
            let paid = world.pay(1_234, from: world.house, to: try #require(ids[full]))
            _ = try await store.commit([world.item(paid)])[0].receipt
            #expect(try await accounts.totals(of: [full, empty, missing]) == [full: 1_234, empty: 0])
            #expect(try await accounts.totals(of: []).isEmpty)
        }
    }
}
