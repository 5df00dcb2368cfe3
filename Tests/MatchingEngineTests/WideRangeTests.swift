import MatchingEngine
import Randomness
import Testing

/// Orders that stand far apart: none has a level in common with another.
@Suite struct `A range of a billion prices` {
    private static let range = 1_000_000_000

    /// A book of so many bids on prices of their own, all over the range.
    private static func book(_ count: Int, seed: UInt64) -> (book: OrderBook, prices: [Int64]) {
        var random = SeededRandom(seed)
        var prices: Set<Int64> = []
        while prices.count < count { prices.insert(Int64(1 + random.below(range))) }
        let book = OrderBook(log: nil, collectsLevels: false)
        // In the order of the set, which is none.
        let placed = Array(prices)
        for (index, price) in placed.enumerated() { book.place(.limit(UInt64(index + 1), .buy, price, 1), at: 0) }
        return (book, placed)
    }

    @Test func `costs no memory for the prices that nobody is at`() {
        let count = 20_000
        let (book, _) = Self.book(count, seed: 3)
        #expect(book.liveOrders == count)
        // A slot, its part of the index, and a level of its own.
        #expect(book.allocatedBytes / count <= 192, "\(book.allocatedBytes / count) bytes an order")
    }

    @Test func `is traded through from the best price on, whatever was cancelled in between`() {
        let (book, prices) = Self.book(5_000, seed: 4)
        for number in stride(from: 1, through: prices.count, by: 3) { book.cancel(UInt64(number), at: 0) }
        let left = prices.indices.filter { $0 % 3 != 0 }.map { prices[$0] }.sorted(by: >)
        var seen: [Int64] = []
        var next: UInt64 = 10_000
        while let best = book.bestPrice(.buy) {
            seen.append(best)
            book.place(.limit(next, .sell, best, 1, .ioc, owner: 2), at: 0)
            next += 1
        }
        #expect(seen == left)
        #expect(book.liveOrders == 0 && book.trades == UInt64(left.count))
    }
}
