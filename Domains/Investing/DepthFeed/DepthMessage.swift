public import Kernel

/// A price and the whole quantity that waits at it, both as decimal text in the market's units; quantity `0` for none.
public struct DepthLevel: Hashable, Sendable {
    /// The price: digits, with a point and digits where it has a fraction.
    public let price: String
    /// The quantity, in the same form.
    public let quantity: String

    /// A level.
    public init(_ price: String, _ quantity: String) { (self.price, self.quantity) = (price, quantity) }
}

/// What is sent of a book: the whole of it, or the levels that have changed.
public struct DepthMessage: Hashable, Sendable {
    /// The market.
    public let symbol: String
    /// The update numbers that it covers: `U` and `u` of a change; both the last one for a whole book.
    public let updates: ClosedRange<Int64>
    /// Buying levels, best first; of a change, those that have changed, with their present quantities.
    public let bids: [DepthLevel]
    /// Selling levels, likewise.
    public let asks: [DepthLevel]
    /// The checksum of the book after it.
    public let checksum: UInt32

    /// A message.
    public init(
        symbol: String,
        updates: ClosedRange<Int64>,
        bids: [DepthLevel],
        asks: [DepthLevel],
        checksum: UInt32
    ) {
        (self.symbol, self.updates, self.bids, self.asks) = (symbol, updates, bids, asks)
        self.checksum = checksum
    }

    /// `{"s":"BTC-USD","U":157,"u":160,"b":[["1.00","2"]],"a":[],"crc":3310070434}`.
    ///
    /// The caller guarantees that symbol, prices and quantities need no escapes.
    public func encoded() -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(96 + 32 * (bids.count + asks.count))
        text += Array("{\"s\":\"".utf8)
        text += symbol.utf8
        text += Array("\",\"U\":".utf8)
        text += String(updates.lowerBound).utf8
        text += Array(",\"u\":".utf8)
        text += String(updates.upperBound).utf8
        text += Array(",\"b\":".utf8)
        DepthMessage.append(bids, to: &text)
        text += Array(",\"a\":".utf8)
        DepthMessage.append(asks, to: &text)
        text += Array(",\"crc\":".utf8)
        text += String(checksum).utf8
        text.append(UInt8(ascii: "}"))
        return text
    }

    private static func append(_ levels: [DepthLevel], to text: inout [UInt8]) {
        text.append(UInt8(ascii: "["))
        for (index, level) in levels.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text += Array("[\"".utf8)
            text += level.price.utf8
            text += Array("\",\"".utf8)
            text += level.quantity.utf8
            text += Array("\"]".utf8)
        }
        text.append(UInt8(ascii: "]"))
    }

    /// Reads what `encoded` writes; nil for anything else.
    public init?(_ json: JSON) {
        guard let symbol = json["s"]?.stringValue, let first = json["U"]?.integerValue,
            let last = json["u"]?.integerValue, first <= last, let checksum = json["crc"]?.integerValue,
            let bids = DepthMessage.levels(json["b"]), let asks = DepthMessage.levels(json["a"]),
            let checksum = UInt32(exactly: checksum)
        else { return nil }
        self.init(symbol: symbol, updates: Int64(first)...Int64(last), bids: bids, asks: asks, checksum: checksum)
    }

    private static func levels(_ json: JSON?) -> [DepthLevel]? {
        guard let elements = json?.elements else { return nil }
        let levels = elements.compactMap { level -> DepthLevel? in
            guard let pair = level.elements, pair.count == 2, let price = pair[0].stringValue,
                let quantity = pair[1].stringValue
            else { return nil }
            return DepthLevel(price, quantity)
        }
        return levels.count == elements.count ? levels : nil
    }
}
