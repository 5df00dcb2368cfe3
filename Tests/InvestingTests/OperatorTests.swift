import DomainKit
import Fees
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// What operators ask of the writer.
struct OperatorTests {
    /// Leaves a command and has the world's desk answer it.
    static func ask(
        _ world: TradingWorld,
        _ kind: OperatorCommand.Kind,
        _ parameters: JSON
    ) async throws -> (status: Int, answer: JSON) {
        let commands = OperatorCommands(schema: TradingWorld.schema, pool: world.pool)
        let command = OperatorCommand(id: world.ids.next(), kind: kind, parameters: parameters, actor: "operator:test")
        try await commands.leave(command)
        for waiting in try await commands.waiting() { _ = try await world.desk.commit([.operate(waiting)]) }
        return try #require(try await commands.answer(to: command.id))
    }

    @Test func `a market is opened and trades at once`() async throws {
        try await TradingWorld.with { world in
            let markets = Markets(schema: TradingWorld.schema, pool: world.pool, clock: SystemClock())
            #expect(try await markets.all().count == 1)
            let new: JSON = ["symbol": "ETH-USDC", "tick_size": "0.01", "lot_size": "0.0001", "notional_min": "5"]
            let (status, market) = try await OperatorTests.ask(world, .createMarket, new)
            #expect(status == 200, "\(market)")
            #expect(market["notional_min"]?.stringValue == "5.00")
            let stored = try await world.pool.query(StoredMarket.all(in: TradingWorld.schema))
            let created = try NewMarket(new, id: 2).stored.json
            #expect(try StoredMarket(stored[1]).json == created, "memory and database say the same")
            let again = try await OperatorTests.ask(world, .createMarket, new)
            #expect(again.status == 409)
            #expect(again.answer["code"]?.stringValue == "market_exists")
            let depth = try await OperatorTests.ask(world, .readDepth, ["symbol": "ETH-USDC"])
            #expect(depth.answer["state"]?.stringValue == "trading")
            #expect(
                try await markets.numbered([1, 2])[2]?.symbol == "ETH-USDC",
                "whoever remembers older ones finds it"
            )
            #expect(try await markets.numbered([3])[3] == nil)
        }
    }

    private static let misfits: [(JSON, String)] = [
        (["symbol": "ETH-USDC", "tick_size": "0.01", "lot_size": "0.00001"], "tick_and_lot_not_exact"),
        (["symbol": "ETHUSDC", "tick_size": "0.01", "lot_size": "1"], "unknown_symbol"),
        (["symbol": "ETH-ETH", "tick_size": "0.01", "lot_size": "1"], "unknown_symbol"),
        (["symbol": "ETH-USDC", "lot_size": "1"], "required"),
        (["symbol": "ETH-USDC", "tick_size": "-1", "lot_size": "1"], "no_amount"),
        (["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "price_max": "0.5"], "limits_do_not_fit"),
        (["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "price_min": "2000000000"], "limits_do_not_fit"),
        (["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "quantity_min": "2000000000"], "limits_do_not_fit"),
        (
            ["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "notional_min": "5", "notional_max": "4"],
            "limits_do_not_fit"
        ),
        (
            ["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "open_orders_max": .integer(0)],
            "limits_do_not_fit"
        ),
        (
            ["symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1", "band_up_basis_points": .integer(-1)],
            "limits_do_not_fit"
        ),
        (
            [
                "symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1",
                "circuit_breaker": ["window_seconds": .integer(60)],
            ],
            "required"
        ),
        (
            [
                "symbol": "ETH-USDC", "tick_size": "1", "lot_size": "1",
                "circuit_breaker": ["window_seconds": .integer(60), "move_basis_points": .integer(0)],
            ], "limits_do_not_fit"
        ),
    ]

    @Test(arguments: misfits)
    func `a market that doesn't fit is refused`(_ description: JSON, _ code: String) async throws {
        do throws(Problem) {
            _ = try NewMarket(description, id: 2)
            Issue.record("it was taken")
        } catch {
            #expect(error.code == code, "\(error)")
        }
    }

    @Test func `the refusal of an inexact market names a lot that would do`() {
        do throws(Problem) {
            _ = try NewMarket(["symbol": "ETH-USDC", "tick_size": "0.01", "lot_size": "0.00001"], id: 2)
        } catch {
            #expect(error.detail.contains("0.0001 ETH"), "\(error.detail)")
        }
    }

    @Test func `a halted market takes no orders, a resumed one does, and an order is ended`() async throws {
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            let ticket = world.ticket(alice, .buy, 1_000, at: 4_000_000)
            _ = try await OperatorTests.ask(world, .setState, ["symbol": "BTC-USDC", "state": "halt"])
            #expect(try await world.place(alice, ticket).body["code"]?.stringValue == "market_halt")
            _ = try await OperatorTests.ask(world, .setState, ["symbol": "BTC-USDC", "state": "trading"])
            #expect(try await world.place(alice, ticket).status == 201)
            let order: JSON = ["order": .string(ticket.order.id.wire), "reason": "test"]
            let ended = try await OperatorTests.ask(world, .cancelOrder, order)
            #expect(ended.answer["status"]?.stringValue == "canceled")
            #expect(try await OperatorTests.ask(world, .cancelOrder, order).status == 409)
            let reference = try await OperatorTests.ask(world, .setReference, ["symbol": "BTC-USDC", "price": "41000"])
            #expect(reference.answer["reference_price"]?.stringValue == "41000.00")
            #expect(
                try await OperatorTests.ask(world, .setState, ["symbol": "BTC-USDC", "state": "off"]).status == 422
            )
            #expect(try await OperatorTests.ask(world, .setState, ["symbol": "A-B", "state": "halt"]).status == 404)
            try await world.verify()
        }
    }

    @Test func `without a writer the operator's process does it, and hands the lease back`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(TradingWorld.schema)
            let (operations, desk) = OperatorTests.console(database)
            let new: JSON = ["symbol": "SOL-USDC", "tick_size": "0.01", "lot_size": "0.001"]
            _ = try await operations.createMarket(new, by: "test")
            #expect(try await operations.markets().map { $0["symbol"]?.stringValue } == ["SOL-USDC"])
            #expect(try await desk.lease.owner() == nil)
            let refused = await #expect(throws: Problem.self) { try await operations.createMarket(new, by: "test") }
            #expect(refused?.code == "market_exists")
            let audited = try await pool.query("select actor from investing.audit_log where action = 'market.create'")
            #expect(try audited.map { try $0["actor"] as String } == ["operator:test"])
        }
    }

    @Test func `a process that is just about to write keeps its lease when it is asked for something meanwhile`()
        async throws
    {
        try await TestDatabase.with { database in
            let (operations, desk) = OperatorTests.console(database)
            // The service of this process has taken the lease, and doesn't lead yet.
            let taken = try #require(try await desk.lease.take())
            try await desk.workAlone()
            #expect(try await desk.lease.renew(taken), "it was taken away")
            try await desk.lease.release(taken)
            let new: JSON = ["symbol": "SOL-USDC", "tick_size": "0.01", "lot_size": "0.001"]
            _ = try await operations.createMarket(new, by: "test")
            #expect(try await desk.lease.owner() == nil)
            let next = try #require(try await desk.lease.take())
            #expect(next == taken + 2, "the command was carried out under a name of its own")
        }
    }

    /// An operator's process beside no other, and its desk.
    static func console(_ database: TestDatabase) -> (InvestingOperations, TradingDesk) {
        let (pool, platform) = (database.pool(TradingWorld.schema), database.pool(.platform))
        let ids = IDGenerator()
        let runtime = DomainRuntime(
            schema: TradingWorld.schema,
            pool: pool,
            ids: ids,
            logger: TradingWorld.quiet,
            batchMax: 100,
            queueMax: 100
        )
        let desk = TradingDesk(
            runtime: (TradingWorld.schema, pool),
            ids: ids,
            address: nil,
            logger: TradingWorld.quiet,
            onCommit: { _ in }
        )
        let operations = InvestingOperations(
            runtime: runtime,
            fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
            ids: ids,
            clock: SystemClock(),
            desk: desk
        )
        return (operations, desk)
    }
}
