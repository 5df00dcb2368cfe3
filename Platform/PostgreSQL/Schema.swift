/// The name of a PostgreSQL schema, safe to stand in the text of a statement.
public struct Schema: Hashable, Sendable, CustomStringConvertible {
    /// Lower case letters, digits and underscores, starting with a letter; at most 40 characters.
    public let name: String

    /// A schema by name; nil for a name outside `[a-z][a-z0-9_]{0,39}`.
    public init?(_ name: String) {
        let bytes = name.utf8
        guard let first = bytes.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first), bytes.count <= 40 else {
            return nil
        }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                continue
            default: return nil
            }
        }
        self.name = name
    }

    private init(known name: StaticString) { self.name = "\(name)" }

    /// The functions that install the building blocks, and the history of migrations.
    public static let blocks = Schema(known: "blocks")
    /// What belongs to the customer as a whole.
    public static let platform = Schema(known: "platform")
    /// The Banking domain.
    public static let banking = Schema(known: "banking")
    /// The Investing domain.
    public static let investing = Schema(known: "investing")
    /// The DeFi domain.
    public static let defi = Schema(known: "defi")

    /// The name.
    public var description: String { name }
}
