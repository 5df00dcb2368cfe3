/// A statement whose interpolated values become parameters; run-time text can't be spliced into it.
///
///     let sql: SQL = "select name from \(schema).users where id = \(id)"
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text with `$1`, `$2`, … where values stand.
    public private(set) var text: String
    var parameters: Parameters

    /// A statement without parameters.
    public init(stringLiteral value: StaticString) {
        (text, parameters) = (value.description, Parameters())
    }

    /// A statement with parameters.
    public init(stringInterpolation: Interpolation) {
        (text, parameters) = (stringInterpolation.text, stringInterpolation.parameters)
    }

    /// Collects the literal parts and the values.
    public struct Interpolation: StringInterpolationProtocol {
        var text = ""
        var parameters = Parameters()

        /// Reserves room for the text.
        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 8)
        }

        /// Appends a part of the text as it was written in the source.
        public mutating func appendLiteral(_ literal: StaticString) {
            literal.withUTF8Buffer { text += String(decoding: $0, as: UTF8.self) }
        }

        /// Appends a schema's name as text; its type admits only safe names.
        public mutating func appendInterpolation(_ schema: Schema) { text += schema.name }

        /// Appends a value as a parameter.
        public mutating func appendInterpolation(_ value: some SQLEncodable) {
            parameters.append(value)
            text += "$"
            text += String(parameters.count)
        }

        /// Appends a value, or null, as a parameter; without this form the compiler warns of every optional.
        public mutating func appendInterpolation<Value: SQLEncodable>(_ value: Value?) {
            parameters.append(value)
            text += "$"
            text += String(parameters.count)
        }

        /// Appends another statement with its parameters, renumbered.
        public mutating func appendInterpolation(_ fragment: SQL) {
            text += fragment.renumbered(from: parameters.count)
            parameters.append(contentsOf: fragment.parameters)
        }
    }

    /// Puts a fragment behind this statement, as optional filters are.
    public static func += (left: inout SQL, right: SQL) {
        left.text += right.renumbered(from: left.parameters.count)
        left.parameters.append(contentsOf: right.parameters)
    }

    // `$` stands only before a parameter's number: statements with a literal dollar sign aren't spliced.
    private func renumbered(from offset: Int) -> String {
        guard offset > 0, parameters.count > 0 else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let digits = rest[rest.index(after: dollar)...].prefix { $0.isASCII && $0.isNumber }
            result += Int(digits).map { "$\($0 + offset)" } ?? "$"
            rest = rest[digits.endIndex...]
        }
        return result + rest
    }
}

/// Parameter values in PostgreSQL's binary format, one buffer for all of them.
struct Parameters: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where each value starts in `bytes`, and its length; -1 for null.
    private(set) var offsets: [Int32] = []
    private(set) var lengths: [Int32] = []
    private(set) var types: [UInt32] = []

    var count: Int { types.count }

    mutating func append<Value: SQLEncodable>(_ value: Value) {
        let start = bytes.count
        if value.isSQLNull {
            lengths.append(-1)
        } else {
            value.encode(into: &bytes)
            lengths.append(Int32(bytes.count - start))
        }
        offsets.append(Int32(start))
        types.append(Value.sqlType.rawValue)
    }

    mutating func append(contentsOf other: Parameters) {
        let start = Int32(bytes.count)
        bytes += other.bytes
        offsets += other.offsets.map { $0 + start }
        lengths += other.lengths
        types += other.types
    }
}
