import MatchingEngine

/// A book that commands are carried out on, and a digest of all that it told.
struct BookRun {
    let book: OrderBook
    var digest: UInt64 = 14_695_981_039_346_656_037
    private let log: EventLog

    init(_ snapshot: BookSnapshot? = nil) {
        log = EventLog(capacity: 8)
        let breaker = CircuitBreaker(moveBasisPoints: 300, window: 640, halt: 300)
        let filters = MarketFilters(bandUpBasisPoints: 400)
        book = OrderBook(filters: filters, breaker: breaker, log: log, pool: OrderPool(capacity: 4))
        if let snapshot { book.restore(snapshot) }
    }

    mutating func apply(_ commands: ArraySlice<(Command, Int64)>) {
        for (command, instant) in commands {
            book.apply(command, at: instant)
            for position in 0..<log.count {
                for byte in "\(log[position])".utf8 { digest = (digest ^ UInt64(byte)) &* 1_099_511_628_211 }
            }
            log.removeAll()
        }
    }

    static func commands(_ count: Int, seed: UInt64) -> [(Command, Int64)] {
        var stream = RandomCommands(seed: seed, target: 60, spread: 6000)
        let book = OrderBook(log: nil)
        return (0..<count).map { _ in
            let command = stream.command(live: book.liveOrders, halted: false)
            book.apply(command, at: stream.instant)
            return (command, stream.instant)
        }
    }
}
