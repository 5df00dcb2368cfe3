import Kernel
import PostgreSQL
import Testing

@testable import Ledger

@Suite struct HistoryTests {
    private static func pay(_ ledger: TestLedger, _ count: Int) async throws {
        let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
        for index in 0..<count {
            let (from, to) = (ledger.customers[index % 4], ledger.customers[(index + 1 + index % 3) % 4])
            let batch = (0...(index % 3)).map { _ in ledger.item(ledger.pay(Int128(1 + index % 7), from: from, to: to))
            }
            for outcome in try await store.commit(batch) { _ = try outcome.receipt }
        }
    }

    @Test func `a balance of the past is what a replay of the journal gives`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            try await HistoryTests.pay(ledger, 40)
            let rows = try await ledger.pool.query(
                """
                select debit_account, credit_account, amount, recorded_at from banking.ledger_transfers
                order by recorded_at
                """
            )
            var balances: [ID<LedgerAccount>: Int128] = [:]
            var index = rows.startIndex
            while index < rows.endIndex {
                let instant: Timestamp = try rows[index]["recorded_at"]
                let before = balances
                while index < rows.endIndex, try rows[index]["recorded_at"] == instant {
                    let amount: Int128 = try rows[index]["amount"]
                    balances[try rows[index]["debit_account"], default: 0] -= amount
                    balances[try rows[index]["credit_account"], default: 0] += amount
                    index += 1
                }
                for account in ledger.customers {
                    let earlier = Timestamp(microseconds: instant.microseconds - 1)
                    #expect(try await ledger.history.posted(on: account, asOf: instant) == balances[account] ?? 0)
                    #expect(try await ledger.history.posted(on: account, asOf: earlier) == before[account] ?? 0)
                }
            }
        }
    }

    @Test func `an account's time never runs backwards, even if the database's clock does`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            let ahead = try await ledger.now().adding(seconds: 3_600)
            _ = try await ledger.owner.query(
                "update banking.ledger_accounts set recorded_at = \(ahead) where kind = 'test_house'"
            )
            try await ledger.fund(100)
            let last: Timestamp = try await ledger.pool.query("select max(recorded_at) from banking.ledger_transfers")[
                0
            ][0]
            #expect(last >= ahead)
            try await ledger.expectSound()
        }
    }

    @Test func `entries chain from balance to balance, without gaps`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            try await HistoryTests.pay(ledger, 30)
            let entries = try await ledger.history.entries(of: ledger.customers[1], limit: 200)
            #expect(entries.map(\.version) == Array((1...Int64(entries.count)).reversed()))
            for (later, earlier) in zip(entries, entries.dropFirst()) {
                #expect(later.balanceBefore == earlier.balanceAfter)
            }
            #expect(entries.allSatisfy { $0.balanceBefore + $0.amount == $0.balanceAfter })
            #expect(entries.last?.balanceBefore == 0)
            #expect(entries.first?.balanceAfter == (try await ledger.balance(ledger.customers[1])).posted)
        }
    }

    @Test func `pages stay as they are while entries are added`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            try await HistoryTests.pay(ledger, 40)
            let account = ledger.customers[2]
            let all = try await ledger.history.entries(of: account, limit: 200)
            var paged: [LedgerEntry] = []
            var before = Int64.max
            while true {
                let page = try await ledger.history.entries(of: account, before: before, limit: 7)
                paged += page
                guard page.count == 7, let last = page.last else { break }
                before = last.version
                try await HistoryTests.pay(ledger, 3)
            }
            #expect(paged == all)
        }
    }

    @Test func `a page is bounded and an unknown account has none`() async throws {
        try await TestLedger.with { ledger in
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            let items = (0..<250).map { _ in ledger.item(ledger.pay(1, from: ledger.house, to: ledger.customers[0])) }
            _ = try await store.commit(items)
            #expect(try await ledger.history.entries(of: ledger.house, limit: 1_000).count == LedgerHistory.pageMax)
            #expect(try await ledger.history.entries(of: ID(404)).isEmpty)
            #expect(try await ledger.history.posted(on: ID(404), asOf: ledger.now()) == 0)
        }
    }

    @Test func `transfers have two entries each, and the trial balance is zero`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let receipt = try await LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
                .commit([ledger.item(ledger.pay(7, from: ledger.customers[0], to: ledger.customers[1]))])[0].receipt
            let entries = try await ledger.history.entries(of: receipt.transfers.map(\.id))
            #expect(entries.map(\.amount) == [-7, 7])
            #expect(entries.map(\.otherAccount) == [ledger.customers[1], ledger.customers[0]])
            let dollars = try #require(try await ledger.history.trialBalance().first { $0.asset == "USD" })
            #expect((dollars.credit, dollars.debit, dollars.sum) == (4_000, -4_000, 0))
        }
    }
}
