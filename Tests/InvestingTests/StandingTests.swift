import DomainKit
import Fees
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

// Which accounts take orders, and who knows it.
@Suite struct StandingTests {
    private static func change(
        _ world: TradingWorld,
        _ account: ID<TradingAccount>,
        _ status: String
    ) async throws -> (status: Int, answer: JSON) {
        let change: JSON = ["account": .string(account.wire), "status": .string(status), "reason": "test"]
        return try await OperatorTests.ask(world, .changeAccount, change)
    }

    @Test func `a restricted account's orders are refused by the writer, whatever the asking process remembers`()
        async throws
    {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let open = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            try await world.place(alice, open)
            #expect(try await StandingTests.change(world, alice.account.id, "restricted").status == 200)
            // The request has the account as it was.
            #expect(alice.account.status == .open)
            func code(_ who: TradingWorld.Trader) async throws -> String? {
                let answer = try await world.place(who, world.ticket(who, .buy, 1_000, at: 4_000_000))
                return answer.body["code"]?.stringValue
            }
            #expect(try await code(alice) == "account_restricted")
            #expect(try await code(bob) == nil)
            let amend = DeskItem.amend(open.order.id, quantity: "0.2", price: nil, world.request(alice))
            #expect(try world.answer(try await world.desk.commit([amend])[0]).body["code"] == "account_restricted")
            await world.desk.lead(try await world.lease.take())
            #expect(try await code(alice) == "account_restricted", "another writer knows it too")
            #expect(try await StandingTests.change(world, alice.account.id, "closed").answer["code"] == "orders_open")
            let cancel = DeskItem.cancel(open.order.id, world.request(alice))
            #expect(try world.answer(try await world.desk.commit([cancel])[0]).status == 200)
            #expect(try await StandingTests.change(world, alice.account.id, "closed").status == 200)
            #expect(try await code(alice) == "account_closed")
            #expect(try await StandingTests.change(world, alice.account.id, "open").status == 200)
            #expect(try await code(alice) == nil)
            #expect(try await StandingTests.change(world, alice.account.id, "gone").answer["code"] == "unknown_status")
            let told = try await world.pool.query(
                "select payload from investing.outbox_events where type = 'investing.account.changed' order by id"
            )
            #expect(
                try told.map { try ($0["payload"] as JSON)["status"]?.stringValue } == ["restricted", "closed", "open"]
            )
            let audited = try await world.pool.query(
                "select 1 from investing.audit_log where action = 'trading_account.standing'"
            )
            #expect(audited.count == 3)
            try await world.verify()
        }
    }

    @Test func `an operator changes status and margin flag of an account that there is`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(TradingWorld.schema)
            let (ids, clock) = (IDGenerator(), SystemClock())
            let (operations, _) = OperatorTests.console(database)
            let accounts = TradingAccounts(schema: TradingWorld.schema, pool: pool, ids: ids, clock: clock)
            let user: ID<User> = ids.next()
            try await accounts.open(user, .margin)
            let (brokerage, margin) = (
                try await accounts.account(of: user), try await accounts.account(of: user, .margin)
            )
            func change(_ id: String, _ status: String?, _ flag: Bool? = nil) async throws {
                _ = try await operations.changeAccount(
                    id,
                    status: status,
                    isMarginEnabled: flag,
                    because: "test",
                    by: "test"
                )
            }
            try await change(margin.id.wire, nil, true)
            #expect(try await accounts.present(of: user, .margin).isMarginEnabled)
            try await change(margin.id.wire, "restricted")
            let changed = try await accounts.present(of: user, .margin)
            #expect(changed.isMarginEnabled && changed.status == .restricted && changed.version == margin.version + 2)
            #expect(try await operations.accounts(of: nil, limit: 10).map { $0["id"]?.stringValue } == [margin.id.wire])
            #expect(try await operations.accounts(of: user, limit: 10).count == 2)
            for (id, status, flag, code) in [
                (brokerage.id.wire, nil, true, "no_margin_account"), ("tacc_1", "open", nil, "account_not_found"),
                (margin.id.wire, "gone", nil, "unknown_status"),
            ] as [(String, String?, Bool?, String)] {
                let refused = await #expect(throws: Problem.self) { try await change(id, status, flag) }
                #expect(refused?.code == code)
            }
            // Nobody could trade for bitcoins: no fees are known in them.
            let market: JSON = ["symbol": "ETH-BTC", "tick_size": "0.00000001", "lot_size": "1"]
            let unpriced = await #expect(throws: Problem.self) { try await operations.createMarket(market, by: "test") }
            #expect(unpriced?.code == "no_fee_schedule")
        }
    }

    @Test func `what another process changed of an account is seen within seconds, and at once where it decides`()
        async throws
    {
        try await TradingWorld.with { world in
            let clock = ManualClock(SystemClock().now())
            func process() -> TradingAccounts {
                TradingAccounts(schema: TradingWorld.schema, pool: world.pool, ids: world.ids, clock: clock)
            }
            let (here, there) = (process(), process())
            let user: ID<User> = world.ids.next()
            let old = try await there.account(of: user)
            let initiator = Initiator(system: "test", correlation: 1)
            let changed = try await here.change(old, riskTolerance: "conservative", by: initiator)
            #expect(try await there.account(of: user).version == old.version)
            #expect(try await there.present(of: user).riskTolerance == "conservative")
            #expect(try await there.account(of: user).version == changed.version)
            _ = try await here.change(changed, riskTolerance: "aggressive", by: initiator)
            #expect(try await there.account(of: user).riskTolerance == "conservative")
            clock.advance(seconds: 6)
            #expect(try await there.account(of: user).riskTolerance == "aggressive")
        }
    }

    @Test func `an account is told of the orders of its portfolios, by its own numbers`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let within = try await StandingTests.portfolio(of: alice, world)
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            try await world.place(within, world.ticket(within, .buy, 1_000, at: 4_000_000))
            await world.desk.lead(try await world.lease.take())
            try await world.place(within, world.ticket(within, .buy, 1_000, at: 4_000_000))
            let accounts = TradingAccounts(
                schema: TradingWorld.schema,
                pool: world.pool,
                ids: world.ids,
                clock: SystemClock()
            )
            let events = AccountEvents(schema: TradingWorld.schema, pool: world.pool, accounts: accounts)
            let told = try await events.events(of: alice.account.id, after: 0, limit: 10)
            #expect(told.map { $0["sequence"]?.integerValue } == [1, 2, 3])
            let owners = told.map { $0["order"]?["account"]?.stringValue }
            #expect(owners == [alice.account, within.account, within.account].map(\.id.wire))
            #expect(told.allSatisfy { $0["statuses"] == ["new"] })
            try await world.verify()
            try await world.verifyOrders()
        }
    }

    /// A portfolio's account within a trader's, with money of its own.
    private static func portfolio(
        of trader: TradingWorld.Trader,
        _ world: TradingWorld
    ) async throws -> TradingWorld.Trader {
        let id: ID<TradingAccount> = world.ids.next()
        let kind = "portfolio:\(id.wire)"
        _ = try await world.pool.query(
            """
            insert into investing.accounts (id, user_id, type, ledger_kind, parent, created_at, updated_at)
            values (\(id), \(trader.account.user), 'brokerage', \(kind), \(trader.account.id), now(), now())
            """
        )
        let trading = TradingAccounts(
            schema: TradingWorld.schema,
            pool: world.pool,
            ids: world.ids,
            clock: SystemClock()
        )
        let account = try #require(try await trading.find(id, of: trader.account.user))
        let balances = LedgerAccounts(schema: TradingWorld.schema, pool: world.pool, ids: world.ids)
        let base = try await balances.open(AccountKey(account.user, kind, .btc))
        let quote = try await balances.open(AccountKey(account.user, kind, .usdc))
        let gift = NewTransfer(
            id: world.ids.next(),
            debit: trader.quote,
            credit: quote,
            amount: 100_000_000_000,
            code: "test"
        )
        _ = try await world.desk.commit([
            .ledger(LedgerItem(operation: world.ids.next(), commands: [.transfer(gift)]))
        ])
        return TradingWorld.Trader(account: account, base: base, quote: quote)
    }
}
