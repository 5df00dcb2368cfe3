import MatchingEngine
import Randomness
import Testing

@Suite struct `Recovery` {
    @Test(arguments: [11, 12, 13] as [UInt64])
    func `from a snapshot and what came after equals a full replay`(seed: UInt64) {
        let commands = BookRun.commands(3000, seed: seed)
        var full = BookRun()
        full.apply(commands[..<1500])
        var restored = BookRun(full.book.snapshot())
        #expect(restored.book.stateHash == full.book.stateHash)
        (full.digest, restored.digest) = (0, 0)
        full.apply(commands[1500...])
        restored.apply(commands[1500...])
        #expect(restored.digest == full.digest)
        #expect(restored.book.stateHash == full.book.stateHash)
        #expect(restored.book.snapshot() == full.book.snapshot())
    }

    @Test(arguments: [21, 22, 23, 24] as [UInt64])
    func `what is withdrawn and put back stands where it stood`(seed: UInt64) {
        var random = SeededRandom(seed)
        var run = BookRun()
        for commands in 0..<40 {
            run.apply(BookRun.commands(50 * (commands + 1), seed: seed)[(50 * commands)...])
            let before = run.book.snapshot()
            let hash = run.book.stateHash
            // Of one level, the place in the snapshot tells who came first.
            let places = Dictionary(uniqueKeysWithValues: before.orders.enumerated().map { ($1.number, $0) })
            let share = Int.random(in: 1...4, using: &random)
            let some = before.orders.filter { _ in Int.random(in: 0..<share, using: &random) == 0 }
            for order in some.shuffled(using: &random) { run.book.withdraw(order.number) }
            #expect(run.book.liveOrders == before.orders.count - some.count)
            for order in some.reversed() {
                let place = places[order.number] ?? 0
                run.book.restore(order) { (places[$0] ?? 0) > place }
            }
            #expect(run.book.stateHash == hash)
            #expect(run.book.snapshot() == before)
        }
    }

    @Test func `an order that isn't there can't be withdrawn`() {
        let book = OrderBook(log: nil)
        book.restore(OpenOrder(number: 1, owner: 2, side: .buy, price: 10, quantity: 9, remaining: 5, traded: 3))
        let hash = book.stateHash
        book.withdraw(2)
        #expect(book.stateHash == hash)
        book.withdraw(1)
        #expect(book.liveOrders == 0 && book.bestPrice(.buy) == nil)
    }

    @Test func `keeps a digest that every part of the state changes`() {
        func hash(_ change: (inout OpenOrder, inout MarketStatus) -> Void) -> UInt64 {
            let book = OrderBook(log: nil)
            var order = OpenOrder(number: 1, owner: 2, side: .buy, price: 10, quantity: 9, remaining: 5, traded: 3)
            var status = MarketStatus(lastPrice: 7)
            change(&order, &status)
            book.restore(BookSnapshot(status: status, orders: [order]))
            return book.stateHash
        }
        let hashes = [
            hash { _, _ in }, hash { order, _ in order.number = 3 }, hash { order, _ in order.owner = 3 },
            hash { order, _ in order.side = .sell }, hash { order, _ in order.price = 11 },
            hash { order, _ in order.quantity = 10 }, hash { order, _ in order.remaining = 4 },
            hash { order, _ in order.traded = 2 }, hash { order, _ in order.isPostOnly = true },
            hash { order, _ in order.selfTradePrevention = .decrement }, hash { order, _ in order.otherLeg = 8 },
            hash { order, _ in (order.timeInForce, order.expiresAt) = (.gtd, 5) },
            hash { order, _ in (order.timeInForce, order.expiresAt) = (.gtd, 6) },
            hash { order, _ in order.wait(stopPrice: 10) }, hash { order, _ in order.wait(stopPrice: 11) },
            hash { order, _ in order.wait(stopPrice: 10, price: 11) },
            hash { _, status in status.lastPrice = nil }, hash { _, status in status.state = .postOnly },
            hash { _, status in (status.state, status.reopensAt) = (.halt, 4) },
            hash { _, status in status.referencePrice = 7 },
            hash { _, status in status.slices = [PriceSlice(number: 1, lowest: 2, highest: 3)] },
        ]
        #expect(Set(hashes).count == hashes.count)
    }
}

