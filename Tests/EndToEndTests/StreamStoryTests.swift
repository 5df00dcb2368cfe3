import DepthFeed
import Foundation
import Kernel
import Testing

/// What the stream says of a market in trade, at the process that writes and at one that doesn't.
///
/// `DIBOAS_STREAM_SECONDS` makes it longer.
struct StreamStoryTests {
    private static let symbol = OrderLoad.symbol
    private static let market = "/v1/investing/markets/\(symbol)"
    private static let channels = ["depth", "trades", "ticker"].map { "\($0):\(symbol)" } + ["klines:\(symbol):1m"]
    private static let patienceSeconds = 60.0

    private static var seconds: Double {
        ProcessInfo.processInfo.environment["DIBOAS_STREAM_SECONDS"].flatMap(Double.init) ?? 10
    }

    @Test(.timeLimit(.minutes(10)))
    func `a book rebuilt from the stream is the server's, and trades, klines and tickers add up`() async throws {
        try await Site.with(processes: 2) { site in
            let load = try await OrderLoad.make(on: site)
            let processes = await site.processes
            var followers: [StreamFollower] = []
            for process in processes {
                followers.append(try await StreamFollower.subscribe(to: StreamStoryTests.channels, at: process))
            }
            try await withThrowingDiscardingTaskGroup { group in
                for follower in followers { group.addTask { await follower.listen() } }
                for follower in followers {
                    try await StreamStoryTests.wait("for a snapshot") { follower.heard.book != nil }
                }
                async let running: Void = load.run(on: site)
                try await Task.sleep(for: .seconds(StreamStoryTests.seconds))
                load.end()
                // Orders that are on their way trade still.
                await running
                for (process, follower) in zip(processes, followers) {
                    try await StreamStoryTests.compare(load.trader(0, at: process), follower)
                }
                for follower in followers { follower.leave() }
            }
            for follower in followers {
                let heard = follower.heard
                #expect(heard.faults.allSatisfy { $0.hasPrefix("closed") }, "\(heard.faults)")
                #expect(heard.snapshots == 1, "the thread was lost")
                #expect(heard.updates["depth:\(StreamStoryTests.symbol)", default: 0] > 20)
            }
        }
    }

    private static func wait(_ what: String, until condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(patienceSeconds)
        while try await !condition() {
            try #require(ContinuousClock.now < end, "waited \(what)")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func compare(_ customer: Customer, _ follower: StreamFollower) async throws {
        // The last batch may be on its way still.
        var depth = JSON.null
        try await wait("for the book's last number") {
            let answer = try await customer.get("\(market)/depth?limit=1000")
            try #require(answer.status == 200, "\(answer.readable)")
            depth = answer.json
            return follower.heard.book?.last == depth["sequence"]?.integerValue.map(Int64.init)
        }
        let book = try #require(follower.heard.book)
        func wire(_ levels: [DepthLevel]) -> JSON { .array(levels.map { [.string($0.price), .string($0.quantity)] }) }
        #expect(wire(book.bids) == depth["bids"])
        #expect(wire(book.asks) == depth["asks"])
        try await compareTrades(customer, follower)
    }

    private static func compareTrades(_ customer: Customer, _ follower: StreamFollower) async throws {
        let newest = try await customer.get("\(market)/trades?limit=1000").json["data"]?.elements ?? []
        let channel = "trades:\(symbol)"
        try await wait("for the last trade") { follower.heard.data[channel]?.last == newest.first }
        let trades = follower.heard.data[channel] ?? []
        #expect(trades.count > 10, "there was no trade")
        #expect(Array(trades.suffix(newest.count)) == newest.reversed())
        let (volume, quote) = (sum(trades, "quantity"), sum(trades, "quote"))

        for interval in ["1m", "5m", "15m", "1h", "4h", "1d", "1w", "1M"] {
            let answer = try await customer.get("\(market)/klines?interval=\(interval)&limit=60")
            let klines = answer.json["data"]?.elements ?? []
            #expect(sum(klines, "volume") == volume, "\(interval)")
            #expect(sum(klines, "quote_volume") == quote, "\(interval)")
            #expect(klines.reduce(0) { $0 + ($1["trades"]?.integerValue ?? 0) } == trades.count, "\(interval)")
            guard interval == "1m" else { continue }
            let last = klines.last { $0["trades"]?.integerValue != 0 }
            try await wait("for the last kline") { follower.heard.data["klines:\(symbol):1m"]?.last == last }
        }
        try await wait("for the ticker") {
            let said = follower.heard.data["ticker:\(symbol)"]?.last
            return said?["trades"]?.integerValue == trades.count
        }
        var ticker = JSON.null
        try await wait("for a new ticker") {
            ticker = try await customer.get("\(market)/ticker").json
            return ticker["trades"]?.integerValue == trades.count
        }
        #expect(sum([ticker], "volume") == volume)
        #expect(sum([ticker], "quote_volume") == quote)
        #expect(ticker["last_price"] == trades.last?["price"])
        #expect(ticker["open"] == trades.first?["price"])
        let prices = trades.compactMap { $0["price"]?.stringValue }
        #expect(ticker["high"]?.stringValue.map(units) == prices.map(units).max())
        #expect(ticker["low"]?.stringValue.map(units) == prices.map(units).min())
    }

    private static func sum(_ elements: [JSON], _ name: String) -> Int {
        elements.reduce(0) { $0 + units($1[name]?.stringValue ?? "") }
    }

    /// Millionths.
    private static func units(_ decimal: String) -> Int {
        let parts = decimal.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return Int("\(parts.first ?? "")\(fraction)\(zeros)") ?? 0
    }
}
