import MatchingEngine
import Randomness

/// A file of operations as its format is written down, and what the specification makes of it.
struct ReplayFile {
    /// A record of 32 bytes.
    struct Record {
        /// 0 LIMIT, 1 MARKET, 2 CANCEL, 3 AMEND.
        var type: UInt8 = 0
        var side: UInt8 = 0
        var timeInForce: UInt8 = 0
        var flags: UInt8 = 0
        var symbol: UInt16 = 0
        var owner: UInt16 = 0
        var id: UInt64 = 1
        var price: Int64 = ReplayFile.basePrice
        var quantity: Int64 = 1

        var bytes: [UInt8] {
            [type, side, timeInForce, flags] + ReplayFile.bytes(symbol) + ReplayFile.bytes(owner)
                + ReplayFile.bytes(id) + ReplayFile.bytes(price) + ReplayFile.bytes(quantity)
        }

        /// What it commands; `mode` takes the place of its own.
        func command(_ mode: SelfTradePrevention?) -> Command {
            switch type {
            case 2: .cancel(order: id)
            case 3: .amend(order: id, total: quantity, price: price)
            default:
                .place(
                    NewOrder(
                        number: id,
                        owner: UInt32(owner),
                        side: side == 0 ? .buy : .sell,
                        type: type == 0 ? .limit : .market,
                        timeInForce: [.gtc, .ioc, .fok][Int(timeInForce)],
                        isPostOnly: flags & 1 == 1,
                        selfTradePrevention: mode ?? ReplayFile.modes[Int(flags >> 1)],
                        price: type == 0 ? price : nil,
                        quantity: quantity
                    )
                )
            }
        }
    }

    static let basePrice: Int64 = 1_000
    static let modes: [SelfTradePrevention] = [.none, .expireTaker, .expireMaker, .expireBoth, .decrement]

    var magic = Array("MATCHWL1".utf8)
    var version: UInt32 = 1
    var symbols: UInt32 = 1
    var maxID: UInt64 = 1
    var ladder: UInt64 = 64
    var records: [Record] = []

    var bytes: [UInt8] {
        let words = [UInt64(records.count), maxID, UInt64(bitPattern: ReplayFile.basePrice), ladder, 7, 0]
        return magic + ReplayFile.bytes(version) + ReplayFile.bytes(symbols) + words.flatMap { ReplayFile.bytes($0) }
            + records.flatMap(\.bytes)
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// Everything that a file may hold: all types and times in force, post-only, all modes, numbers that are used
    /// again, operations on orders that ended or never were, and anything at all where a type looks at nothing.
    ///
    /// Most prices are among 64 that lie evenly in the ladder, so that orders meet however wide it is.
    static func random(_ count: Int, seed: UInt64, ladder: Int = 64) -> ReplayFile {
        var random = SeededRandom(seed)
        var file = ReplayFile(symbols: 3, ladder: UInt64(ladder))
        let step = ladder / 64
        for _ in 0..<count {
            let isNew = random.percent(64)
            if isNew && !random.percent(4) { file.maxID += 1 }
            let back = UInt64(random.below(random.percent(95) ? 120 : 4_000))
            var record = Record(
                type: isNew ? (random.percent(85) ? 0 : 1) : (random.percent(50) ? 2 : 3),
                side: UInt8(random.below(2)),
                timeInForce: UInt8(random.percent(70) ? 0 : random.below(3)),
                flags: UInt8(random.below(5)) << 1 | (random.percent(15) ? 1 : 0),
                symbol: UInt16(random.below(3)),
                owner: UInt16(random.below(4)),
                id: isNew ? file.maxID : max(1, file.maxID - min(back, file.maxID - 1)),
                price: basePrice + Int64(random.below(64) * step + (random.percent(20) ? random.below(step) : 0)),
                quantity: Int64(1 + random.below(20))
            )
            switch record.type {
            case 1: record.price = Int64(bitPattern: random.next())
            case 2: (record.side, record.flags, record.price, record.quantity) = (9, 255, -1, -1)
            case 3: (record.side, record.timeInForce, record.quantity) = (9, 9, record.quantity - 1)
            default: break
            }
            file.records.append(record)
        }
        return file
    }

    /// Lines of trades and the number of live orders, by the specification.
    func expected(_ mode: SelfTradePrevention?) -> (trades: [String], live: Int) {
        let last = ReplayFile.basePrice + Int64(ladder) - 1
        let filters = MarketFilters(priceMin: ReplayFile.basePrice, priceMax: last)
        var books = (0..<symbols).map { _ in ReferenceOrderBook(filters: filters) }
        var lines: [String] = []
        for (index, record) in records.enumerated() {
            let symbol = Int(record.symbol)
            books[symbol].apply(record.command(mode), at: 0)
            for case .trade(let trade) in books[symbol].drain() {
                lines.append("\(index),\(symbol),\(trade.taker),\(trade.maker),\(trade.price),\(trade.quantity)")
            }
        }
        return (lines, books.reduce(0) { $0 + $1.snapshot.orders.count })
    }
}
