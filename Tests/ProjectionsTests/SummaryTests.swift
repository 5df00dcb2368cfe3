import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Projections
import Testing

@Suite struct SummaryTests {
    private let user = IDGenerator().next(User.self)

    @Test func `summaries stand as they were refreshed, with their age`() async throws {
        try await Fixture.with { fixture in
            #expect(
                try await fixture.projections.summaries().allSatisfy { $0.refreshedAt == nil && $0.ageSeconds == nil }
            )
            let trading = try await fixture.account(user)
            let other = try await fixture.account(user, "savings")
            try await fixture.act(user, [fixture.credit(trading, 1_000), fixture.reserve(trading, 300)])
            try await fixture.act(user, [fixture.credit(other, 50)])
            try await fixture.settle()
            let before: Int = try await fixture.platform.query("select count(*) from platform.user_balance_summary")[0][
                0
            ]
            #expect(before == 0)
            #expect(try await fixture.projections.refresh() == Summary.allCases)

            let sums = try await fixture.platform.query(
                """
                select available, reserved, staked, total, accounts from platform.user_balance_summary
                where user_id = \(user) and asset = 'USD'
                """
            )
            #expect(try sums[0]["available"] as Int128 == 750)
            #expect(try sums[0]["reserved"] as Int128 == 300)
            #expect(try sums[0]["staked"] as Int128 == 0)
            #expect(try sums[0]["total"] as Int128 == 1_050)
            #expect(try sums[0]["accounts"] as Int == 2)
            let ages = try await fixture.projections.summaries()
            #expect(ages.map(\.summary) == Summary.allCases)
            #expect(ages.allSatisfy { ($0.ageSeconds ?? -1) >= 0 && ($0.seconds ?? -1) >= 0 })
        }
    }

    @Test func `transactions are counted by user, domain, type and status`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            let transaction = fixture.ids.next(User.self)
            try await fixture.act(user, [fixture.credit(account, 500)], transaction: transaction, status: "in_transit")
            try await fixture.act(user, [], transaction: transaction, version: 2, status: "completed")
            for _ in 0..<2 { try await fixture.act(user, [fixture.credit(account, 500)]) }
            try await fixture.act(user, [], status: "returned")
            try await fixture.settle()
            _ = try await fixture.projections.refresh([.transactions])
            let rows = try await fixture.platform.query(
                """
                select domain, type, status, transactions, amount, fees from platform.transaction_summary
                where user_id = \(user) order by status
                """
            )
            #expect(rows.count == 2)
            #expect(try rows[0]["domain"] as String == "investing")
            #expect(try rows[0]["type"] as String == "transfer_in")
            #expect(try rows[0]["status"] as String == "completed")
            #expect(try rows[0]["transactions"] as Int == 3)
            #expect(try rows[0]["amount"] as Int128 == 1_500)
            #expect(try rows[0]["fees"] as Int128 == 30)
            #expect(try rows[1]["status"] as String == "returned")
            #expect(try rows[1]["transactions"] as Int == 1)
        }
    }

    @Test func `there are no other summaries`() async throws {
        try await Fixture.with { fixture in
            let error = await #expect(throws: PostgresError.self) {
                try await fixture.platform.query("select platform.refresh_summary('users')")
            }
            #expect(error?.state == "42P01")
        }
    }
}
