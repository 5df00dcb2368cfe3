@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

// A batch that is still being stored while another process takes the lease over.
@Suite struct TakeoverTests {
    /// What a held-up batch and the taking of the lease meanwhile came to.
    private struct Outcome {
        var placed: Result<(status: Int, body: JSON), any Error>?
        var epoch: Int64?
    }

    /// Holds a batch up by a lock on the trader's account, has the lease run out and taken, and lets the batch go on
    /// once `meanwhile` is done.
    private static func holdUp(
        _ world: TradingWorld,
        _ trader: TradingWorld.Trader,
        taking lease: WriterLease,
        _ meanwhile: @escaping @Sendable (Transaction) async throws -> Void
    ) async throws -> Outcome {
        let other = world.database.pool(nil, size: 4)
        let ticket = world.ticket(trader, .buy, 1_000, at: 4_000_000)
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            try await other.withTransaction { transaction in
                _ = try await transaction.query(
                    "select 1 from investing.ledger_accounts where id = \(trader.quote) for update"
                )
                group.addTask {
                    do {
                        return Outcome(placed: .success(try await world.place(trader, ticket)))
                    } catch {
                        return Outcome(placed: .failure(error))
                    }
                }
                try await other.untilWaiting(1)
                _ = try await other.query("update investing.writer_lease set expires_at = '-infinity'")
                group.addTask { Outcome(epoch: try await lease.take()) }
                try await other.untilWaiting(2)
                try await meanwhile(transaction)
            }
            var all = Outcome()
            for try await one in group {
                all.placed = one.placed ?? all.placed
                all.epoch = one.epoch ?? all.epoch
            }
            return all
        }
    }

    /// A second process.
    private static func peer(of world: TradingWorld) async throws -> TradingWorld {
        try await TradingWorld(world.database.pool(TradingWorld.schema), world.database)
    }

    @Test func `who takes over waits for the batch under way and has it in its books`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let peer = try await TakeoverTests.peer(of: world)
            let outcome = try await TakeoverTests.holdUp(world, alice, taking: peer.lease) { _ in }
            #expect(try outcome.placed?.get().status == 201)
            let epoch = try #require(outcome.epoch)
            await peer.desk.lead(epoch)
            #expect(try await peer.depth().bids.map(\.price) == [4_000_000])
            await #expect(throws: WriterElsewhere.self) {
                try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000))
            }
            try await peer.verify()
            try await peer.verifyOrders()
        }
    }

    @Test func `a batch that fails late leaves nothing, and the one that took over goes on`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let peer = try await TakeoverTests.peer(of: world)
            let outcome = try await TakeoverTests.holdUp(world, alice, taking: peer.lease) { transaction in
                // The account is another one when the batch comes to it.
                _ = try await transaction.query(
                    "update investing.ledger_accounts set version = version + 1 where id = \(alice.quote)"
                )
            }
            #expect(throws: WriterElsewhere.self) { try outcome.placed?.get() }
            let epoch = try #require(outcome.epoch)
            await peer.desk.lead(epoch)
            #expect(try await peer.depth().bids.isEmpty)
            await #expect(throws: WriterElsewhere.self) { try await world.depth() }
            #expect(try await peer.place(alice, peer.ticket(alice, .buy, 1_000, at: 4_000_000)).status == 201)
            #expect(try await peer.depth().bids.map(\.price) == [4_000_000])
        }
    }

    @Test func `a batch that fails late under an old epoch is no matter of the new one's`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let outcome = try await TakeoverTests.holdUp(world, alice, taking: world.lease) { transaction in
                // This process leads again already, under the epoch that it is about to get.
                await world.desk.lead(2)
                _ = try await transaction.query(
                    "update investing.ledger_accounts set version = version + 1 where id = \(alice.quote)"
                )
            }
            #expect(throws: BatchConflict.self) { try outcome.placed?.get() }
            #expect(outcome.epoch == 2)
            #expect(await world.desk.leads(2))
            #expect(try await world.depth().bids.isEmpty)
            #expect(try await world.place(alice, world.ticket(alice, .buy, 1_000, at: 4_000_000)).status == 201)
            #expect(try await world.depth().bids.map(\.price) == [4_000_000])
        }
    }
}
