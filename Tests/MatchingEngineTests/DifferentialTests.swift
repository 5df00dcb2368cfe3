import Foundation
import MatchingEngine
import Randomness
import Testing

/// The engine against the specification, command by command.
@Suite struct `The engine and the specification` {
    struct Flow: Sendable, CustomTestStringConvertible {
        let seed: UInt64
        var target = 24
        var spread = 60
        var filters = MarketFilters()
        var breaker: CircuitBreaker?

        var testDescription: String { "seed \(seed), \(target) live orders, prices within \(spread)" }
    }

    static let flows = [
        Flow(seed: 1), Flow(seed: 2, target: 8), Flow(seed: 3, target: 50), Flow(seed: 4, spread: 40_000),
        Flow(
            seed: 5,
            filters: MarketFilters(
                tickSize: 2,
                priceMin: 900,
                priceMax: 1100,
                lotSize: 3,
                quantityMin: 6,
                quantityMax: 30,
                notionalMin: 7000,
                notionalMax: 25_000,
                openOrdersMax: 6
            )
        ),
        Flow(seed: 6, filters: MarketFilters(bandUpBasisPoints: 40, bandDownBasisPoints: 30)),
        Flow(seed: 7, breaker: CircuitBreaker(moveBasisPoints: 100, window: 640, halt: 500)),
        Flow(seed: 8, target: 16, spread: 9000, filters: MarketFilters(openOrdersMax: 8)),
        Flow(seed: 9, spread: 1_000_000_000),
    ]

    /// All flows together; `DIBOAS_MATCHING_COMMANDS` asks for more.
    static let commands =
        ProcessInfo.processInfo.environment["DIBOAS_MATCHING_COMMANDS"].flatMap { Int($0) } ?? 1_000_000

    @Test(arguments: flows)
    func `tell the same events and come to the same book`(flow: Flow) {
        var engine = EngineBook(filters: flow.filters, breaker: flow.breaker)
        var reference = ReferenceOrderBook(filters: flow.filters, breaker: flow.breaker)
        var stream = RandomCommands(seed: flow.seed, target: flow.target, spread: flow.spread)
        var mirror = DepthMirror()
        for step in 0..<Self.commands / Self.flows.count {
            let command = stream.command(live: engine.book.liveOrders, halted: reference.state.canTrade == false)
            engine.apply(command, at: stream.instant)
            reference.apply(command, at: stream.instant)
            let isEqual = engine.isEqual(to: reference.events)
            if !isEqual {
                Issue.record(
                    "seed \(flow.seed) step \(step) \(command): \(engine.drain()) instead of \(reference.events)"
                )
                return
            }
            engine.log.removeAll()
            reference.events.removeAll(keepingCapacity: true)
            guard step % 512 == 0 else { continue }
            let expected = reference.snapshot
            mirror.apply(engine.book)
            if engine.snapshot != expected || !mirror.isEqual(to: expected) || !isConsistent(expected) {
                Issue.record("seed \(flow.seed) step \(step): the books differ")
                return
            }
        }
    }

    @Test(arguments: [21, 22] as [UInt64])
    func `books that share a pool don't meet, whatever their numbers, and looking ahead changes nothing`(seed: UInt64) {
        let pool = OrderPool(capacity: 4)
        var engines = (0..<3).map { _ in EngineBook(pool: pool) }
        var references = (0..<3).map { _ in ReferenceOrderBook() }
        var streams = (0..<3).map { RandomCommands(seed: seed + $0 * 100, target: 20, spread: 100) }
        var random = SeededRandom(seed)
        for step in 0..<20_000 {
            let one = random.below(engines.count)
            let live = references[one].snapshot.orders.count
            let command = streams[one].command(live: live, halted: references[one].state.canTrade == false)
            pool.approach(random.next() >> 40, UInt64(step))
            engines[one].book.approach(UInt64(random.below(step + 1)))
            let price = [nil, .min, .max, Int64(900 + random.below(200))][random.below(4)]
            engines[one].book.approach(step % 2 == 0 ? .buy : .sell, price: price)
            engines[one].apply(command, at: streams[one].instant)
            references[one].apply(command, at: streams[one].instant)
            guard engines[one].isEqual(to: references[one].events) else {
                Issue.record("seed \(seed) step \(step): the events differ")
                return
            }
            engines[one].log.removeAll()
            references[one].events.removeAll(keepingCapacity: true)
        }
        let bytes = pool.allocatedBytes
        engines.removeLast()
        engines.append(EngineBook(pool: pool))
        for number in 1...UInt64(references[2].snapshot.orders.count) {
            engines[2].book.place(.limit(number, .buy, 100, 1), at: 0)
        }
        #expect(pool.allocatedBytes == bytes, "what a book leaves is room for the next")
        #expect(engines[0].snapshot == references[0].snapshot && engines[1].snapshot == references[1].snapshot)
    }

    /// Never crossed, never empty-handed.
    private func isConsistent(_ book: BookSnapshot) -> Bool {
        let bids = book.orders.filter { $0.state == .resting && $0.side == .buy }
        let asks = book.orders.filter { $0.state == .resting && $0.side == .sell }
        if let bid = bids.first?.price, let ask = asks.first?.price, bid >= ask { return false }
        return book.orders.allSatisfy { $0.remaining > 0 && $0.prevented >= 0 }
    }
}

extension EngineBook {
    func isEqual(to events: [Event]) -> Bool {
        guard log.count == events.count else { return false }
        var position = 0
        while position < events.count {
            if log[position] != events[position] { return false }
            position += 1
        }
        return true
    }
}

/// A depth that is kept by changes alone.
struct DepthMirror {
    private var levels: [Side: [Int64: Int64]] = [.buy: [:], .sell: [:]]
    private var changes: [LevelChange] = []
    private var hasRepeated = false

    mutating func apply(_ book: OrderBook) {
        changes.removeAll(keepingCapacity: true)
        book.drainLevelChanges(into: &changes)
        hasRepeated = Set(changes.map { "\($0.side) \($0.price)" }).count != changes.count
        for change in changes {
            levels[change.side]?[change.price] = change.quantity == 0 ? nil : change.quantity
        }
    }

    func isEqual(to book: BookSnapshot) -> Bool {
        var expected: [Side: [Int64: Int64]] = [.buy: [:], .sell: [:]]
        for order in book.orders where order.state == .resting {
            expected[order.side]?[order.price ?? 0, default: 0] += order.remaining
        }
        return expected == levels && !hasRepeated
    }
}
