import MatchingEngine

/// Makes workloads: 60 % passive limits around a random walk, 30 % cancels of which one in a hundred is late, 10 %
/// takers, half of them market orders.
///
/// It replays what it makes, so that it cancels live orders, places passive ones where they don't trade, and sizes
/// takers so that about as many orders are live as are wanted.
struct Generator {
    private static let basePrice: Int64 = 1_000_000
    private static let ladder: UInt64 = 131_072
    private static let owners = 1000
    private static let quantityMax = 100

    private struct Market {
        let book: OrderBook
        var middle: Int64
        /// Live orders that were placed, in no order; some may have ended.
        var live: [UInt64] = []
    }

    private var random: SplitMix
    private var workload: Workload
    private var markets: [Market]
    private let log = EventLog()
    private let wanted: Int
    private let spread: Int
    private var nextID: UInt64 = 1

    /// A generator; `live` orders of each symbol are live once the books have filled, at most `spread` ticks away from
    /// the middle.
    init(symbols: Int, live: Int, spread: Int, seed: UInt64) {
        random = SplitMix(seed: seed)
        let ladder = max(Generator.ladder, UInt64(spread) * 4)
        workload = Workload(symbols: symbols, basePrice: Generator.basePrice, ladder: ladder, seed: seed)
        (wanted, self.spread) = (live, spread)
        let middle = Generator.basePrice + Int64(ladder / 2)
        markets = books(workload, log: nil, collectsLevels: false).map { Market(book: $0, middle: middle) }
    }

    mutating func make(_ operations: Int) -> Workload {
        workload.operations.reserveCapacity(operations)
        for _ in 0..<operations {
            let symbol = random.below(markets.count)
            let operation = operation(symbol)
            markets[symbol].book.apply(operation)
            workload.operations.append(operation)
        }
        workload.maxID = max(nextID - 1, 1)
        return workload
    }

    private mutating func operation(_ symbol: Int) -> Operation {
        if random.below(8) == 0 { walk(symbol) }
        switch random.below(100) {
        case 0..<60: return passive(symbol)
        case 60..<90: return cancel(symbol)
        default: return taker(symbol)
        }
    }

    private mutating func walk(_ symbol: Int) {
        let (lowest, highest) = (workload.prices.lowerBound + 100, workload.prices.upperBound - 100)
        let step: Int64 = random.below(2) == 0 ? -1 : 1
        markets[symbol].middle = min(max(markets[symbol].middle + step, lowest), highest)
    }

    private mutating func passive(_ symbol: Int) -> Operation {
        let side: Side = random.below(2) == 0 ? .buy : .sell
        // The smaller of two: most stand near the middle.
        let away = Int64(1 + min(random.below(spread), random.below(spread)))
        var price = side == .buy ? markets[symbol].middle - away : markets[symbol].middle + away
        if let best = markets[symbol].book.bestPrice(side.opposite) {
            price = side == .buy ? min(price, best - 1) : max(price, best + 1)
        }
        price = min(max(price, workload.prices.lowerBound), workload.prices.upperBound)
        let id = takeID()
        markets[symbol].live.append(id)
        return Operation(
            kind: .limit,
            side: side,
            symbol: symbol,
            owner: random.below(Generator.owners),
            id: id,
            price: price,
            quantity: Int64(1 + random.below(Generator.quantityMax))
        )
    }

    private mutating func cancel(_ symbol: Int) -> Operation {
        let isLate = random.below(100) == 0
        if isLate {
            return Operation(kind: .cancel, symbol: symbol, id: 1 + UInt64(random.below(Int(max(nextID - 1, 1)))))
        }
        // Orders that have ended are dropped where they are met.
        while !markets[symbol].live.isEmpty {
            let position = random.below(markets[symbol].live.count)
            let id = markets[symbol].live[position]
            markets[symbol].live.swapAt(position, markets[symbol].live.count - 1)
            markets[symbol].live.removeLast()
            if markets[symbol].book.order(id) != nil { return Operation(kind: .cancel, symbol: symbol, id: id) }
        }
        return passive(symbol)
    }

    private mutating func taker(_ symbol: Int) -> Operation {
        let side: Side = random.below(2) == 0 ? .buy : .sell
        let book = markets[symbol].book
        // Three orders are to go where ten thousand are wanted and there: that holds the balance with the mix.
        let orders = 3 * book.liveOrders / max(wanted, 1)
        let quantity = Int64(1 + random.below(Generator.quantityMax * max(orders, 1)))
        let (isMarket, id) = (random.below(2) == 0, takeID())
        let reach = Int64(random.below(8))
        let best = book.bestPrice(side.opposite) ?? markets[symbol].middle
        let price = side == .buy ? best + reach : best - reach
        return Operation(
            kind: isMarket ? .market : .limit,
            side: side,
            timeInForce: .ioc,
            symbol: symbol,
            owner: random.below(Generator.owners),
            id: id,
            price: isMarket ? 0 : min(max(price, workload.prices.lowerBound), workload.prices.upperBound),
            quantity: quantity
        )
    }

    private mutating func takeID() -> UInt64 {
        defer { nextID += 1 }
        return nextID
    }
}

/// A source of numbers that gives the same for the same seed (SplitMix64; Steele, Lea and Flood 2014).
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
