import DepthFeed
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

@Suite struct MarketStreamTests {
    @Test(arguments: [1, 2] as [UInt64])
    func `a book rebuilt from the stream is the server's, through recoveries too`(seed: UInt64) async throws {
        try await StreamStation.with { station in
            let world = station.world
            var traders: [TradingWorld.Trader] = []
            for _ in 0..<4 { traders.append(try await world.trader()) }
            var trading = RandomTrading(world, traders: traders, seed: seed)
            let client = try await station.connect()
            let first = try await client.subscribe("depth:BTC-USDC")
            #expect(first["type"] == "snapshot")
            var book = try first["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
            let start = try #require(book?.last)
            var updates = 0
            for part in 1...3 {
                try await trading.run(batches: 100)
                let view = try await world.depth()
                updates += try await client.follow(&book, until: view.sequence)
                try compare(book, view)
                // Memory is thrown away; numbers and books go on.
                guard part < 3 else { break }
                await world.desk.lead(try await world.lease.take())
                #expect(station.feed.book("BTC-USDC") == nil)
            }
            // Each number came by itself, once, and the checksum of each was right.
            #expect(Int64(updates) == (try #require(book?.last)) - start)
            try await world.verify()
        }
    }

    private func compare(_ book: LocalBook?, _ view: DepthView) throws {
        let book = try #require(book)
        #expect(book.last == view.sequence)
        func wire(_ levels: [DepthFeed.DepthLevel]) -> JSON {
            .array(levels.map { [.string($0.price), .string($0.quantity)] })
        }
        #expect(wire(book.bids) == view.json["bids"])
        #expect(wire(book.asks) == view.json["asks"])
    }

    @Test func `who resumes a book gets what it missed`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let traders = [try await world.trader(), try await world.trader()]
            var trading = RandomTrading(world, traders: traders, seed: 3)
            try await trading.run(batches: 20)
            let client = try await station.connect()
            let first = try await client.subscribe("depth:BTC-USDC")
            var book = try first["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
            client.socket.drop()
            try await trading.run(batches: 30)
            let again = try await station.connect()
            let last = try #require(book?.last)
            again.send(["op": "resume", "channel": "depth:BTC-USDC", "from": .integer(last)])
            #expect(try await again.next()["resumed"] == true)
            let view = try await world.depth()
            let updates = try await again.follow(&book, until: view.sequence)
            #expect(Int64(updates) == view.sequence - last)
            try compare(book, view)
        }
    }

    @Test func `a snapshot has the best levels, and a copy that has used them up fails its checksum`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let most = PublishedBook.snapshotLevelsMax
            let asks = (0..<Int64(most + 50)).map { world.ticket(alice, .sell, 1, at: 5_000_000 + 100 * $0) }
            _ = try await world.desk.commit(asks.map { .place($0, world.request(alice)) })
            let client = try await station.connect()
            let first = try await client.subscribe("depth:BTC-USDC")
            var book = try first["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
            #expect(book?.asks.count == most)
            #expect(book?.asks.first?.price == "50000.00")
            try await world.place(bob, world.ticket(bob, .buy, Int64(most - 20), at: 6_000_000))
            _ = try await client.follow(&book, until: try await world.depth().sequence)
            #expect(book?.asks.count == 20)
            try await world.place(bob, world.ticket(bob, .buy, 15, at: 6_000_000))
            let sequence = try await world.depth().sequence
            await #expect(throws: LocalBook.Fault.self) { _ = try await client.follow(&book, until: sequence) }
            // Later subscribers get a newer one.
            for price in 0...Int64(InvestingStreams.followersMax) {
                try await world.place(bob, world.ticket(bob, .buy, 1, at: 4_000_000 + price))
            }
            let again = try await station.connect().subscribe("depth:BTC-USDC")
            book = try again["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
            try compare(book, try await world.depth())
        }
    }

