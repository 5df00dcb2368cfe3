/// A JSON value (RFC 8259) that keeps what money needs: a number's own digits, an object's order.
public enum JSON: Hashable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number by its text as it was written: `12.30` stays `12.30`.
    case number(String)
    /// A string.
    case string(String)
    /// An array.
    case array([JSON])
    /// An object, its members in the order written; a parsed one has no name twice.
    case object([Member])

    /// One member of an object.
    public struct Member: Hashable, Sendable {
        /// Its name.
        public let name: String
        /// Its value.
        public let value: JSON

        /// A member by name and value.
        public init(_ name: String, _ value: JSON) { (self.name, self.value) = (name, value) }
    }

    /// An integer as a number.
    public static func integer(_ value: some BinaryInteger) -> JSON { .number(String(value)) }

    /// The value of an object's member; nil when there is none or this isn't an object.
    public subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { JSON.sameBytes($0.name, name) }?.value
    }

    /// Whether two names are the same to JSON: by their bytes.
    ///
    /// Swift's `==` also equates different spellings of a character, as K and the Kelvin sign.
    static func sameBytes(_ left: String, _ right: String) -> Bool {
        // The quick comparisons go first: they settle all but equal names.
        left.utf8.count == right.utf8.count && left == right && left.utf8.elementsEqual(right.utf8)
    }

    /// The text of a string; nil for anything else.
    public var stringValue: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The number as an integer, if it is written as one and fits; nil for anything else.
    public var integerValue: Int? {
        guard case .number(let text) = self else { return nil }
        return Int(text)
    }

    /// The truth value; nil for anything else.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements of an array; nil for anything else.
    public var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    /// An object; the caller guarantees distinct names.
    public init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { Member($0.0, $0.1) }) }
    /// An array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// `null`.
    public init(nilLiteral: ()) { self = .null }
}
