import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Projections
import Testing

@Suite struct RebuildTests {
    private let user = IDGenerator().next(User.self)

    @Test func `a rebuild puts right what is wrong and removes what isn't there`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(user, [fixture.credit(account, 1_000), fixture.reserve(account, 200)])
            try await fixture.settle()
            // Newer than anything that the domain has, and an account that nobody has.
            _ = try await fixture.platform.query("update platform.user_balances set available = 7, version = 1000000")
            _ = try await fixture.platform.query(
                """
                insert into platform.user_balances
                select domain, gen_random_uuid(), user_id, 'ghost', asset, 1, 0, 0, 1, 0, as_of, generation
                from platform.user_balances
                """
            )
            _ = try await fixture.platform.query("update platform.transaction_facts set status = 'wrong', version = 99")
            let rebuilt = try await fixture.projections.rebuild()
            #expect(rebuilt.map(\.removed) == [1])
            #expect(rebuilt.map(\.balances) == [1])
            #expect(rebuilt.map(\.transactions) == [1])
            try await fixture.expectTrue()
            let status: String = try await fixture.platform.query("select status from platform.transaction_facts")[0][0]
            #expect(status == "completed")
            #expect(try await fixture.projections.status().first?.rebuiltAt != nil)
        }
    }

    @Test func `a rebuild works from nothing, page by page`() async throws {
        try await Fixture.with { fixture in
            for _ in 0..<3 {
                let user = fixture.ids.next(User.self)
                try await fixture.act(user, [fixture.credit(try await fixture.account(user), 1_000)])
            }
            _ = try await fixture.domain.pool.query(
                """
                insert into investing.ledger_accounts (id, owner, kind, asset)
                select gen_random_uuid(), gen_random_uuid(), 'trading', 'EUR' from generate_series(1, 2500)
                """
            )
            let rebuilt = try await fixture.projections.rebuild(.investing)
            #expect(rebuilt.map(\.balances) == [2_503])
            let rows: Int = try await fixture.platform.query("select count(*) from platform.user_balances")[0][0]
            #expect(rows == 2_503)
            #expect(try await fixture.projections.rebuild(.defi).isEmpty)
        }
    }

    @Test func `events that come in during a rebuild are not lost`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(user, [fixture.credit(account, 1)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<30 {
                        try await fixture.act(user, [fixture.credit(account, 1)])
                        try await fixture.settle()
                    }
                }
                group.addTask { for _ in 0..<10 { _ = try await fixture.projections.rebuild() } }
                try await group.waitForAll()
            }
            try await fixture.settle()
            try await fixture.expectTrue()
        }
    }

    @Test func `after a rebuild events go on counting`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(user, [fixture.credit(account, 100)])
            _ = try await fixture.projections.rebuild()
            try await fixture.act(user, [fixture.credit(account, 50)])
            try await fixture.settle()
            #expect(try await fixture.shown(user).first?.available == 150)
        }
    }
}
