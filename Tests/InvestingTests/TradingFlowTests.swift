import DomainKit
import Foundation
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import Randomness
import TestSupport
import Testing

/// Random trading on a real database with failures thrown in; afterwards memory, orders and ledger say the same.
///
/// `DIBOAS_FLOW_SEEDS` and `DIBOAS_FLOW_BATCHES` make it longer.
@Suite struct TradingFlowTests {
    private static func setting(_ name: String, _ usual: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
    }

    @Test(arguments: 1...UInt64(setting("DIBOAS_FLOW_SEEDS", 3)))
    func `after any flow, memory, orders and ledger agree`(seed: UInt64) async throws {
        try await TradingWorld.with(accountsMax: seed % 2 == 0 ? 0 : 100_000) { world in
            var flow = try await TradingFlow(world, seed: seed)
            for _ in 0..<TradingFlowTests.setting("DIBOAS_FLOW_BATCHES", 60) { try await flow.step() }
            try await flow.settle()
            try await world.verify()
            try await world.verifyOrders()
            #expect(flow.trades > 0 && flow.failures > 0, "nothing happened with seed \(seed)")
        }
    }
}

/// A seeded flow of items, and of what may go wrong with them.
private struct TradingFlow {
    let world: TradingWorld
    var random: SeededRandom
    var traders: [TradingWorld.Trader] = []
    /// Orders that may still be open, with their owners.
    var orders: [(id: ID<Order>, owner: Int)] = []
    var failures = 0
    var trades = 0
    var named = 0
    var isFrozen = false
    var steps = 0
    /// Failures after which memory was looked at.
    var seen = 0

    init(_ world: TradingWorld, seed: UInt64) async throws {
        (self.world, random) = (world, SeededRandom(seed))
        for _ in 0..<5 { traders.append(try await world.trader(btc: "2", usdc: "80000")) }
    }

