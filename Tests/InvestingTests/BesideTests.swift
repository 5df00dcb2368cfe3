@testable import Investing
import DataProtection
import DomainKit
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Testing

// What others do to Investing's accounts beside the writer, and what becomes of batches that can't be stored.
@Suite struct BesideTests {
    private static func submit(_ command: LedgerCommand, _ world: TradingWorld) async throws {
        let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
        _ = try await plain.submit(batch: [LedgerItem(operation: world.ids.next(), commands: [command])])
    }

    /// Places an order as the queue does: again after a conflict.
    private static func place(
        _ ticket: OrderTicket,
        _ trader: TradingWorld.Trader,
        _ world: TradingWorld
    ) async throws
        -> (status: Int, body: JSON)
    {
        do {
            return try await world.place(trader, ticket)
        } catch is BatchConflict {
            return try await world.place(trader, ticket)
        }
    }

    @Test func `an account that is frozen beside the writer stays frozen, and its orders are refused`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            try await BesideTests.submit(.freeze(alice.quote, because: "suspicion"), world)
            let ticket = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            let refused = try await BesideTests.place(ticket, alice, world)
            #expect(refused.status == 422)
            #expect(refused.body["code"]?.stringValue == "account_frozen", "\(refused.body)")
            let rows = try await world.pool.query(
                "select frozen_because from investing.ledger_accounts where id = \(alice.quote)"
            )
            #expect(try rows[0]["frozen_because"] as String? == "suspicion")
            try await BesideTests.submit(.freeze(alice.quote, because: nil), world)
            #expect(
                try await BesideTests.place(world.ticket(alice, .buy, 1, at: 5_000_000), alice, world).status >= 201
            )
            try await world.verify()
        }
    }

    @Test func `accounts that are closed beside the writer take nothing more, and it goes on`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader(btc: "0", usdc: "0"))
            // So that the writer knows the accounts.
            #expect(try await world.place(bob, world.ticket(bob, .buy, 1_000, at: 4_000_000)).status == 422)
            let runtime = DomainRuntime(
                schema: TradingWorld.schema,
                pool: world.pool,
                ids: world.ids,
                logger: TradingWorld.quiet
            )
            let records = TradingRecords(runtime: runtime, ids: world.ids)
            for _ in 0..<2 { try await records.close(bob.account.user, by: Requester(actor: "operator:olga")) }
            let gift = NewTransfer(
                id: world.ids.next(),
                debit: alice.quote,
                credit: bob.quote,
                amount: 1,
                code: "test"
            )
            let item = LedgerItem(operation: world.ids.next(), commands: [.transfer(gift)])
            let outcome: DeskOutcome
            do {
                outcome = try await world.desk.commit([.ledger(item)])[0]
            } catch is BatchConflict {
                outcome = try await world.desk.commit([.ledger(item)])[0]
            }
            guard case .ledger(.refused(.accountClosed(bob.quote), _)) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            let ticket = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            #expect(try await BesideTests.place(ticket, alice, world).status == 201)
            try await world.verify()
        }
    }

    @Test func `money that is moved beside the writer is there for the next order`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(usdc: "10"), try await world.trader())
            let order = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            #expect(try await world.place(alice, order).status == 422)
            try await world.place(bob, world.ticket(bob, .buy, 1_000, at: 4_000_000))
            let move = NewTransfer(
                id: world.ids.next(),
                debit: bob.quote,
                credit: alice.quote,
                amount: 500_000_000_000,
                code: "test"
            )
            try await BesideTests.submit(.transfer(move), world)
            // The first comes to an account that is another one, the second to what it is.
            let answer = try await BesideTests.place(world.ticket(bob, .buy, 1_000, at: 4_000_000), bob, world)
            #expect(answer.status == 201)
            let bought = try await BesideTests.place(world.ticket(alice, .buy, 1_000, at: 4_000_000), alice, world)
            #expect(bought.status == 201 || bought.body["code"]?.stringValue == "insufficient_funds")
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool, except: [alice.quote]).isEmpty)
            try await world.verify()
        }
    }

    @Test func `a batch that isn't stored costs what it touched, and leaves queues as they were`() async throws {
        try await TradingWorld.with { world in
            let (alice, bob) = (try await world.trader(), try await world.trader())
            var tickets: [OrderTicket] = []
            for lots in [100, 200, 300, 400] as [Int64] {
                tickets.append(world.ticket(alice, .sell, lots, at: 5_000_000))
                try await world.place(alice, tickets[tickets.count - 1])
            }
            try await BesideTests.submit(.freeze(bob.quote, because: nil), world)
            let before = await world.desk.identity
            // Takes the first two and a part of the third, cancels the fourth, and meets an account that has changed.
            await #expect(throws: BatchConflict.self) {
                _ = try await world.desk.commit([
                    .place(world.ticket(bob, .buy, 450, at: 5_000_000), world.request(bob)),
                    .cancel(tickets[3].order.id, world.request(alice)),
                ])
            }
            #expect(await world.desk.identity == before, "all was read anew")
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
            let bought = try await world.place(bob, world.ticket(bob, .buy, 350, at: 5_000_000))
            #expect(bought.body["status"]?.stringValue == "filled")
            let makers = try await world.pool.query("select maker_order from investing.trades order by number")
            let ids: [ID<Order>] = try makers.map { try $0["maker_order"] }
            #expect(ids == tickets.prefix(3).map(\.order.id), "first come, first served")
            try await world.verify()
            try await world.verifyOrders()
        }
    }

    @Test func `what conflicts twice in a row is read anew as a whole`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            let first = await world.desk.identity
            for (round, isSame) in [true, false].enumerated() {
                let amount = Int128(round + 1)
                let rows = try await world.pool.query(
                    "update investing.ledger_accounts set version = version + \(Int(amount)) where id = \(alice.quote)"
                )
                #expect(rows.affected == 1)
                await #expect(throws: BatchConflict.self) {
                    try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
                }
                #expect(await (world.desk.identity == first) == isSame)
            }
            #expect(try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000)).status == 201)
        }
    }
}
