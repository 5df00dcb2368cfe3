/// The name of a channel: its family and which one of it.
public struct StreamChannelID: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of a key.
    public static let keyBytesMax = 64

    /// The family: `depth`.
    public let family: String
    /// Which one: a market's symbol, or whose it is.
    public let key: String

    /// A name.
    public init(_ family: String, _ key: String) { (self.family, self.key) = (family, key) }

    /// Reads `depth:BTC-USD`; nil for anything else.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let key = text[text.index(after: colon)...]
        guard StreamChannelID.isKey(key) else { return nil }
        self.init(String(text[..<colon]), String(key))
    }

    static func isKey(_ key: Substring) -> Bool {
        (1...keyBytesMax).contains(key.utf8.count)
            && key.utf8.allSatisfy {
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }

    /// `depth:BTC-USD`.
    public var description: String { family + ":" + key }
}