    @Test func `a market that is opened while others trade is told of from its first batch`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 100, at: 5_000_000))
            let new: JSON = ["symbol": "ETH-USDC", "tick_size": "0.01", "lot_size": "0.0001"]
            #expect(try await OperatorTests.ask(world, .createMarket, new).status == 200)
            let first = try await station.connect().subscribe("depth:ETH-USDC")
            let book = try first["data"].flatMap { DepthMessage($0) }.map { try LocalBook($0) }
            #expect(book?.bids.isEmpty == true)
            #expect(station.feed.book("BTC-USDC")?.whole.bids.count == 1)
            try await world.verify()
        }
    }

    @Test func `trades come in the order of their numbers, and a kline with the last of them`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let (alice, bob) = (try await world.trader(), try await world.trader())
            let (trades, klines) = (try await station.connect(), try await station.connect())
            #expect(try await trades.subscribe("trades:BTC-USDC")["type"] == "live")
            klines.send(["op": "subscribe", "channels": ["klines:BTC-USDC:1M", "klines:BTC-USDC:2m"]])
            let answers = [try await klines.next(), try await klines.next()]
            #expect(answers.contains { $0["code"] == "unknown_channel" })
            #expect(answers.contains { $0["type"] == "ack" })
            try await world.place(alice, world.ticket(alice, .sell, 300, at: 5_000_000))
            for lots in [100, 200] as [Int64] {
                try await world.place(bob, world.ticket(bob, .buy, lots, at: 5_000_000))
            }
            for number in 1...2 {
                let trade = try await trades.next()
                #expect(trade["seq"]?.integerValue == number)
                #expect(trade["data"]?["quantity"]?.stringValue == "0.0\(number)")
                let kline = try await klines.next()
                #expect(kline["data"]?["trades"]?.integerValue == number)
                #expect(kline["data"]?["volume"]?.stringValue == ["0.01", "0.03"][number - 1])
            }
        }
    }

    @Test func `an account's events come without a gap, and can be read again`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let traders = [try await world.trader(), try await world.trader()]
            var trading = RandomTrading(world, traders: traders, seed: 5)
            try await trading.run(batches: 10)
            let stranger = try await station.connect()
            #expect(try await stranger.subscribeRefusal("orders")["code"] == "unauthenticated")
            let client = try await station.connect(as: traders[0])
            let first = try await client.subscribe("orders")
            #expect(first["data"]?["account"]?.stringValue == traders[0].account.id.wire)
            let start = try #require(first["seq"]?.integerValue)
            try await trading.run(batches: 20)
            await world.desk.lead(try await world.lease.take())
            try await trading.run(batches: 20)
            let rows = try await world.pool.query(
                "select events from investing.accounts where id = \(traders[0].account.id)"
            )
            let last: Int64 = try rows[0]["events"]
            #expect(last > Int64(start))
            let accounts = TradingAccounts(
                schema: TradingWorld.schema,
                pool: world.pool,
                ids: world.ids,
                clock: SystemClock()
            )
            let reader = AccountEvents(schema: TradingWorld.schema, pool: world.pool, accounts: accounts)
            let read = try await reader.events(of: traders[0].account.id, after: Int64(start), limit: 1_000)
            #expect(read.count == Int(last) - start)
            for (place, event) in read.enumerated() {
                let message = try await client.next()
                #expect(message["type"] == "update")
                #expect(message["seq"]?.integerValue == start + 1 + place)
                #expect(event["sequence"]?.integerValue == start + 1 + place)
                // The database orders members its own way.
                #expect(message["data"]?["order"]?.sorted == event["order"]?.sorted)
                #expect(message["data"]?["fills"]?.sorted == event["fills"]?.sorted)
            }
        }
    }

    @Test func `a batch that isn't stored is told to nobody`() async throws {
        try await StreamStation.with { station in
            let world = station.world
            let alice = try await world.trader()
            try await world.place(alice, world.ticket(alice, .buy, 100, at: 5_000_000))
            let before = try #require(station.feed.book("BTC-USDC")?.whole)
            _ = try await world.pool.query("update investing.writer_lease set epoch = epoch + 1")
            await #expect(throws: WriterElsewhere.self) {
                try await world.place(alice, world.ticket(alice, .buy, 100, at: 4_999_900))
            }
            #expect(station.feed.book("BTC-USDC")?.whole == before)
        }
    }
}

extension StreamClient {
    /// Subscribes; what is said against it.
    func subscribeRefusal(_ channel: String) async throws -> JSON {
        send(["op": "subscribe", "channels": [.string(channel)]])
        return try await next()
    }
}

extension JSON {
    /// The same with the members of its objects in the order of their names.
    fileprivate var sorted: JSON {
        switch self {
        case .object(let members):
            .object(members.map { Member($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(\.sorted))
        default: self
        }
    }
}
