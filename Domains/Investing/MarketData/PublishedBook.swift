import DepthFeed
import MatchingEngine

/// A market's book as subscribers know it: only what is committed is in it.
struct PublishedBook: Sendable {
    private struct Level {
        /// Its price in ticks, for asks below zero: so the best of either side is the greatest.
        let key: Int64
        var quantity: Int64
    }

    /// Levels of each side in what new subscribers get.
    static let snapshotLevelsMax = 1_000

    let market: Market
    private(set) var sequence: Int64
    // The best at the end: what changes most is there, and little has to make room for it.
    private var bids: [Level]
    private var asks: [Level]

    /// A whole book, levels best first.
    init(_ market: Market, sequence: Int64, bids: [MatchingEngine.DepthLevel], asks: [MatchingEngine.DepthLevel]) {
        (self.market, self.sequence) = (market, sequence)
        self.bids = bids.reversed().map { Level(key: $0.price, quantity: $0.quantity) }
        self.asks = asks.reversed().map { Level(key: -$0.price, quantity: $0.quantity) }
    }

    /// Takes changes in, and says what subscribers are told of them.
    mutating func apply(_ changes: [LevelChange], sequence: Int64) -> DepthMessage {
        let first = self.sequence + 1
        self.sequence = sequence
        for change in changes {
            switch change.side {
            case .buy: PublishedBook.set(&bids, change.price, change.quantity)
            case .sell: PublishedBook.set(&asks, -change.price, change.quantity)
            }
        }
        func told(_ side: Side) -> [DepthFeed.DepthLevel] {
            changes.filter { $0.side == side }.map { level($0.price, $0.quantity) }
        }
        return message(min(first, sequence)...sequence, bids: told(.buy), asks: told(.sell))
    }

    /// The whole book.
    var whole: DepthMessage { message(sequence...sequence, bids: levels(.buy), asks: levels(.sell)) }

    /// What new subscribers get: the best levels, so that it stays small however deep the book is.
    var snapshot: DepthMessage {
        message(
            sequence...sequence,
            bids: levels(.buy, limit: PublishedBook.snapshotLevelsMax),
            asks: levels(.sell, limit: PublishedBook.snapshotLevelsMax)
        )
    }

    /// Levels of a side, best first.
    func levels(_ side: Side, limit: Int = .max) -> [DepthFeed.DepthLevel] {
        (side == .buy ? bids : asks).suffix(limit).reversed().map { level(abs($0.key), $0.quantity) }
    }

    /// Prices of a side in ticks, best first, in the order of `levels`.
    func prices(_ side: Side, limit: Int) -> [Int64] {
        (side == .buy ? bids : asks).suffix(limit).reversed().map { abs($0.key) }
    }

    private func message(
        _ updates: ClosedRange<Int64>,
        bids: [DepthFeed.DepthLevel],
        asks: [DepthFeed.DepthLevel]
    ) -> DepthMessage {
        let checksum = DepthChecksum.of(
            bids: levels(.buy, limit: DepthChecksum.levelsMax),
            asks: levels(.sell, limit: DepthChecksum.levelsMax)
        )
        return DepthMessage(symbol: market.symbol, updates: updates, bids: bids, asks: asks, checksum: checksum)
    }

    private func level(_ price: Int64, _ quantity: Int64) -> DepthFeed.DepthLevel {
        DepthFeed.DepthLevel(market.wire(price: price), quantity == 0 ? "0" : market.wire(lots: quantity))
    }

    private static func set(_ levels: inout [Level], _ key: Int64, _ quantity: Int64) {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if levels[middle].key < key { low = middle + 1 } else { high = middle }
        }
        let isThere = low < levels.count && levels[low].key == key
        switch (isThere, quantity) {
        case (true, 0): levels.remove(at: low)
        case (true, _): levels[low].quantity = quantity
        case (false, 0): break
        case (false, _): levels.insert(Level(key: key, quantity: quantity), at: low)
        }
    }
}