    mutating func step() async throws {
        steps += 1
        var items = (0..<Int.random(in: 1...12, using: &random)).map { _ in item() }
        switch Int.random(in: 0..<20, using: &random) {
        case 0: items.insert(poison(), at: Int.random(in: 0...items.count, using: &random))
        case 1:
            failures += 1
            _ = try await world.pool.query(
                "update investing.writer_lease set epoch = epoch + 1, expires_at = '-infinity'"
            )
        case 2:
            failures += 1
            _ = try? await world.pool.query(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and application_name = 'test'
                """
            )
        case 3: try await moveBeside()
        default: break
        }
        try await run(items[...])
        guard failures > seen || steps % 10 == 0 else { return }
        seen = failures
        let moved = [traders[0].quote, traders[1].quote, traders[1].base]
        let differences = try await world.desk.differences(TradingWorld.schema, world.pool, except: Set(moved))
        #expect(differences.isEmpty, "\(differences)")
    }

    /// Moves money past the writer, and freezes an account or takes that back, as operators' commands do.
    private mutating func moveBeside() async throws {
        failures += 1
        let (from, to) = (traders[0], traders[1])
        let move = NewTransfer(id: world.ids.next(), debit: from.quote, credit: to.quote, amount: 1, code: "test")
        let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
        let commands: [LedgerCommand] = [
            .transfer(move), .freeze(to.base, because: isFrozen ? nil : "test"),
        ]
        for command in commands {
            _ = try await plain.submit(batch: [LedgerItem(operation: world.ids.next(), commands: [command])])
        }
        isFrozen.toggle()
    }

    /// Commits as the queue does: again after what passes, halved where an item is at fault.
    private mutating func run(_ items: ArraySlice<DeskItem>) async throws {
        for _ in 0..<5 {
            do {
                for outcome in try await world.desk.commit(Array(items)) {
                    if case .answer(let answer) = outcome { #expect(answer.status < 500, "\(answer)") }
                }
                return
            } catch is BatchConflict {
                continue
            } catch is WriterElsewhere {
                let epoch = try #require(try await world.lease.take())
                await world.desk.lead(epoch)
            } catch let error as PostgresError {
                guard case .refused(let refusal) = error, !refusal.state.hasPrefix("57") else { continue }
                #expect(items.count > 1 || refusal.state == "23514", "\(refusal)")
                failures += 1
                guard items.count > 1 else { return }
                let middle = items.startIndex + items.count / 2
                try await run(items[..<middle])
                return try await run(items[middle...])
            }
        }
        Issue.record("a batch never went through")
    }

    /// Opens the market and looks at what came of it.
    mutating func settle() async throws {
        try await run([.setState(market: 1, .trading, reopensAt: nil, by: TradingFlow.operation), .tick])
        let rows = try await world.pool.query("select count(*) as trades from investing.trades")
        trades = try rows[0]["trades"]
    }

    private static let operation = Initiator(system: "test", correlation: 1)

    private struct PoisonRow: StoredRow {
        static func store(_ rows: [PoisonRow], in schema: Schema, at: Timestamp) -> [SQL] {
            ["update \(schema).writer_lease set single = false returning 1"]
        }
    }

    /// An item that the database refuses, and its whole batch with it.
    private func poison() -> DeskItem {
        let item = LedgerItem(operation: world.ids.next(), commands: []) { _, _ in .init(rows: [PoisonRow()]) }
        return .ledger(item)
    }

    private mutating func item() -> DeskItem {
        let owner = Int.random(in: 0..<traders.count, using: &random)
        let trader = traders[owner]
        let request = world.request(trader)
        let roll = Int.random(in: 0..<100, using: &random)
        guard let known = orders.randomElement(using: &random), roll < 40 else { return other(roll, owner) }
        let asker = world.request(traders[known.owner])
        switch roll {
        case 0..<15: return .cancel(known.id, asker)
        case 15..<28:
            let lots = "0.\(Int.random(in: 1...900, using: &random))"
            let price = Bool.random(using: &random) ? nil : "\(Int.random(in: 49_900...50_100, using: &random))"
            return .amend(known.id, quantity: Bool.random(using: &random) ? lots : nil, price: price, asker)
        case 28..<36:
            let mode: ReplaceMode = Bool.random(using: &random) ? .stopOnFailure : .allowFailure
            return .replace(known.id, with: ticket(known.owner), mode, asker)
        case 36: return .cancelAll(market: nil, request)
        default: return .cancel(known.id, request)
        }
    }

    private mutating func other(_ roll: Int, _ owner: Int) -> DeskItem {
        let request = world.request(traders[owner])
        switch roll {
        case 40..<44:
            let states: [MarketState] = [.halt, .cancelOnly, .postOnly, .limitOnly, .trading, .trading, .trading]
            let state = states.randomElement(using: &random) ?? .trading
            return .setState(market: 1, state, reopensAt: nil, by: TradingFlow.operation)
        case 44..<47: return .setState(market: 1, .trading, reopensAt: nil, by: TradingFlow.operation)
        case 47..<50: return .tick
        case 50..<54: return transfer(owner)
        case 54..<62: return pair(owner, request)
        default: return .place(ticket(owner), request)
        }
    }

    /// Money between two accounts, past the books.
    private mutating func transfer(_ owner: Int) -> DeskItem {
        let (from, to) = (traders[owner], traders[(owner + 1) % traders.count])
        let move = NewTransfer(
            id: world.ids.next(),
            debit: from.quote,
            credit: to.quote,
            amount: Int128(Int.random(in: 1...30_000_000_000, using: &random)),
            code: "test"
        )
        return .ledger(LedgerItem(operation: world.ids.next(), commands: [.transfer(move)]))
    }

    private mutating func pair(_ owner: Int, _ request: DeskRequest) -> DeskItem {
        let (list, lots): (ID<OrderList>, Int64) = (world.ids.next(), Int64.random(in: 100...3_000, using: &random))
        let sells = Bool.random(using: &random)
        let step = Int64.random(in: -10_000...20_000, using: &random)
        let (target, stop) = sells ? (5_000_000 + step, 4_990_000) : (5_000_000 - step, Int64(5_010_000))
        let (side, trader): (Side, TradingWorld.Trader) = (sells ? .sell : .buy, traders[owner])
        let first = world.ticket(trader, side, lots, at: target, list: list)
        let isLimit = Bool.random(using: &random)
        let second = world.ticket(
            trader,
            side,
            lots,
            at: isLimit ? target : nil,
            type: isLimit ? .stopLimit : .stop,
            stop: stop,
            list: list
        )
        orders += [(first.order.id, owner), (second.order.id, owner)]
        return .placePair(first, second, request)
    }

    private mutating func ticket(_ owner: Int) -> OrderTicket {
        let types: [OrderType] = [
            .limit, .limit, .limit, .limit, .limit, .market, .market, .stop, .stopLimit, .takeProfit, .takeProfitLimit,
        ]
        let type = types.randomElement(using: &random) ?? .limit
        let price = Int64.random(in: 4_985_000...5_015_000, using: &random)
        let byAmount = type == .market && Bool.random(using: &random)
        let tif: TimeInForce =
            type == .limit
            ? [.gtc, .gtc, .gtc, .ioc, .fok, .gtd].randomElement(using: &random) ?? .gtc : type == .market ? .ioc : .gtc
        named += 1
        let ticket = world.ticket(
            traders[owner],
            Bool.random(using: &random) ? .buy : .sell,
            byAmount ? nil : Int64.random(in: 1...5_000, using: &random),
            at: type.isLimit ? price : nil,
            type: type,
            tif: tif,
            stop: type.isConditional ? Int64.random(in: 4_980_000...5_020_000, using: &random) : nil,
            quoteAmount: byAmount ? Int128(Int.random(in: 1_000_000...20_000_000_000, using: &random)) : nil,
            prevention: SelfTradePrevention.allCases.randomElement(using: &random) ?? .none,
            postOnly: type == .limit && (tif == .gtc || tif == .gtd) && Int.random(in: 0..<5, using: &random) == 0,
            clientID: Bool.random(using: &random) ? "c\(named)" : nil,
            expiresAt: tif == .gtd
                ? SystemClock().now().adding(seconds: Int64.random(in: 1...3, using: &random)) : nil
        )
        orders.append((ticket.order.id, owner))
        if orders.count > 60 { orders.removeFirst(20) }
        return ticket
    }
}