extension OpenOrder {
    fileprivate mutating func wait(stopPrice: Int64, price: Int64 = 10) {
        (state, type, traded) = (.waiting, .stopLimit, 0)
        (self.stopPrice, self.price) = (stopPrice, price)
    }
}

@Suite struct `Costs` {
    @Test func `a sweep is counted by its fills`() {
        let book = OrderBook(log: nil)
        for number in 1...5000 { book.place(.limit(UInt64(number), .sell, 100, 1, owner: 2), at: 0) }
        let before = book.matchingSteps
        book.place(.limit(9000, .buy, 100, 5000), at: 0)
        #expect(book.trades == 5000 && book.liveOrders == 0)
        #expect(book.matchingSteps - before <= 5001)
    }

    @Test func `a cancel in a level of 50,000 orders looks at no other order`() {
        let book = OrderBook(log: nil, pool: OrderPool(capacity: 65_536))
        for number in 1...50_000 { book.place(.limit(UInt64(number), .sell, 100, 1), at: 0) }
        let (before, bytes) = (book.matchingSteps, book.allocatedBytes)
        for number in stride(from: 25_000, through: 25_100, by: 1) { book.cancel(UInt64(number), at: 0) }
        #expect(book.matchingSteps == before && book.allocatedBytes == bytes && book.liveOrders == 49_899)
        #expect(book.depth(.sell, limit: 1) == [DepthLevel(price: 100, quantity: 49_899, orders: 49_899)])
    }

    @Test func `a resting order takes at most 128 bytes, however wide the prices`() {
        let book = OrderBook(log: nil, collectsLevels: false)
        let count = 100_000
        for number in 1...count {
            let price = Int64(1 + (number &* 7919) % 10_000) * 1_000_000_007
            book.place(.limit(UInt64(number), .buy, price, 1, owner: UInt32(number)), at: 0)
        }
        #expect(book.liveOrders == count && book.allocatedBytes / count <= 128)
        #expect(book.bestPrice(.buy) == Int64(10_000 * 1_000_000_007))
    }

    @Test func `nothing is allocated once there is room`() {
        var stream = RandomCommands(seed: 5, target: 40, spread: 60)
        let book = OrderBook(log: nil)
        var bytes = 0
        var changes: [LevelChange] = []
        for step in 0..<20_000 {
            book.apply(stream.command(live: book.liveOrders, halted: false), at: stream.instant)
            if step % 100 == 0 { book.drainLevelChanges(into: &changes) }
            if step == 10_000 { bytes = book.allocatedBytes }
        }
        #expect(book.allocatedBytes == bytes)
    }

    @Test func `a dry run costs what the order then does`() {
        let book = OrderBook(log: nil)
        for (number, price) in [(1, 100), (2, 101), (3, 110)] as [(UInt64, Int64)] {
            book.place(.limit(number, .sell, price, 5), at: 0)
        }
        #expect(book.marketCost(.buy, quantity: 7, bound: nil) == MarketCost(quantity: 7, quote: 702, worstPrice: 101))
        #expect(
            book.marketCost(.buy, quantity: 99, bound: 105) == MarketCost(quantity: 10, quote: 1005, worstPrice: 101)
        )
        #expect(book.marketCost(.sell, quantity: 9, bound: nil) == MarketCost(quantity: 0, quote: 0, worstPrice: nil))
        #expect(book.refusal(of: .limit(1, .buy, 5, 1), at: 0)?.reason == .duplicateOrder)
        #expect(book.refusal(of: .limit(4, .buy, 5, 1), at: 0) == nil && book.order(4) == nil)
        #expect(book.openOrders(owner: 1) == 3)
    }
}
