extension JSON {
    /// What a text may be at most.
    public struct Limits: Hashable, Sendable {
        /// The deepest nesting that a caller may ask for.
        public static let depthCeiling = 64
        /// 1 MiB, 32 levels, NUL allowed.
        public static let standard = Limits(bytesMax: 1_048_576)

        /// The largest number of bytes.
        public let bytesMax: Int
        /// The largest number of arrays and objects that are open at once.
        public let depthMax: Int
        /// Whether strings and names may contain U+0000, which PostgreSQL's `text` and `jsonb` can't hold.
        public let allowsNUL: Bool

        /// Limits in bytes and levels; the caller guarantees `depthMax` in 1...64.
        public init(bytesMax: Int, depthMax: Int = 32, allowsNUL: Bool = true) {
            precondition((1...Limits.depthCeiling).contains(depthMax), "a JSON depth outside 1...64")
            precondition(bytesMax > 0, "a JSON size below one byte")
            (self.bytesMax, self.depthMax, self.allowsNUL) = (bytesMax, depthMax, allowsNUL)
        }
    }

    /// Reads one JSON text (RFC 8259), strictly: UTF-8 without byte order mark, no name twice in an object, no lone
    /// surrogate, nothing behind the value.
    ///
    /// Names are the same if their bytes are, after unescaping; nothing is normalised.
    ///
    /// - Throws: the first fault from the front, with its byte offset; the size is checked before everything else.
    public static func parse(_ bytes: some Collection<UInt8>, limits: Limits = .standard) throws(JSONError) -> JSON {
        let direct = bytes.withContiguousStorageIfAvailable { JSONParser.parse($0, limits: limits) }
        if let direct { return try direct.get() }
        guard bytes.count <= limits.bytesMax else { throw .tooLarge(at: limits.bytesMax) }
        return try Array(bytes).withUnsafeBufferPointer { JSONParser.parse($0, limits: limits) }.get()
    }

    /// Whether U+0000 is in any string or name of the value.
    public var containsNUL: Bool {
        switch self {
        case .null, .bool, .number: false
        case .string(let text): text.utf8.contains(0)
        case .array(let elements): elements.contains { $0.containsNUL }
        case .object(let members): members.contains { $0.name.utf8.contains(0) || $0.value.containsNUL }
        }
    }
}
