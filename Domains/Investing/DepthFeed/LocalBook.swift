/// A client's copy of a book, rebuilt from a whole one and the changes after it; it says when it can't be right.
///
/// Slow and obvious: it shows how to do it, and proves what the server sends.
public struct LocalBook: Sendable {
    /// Why the copy is worthless and the book has to be subscribed to anew.
    public enum Fault: Error, Hashable, Sendable {
        /// A change doesn't follow what the copy has: `expected` is the number that should come next.
        case gap(expected: Int64, first: Int64)
        /// The copy's checksum isn't the message's.
        case checksum(own: UInt32, theirs: UInt32)
    }

    private var bidsByPrice: [String: DepthLevel] = [:]
    private var asksByPrice: [String: DepthLevel] = [:]
    /// The last update that the copy contains.
    public private(set) var last: Int64

    /// A copy of a whole book.
    ///
    /// - Throws: `Fault.checksum` when it isn't what the message says.
    public init(_ book: DepthMessage) throws(Fault) {
        last = book.updates.upperBound
        set(book)
        try check(book)
    }

    /// Takes in a change; one that the copy contains already changes nothing.
    ///
    /// - Throws: `Fault`; the copy is worthless then.
    public mutating func apply(_ change: DepthMessage) throws(Fault) {
        guard change.updates.upperBound > last else { return }
        guard change.updates.lowerBound <= last + 1 else {
            throw .gap(expected: last + 1, first: change.updates.lowerBound)
        }
        last = change.updates.upperBound
        set(change)
        try check(change)
    }

    /// Buying levels, best first.
    public var bids: [DepthLevel] { bidsByPrice.values.sorted { LocalBook.isLess($1.price, $0.price) } }

    /// Selling levels, best first.
    public var asks: [DepthLevel] { asksByPrice.values.sorted { LocalBook.isLess($0.price, $1.price) } }

    private mutating func set(_ message: DepthMessage) {
        for level in message.bids { bidsByPrice[level.price] = LocalBook.isZero(level.quantity) ? nil : level }
        for level in message.asks { asksByPrice[level.price] = LocalBook.isZero(level.quantity) ? nil : level }
    }

    private func check(_ message: DepthMessage) throws(Fault) {
        let own = DepthChecksum.of(bids: bids, asks: asks)
        guard own == message.checksum else { throw .checksum(own: own, theirs: message.checksum) }
    }

    private static func isZero(_ number: String) -> Bool {
        number.utf8.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    }

    /// Whether a decimal is less than another, by their digits.
    static func isLess(_ left: String, _ right: String) -> Bool {
        let (left, right) = (parts(left), parts(right))
        if left.whole.count != right.whole.count { return left.whole.count < right.whole.count }
        if left.whole != right.whole { return left.whole.lexicographicallyPrecedes(right.whole) }
        // `1.5` and `1.50` differ in length only.
        let count = max(left.fraction.count, right.fraction.count)
        return padded(left.fraction, count).lexicographicallyPrecedes(padded(right.fraction, count))
    }

    private static func parts(_ number: String) -> (whole: [UInt8], fraction: [UInt8]) {
        let parts = Array(number.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (Array(parts[0].drop { $0 == UInt8(ascii: "0") }), parts.count > 1 ? Array(parts[1]) : [])
    }

    private static func padded(_ digits: [UInt8], _ count: Int) -> [UInt8] {
        digits + Array(repeating: UInt8(ascii: "0"), count: count - digits.count)
    }
}
