import DepthFeed
import Kernel
import Randomness
import Testing

@Suite struct DepthFeedTests {
    /// The book that the server has: sorted arrays of ticks and lots.
    private struct ServerBook {
        var bids: [Int: Int] = [:]
        var asks: [Int: Int] = [:]
        var last: Int64 = 100

        var bidLevels: [DepthLevel] { bids.sorted { $0.key > $1.key }.map(level) }
        var askLevels: [DepthLevel] { asks.sorted { $0.key < $1.key }.map(level) }
        var checksum: UInt32 { DepthChecksum.of(bids: bidLevels, asks: askLevels) }

        func level(_ price: Int, _ quantity: Int) -> DepthLevel {
            let cents = price % 100
            return DepthLevel("\(price / 100).\(cents < 10 ? "0" : "")\(cents)", "\(quantity)")
        }

        var whole: DepthMessage {
            DepthMessage(symbol: "A-B", updates: last...last, bids: bidLevels, asks: askLevels, checksum: checksum)
        }

        mutating func change(_ random: inout SeededRandom) -> DepthMessage {
            let first = last + 1
            last += Int64.random(in: 1...3, using: &random)
            var (bidChanges, askChanges): ([DepthLevel], [DepthLevel]) = ([], [])
            for _ in first...last {
                let quantity = max(0, Int.random(in: -4...9, using: &random))
                if Bool.random(using: &random) {
                    let price = Int.random(in: 9_970..<10_000, using: &random)
                    bids[price] = quantity == 0 ? nil : quantity
                    bidChanges.removeAll { $0.price == level(price, 0).price }
                    bidChanges.append(level(price, quantity))
                } else {
                    let price = Int.random(in: 10_000..<10_030, using: &random)
                    asks[price] = quantity == 0 ? nil : quantity
                    askChanges.removeAll { $0.price == level(price, 0).price }
                    askChanges.append(level(price, quantity))
                }
            }
            return DepthMessage(
                symbol: "A-B",
                updates: first...last,
                bids: bidChanges,
                asks: askChanges,
                checksum: checksum
            )
        }
    }

    @Test func `the checksum is the usual one`() {
        #expect(CRC32.of(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(CRC32.of([]) == 0)
    }

    @Test func `the text of the checksum is asks, then bids, without points and zeros in front`() {
        let asks = [DepthLevel("0.05005", "0.00000500"), DepthLevel("10.00", "3")]
        let bids = [DepthLevel("0.05000", "12.5")]
        let text = String(decoding: DepthChecksum.text(bids: bids, asks: asks), as: UTF8.self)
        #expect(text == "5005" + "500" + "1000" + "3" + "5000" + "125")
        let many = (1...30).map { DepthLevel("\($0)", "1") }
        #expect(DepthChecksum.text(bids: [], asks: many) == DepthChecksum.text(bids: [], asks: many.prefix(10)))
    }

    @Test func `a message is read as it was written`() throws {
        let message = DepthMessage(
            symbol: "BTC-USD",
            updates: 157...160,
            bids: [DepthLevel("0.0024", "10")],
            asks: [DepthLevel("0.0026", "100"), DepthLevel("0.0027", "0")],
            checksum: 3_310_070_434
        )
        let text = message.encoded()
        #expect(
            String(decoding: text, as: UTF8.self)
                == #"{"s":"BTC-USD","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"],["0.0027","0"]],"#
                + #""crc":3310070434}"#
        )
        #expect(DepthMessage(try JSON.parse(text)) == message)
        let faulty = [
            #"{"U":1,"u":1,"b":[],"a":[],"crc":1}"#, #"{"s":"A","U":2,"u":1,"b":[],"a":[],"crc":1}"#,
            #"{"s":"A","U":1,"u":1,"b":[["1"]],"a":[],"crc":1}"#,
            #"{"s":"A","U":1,"u":1,"b":[[1,"2"]],"a":[],"crc":1}"#,
            #"{"s":"A","U":1,"u":1,"b":[],"a":[],"crc":4294967296}"#, "[]",
        ]
        for text in faulty { #expect(DepthMessage(try JSON.parse(Array(text.utf8))) == nil, "\(text)") }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `a copy is rebuilt from changes`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var server = ServerBook()
        for _ in 0..<20 { _ = server.change(&random) }
        var copy = try LocalBook(server.whole)
        for _ in 0..<2_000 {
            let change = server.change(&random)
            try copy.apply(change)
            // Once more changes nothing.
            try copy.apply(change)
            #expect(copy.last == server.last)
        }
        #expect(copy.bids == server.bidLevels)
        #expect(copy.asks == server.askLevels)
    }

    @Test func `a change that straddles the whole book's number is taken`() throws {
        var server = ServerBook(bids: [9_999: 5], asks: [10_001: 7])
        var copy = try LocalBook(server.whole)
        server.asks[10_001] = 9
        server.last += 1
        let level = server.level(10_001, 9)
        let change = DepthMessage(
            symbol: "A-B",
            updates: 99...101,
            bids: [],
            asks: [level],
            checksum: server.checksum
        )
        try copy.apply(change)
        #expect(copy.asks == [level])
    }

    @Test func `a gap and a wrong checksum are found`() throws {
        var random = SeededRandom(4)
        var server = ServerBook()
        let copy = try LocalBook(server.whole)
        let missed = server.change(&random)
        let next = server.change(&random)
        let fault = LocalBook.Fault.gap(expected: 101, first: missed.updates.upperBound + 1)
        #expect(throws: fault) {
            var copy = copy
            try copy.apply(next)
        }
        let wrong = DepthMessage(symbol: "A-B", updates: 101...101, bids: [], asks: [], checksum: 7)
        #expect(throws: LocalBook.Fault.checksum(own: 0, theirs: 7)) {
            var copy = copy
            try copy.apply(wrong)
        }
        #expect(throws: LocalBook.Fault.checksum(own: 0, theirs: 7)) { try LocalBook(wrong) }
    }

    @Test func `prices are compared as numbers`() throws {
        let asks = ["10", "9.5", "100.25", "9.45", "0.10"].map { DepthLevel($0, "1") }
        let sorted = ["0.10", "9.45", "9.5", "10", "100.25"].map { DepthLevel($0, "1") }
        let checksum = DepthChecksum.of(bids: [], asks: sorted)
        let book = DepthMessage(symbol: "A-B", updates: 1...1, bids: [], asks: asks, checksum: checksum)
        #expect(try LocalBook(book).asks == sorted)
    }
}
