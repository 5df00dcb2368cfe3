public import Kernel

/// The shape of a JSON value: the check that a request must pass and its JSON Schema in the documentation, in one.
///
/// Immutable and shared; objects are closed: a member that isn't declared is a fault.
public final class JSONSchema: Sendable {
    indirect enum Kind: Sendable {
        case any
        case object(Properties)
        case map(values: JSONSchema, keys: Format?, countMax: Int)
        case text(length: ClosedRange<Int>)
        case string(Format)
        case anyString
        case integer(ClosedRange<Int>)
        case bool
        case array(JSONSchema, count: ClosedRange<Int>)
        case oneOf([String])
        case nullable(JSONSchema)
    }

    let kind: Kind
    /// Under which name the documentation lists it among its components; nil for a shape that is written out in place.
    public let name: String?
    /// What it means, for the documentation.
    public let description: String?
    /// An example for the documentation.
    public let example: JSON?

    /// The most faults that one request is told about.
    public static let faultsMax = 32

    init(_ kind: Kind, name: String? = nil, description: String? = nil, example: JSON? = nil) {
        (self.kind, self.name, self.description, self.example) = (kind, name, description, example)
    }

    /// The same shape with a description and an example for the documentation.
    public func described(_ description: String, example: JSON? = nil) -> JSONSchema {
        JSONSchema(kind, name: name, description: description, example: example ?? self.example)
    }
}

extension JSONSchema {
    /// A member of an object.
    public struct Property: Sendable {
        /// Its name.
        public let name: String
        /// Its shape.
        public let schema: JSONSchema
        /// Whether an object without it is faulty.
        public let isRequired: Bool
        /// What it means, for the documentation; nil for what its schema says.
        public let description: String?

        /// A member that must be there.
        public static func required(_ name: String, _ schema: JSONSchema, _ description: String? = nil) -> Property {
            Property(name: name, schema: schema, isRequired: true, description: description)
        }

        /// A member that may be left out (but not be null, unless its schema is nullable).
        public static func optional(_ name: String, _ schema: JSONSchema, _ description: String? = nil) -> Property {
            Property(name: name, schema: schema, isRequired: false, description: description)
        }
    }

    /// A closed object.
    ///
    /// The caller guarantees distinct names, at most 64.
    public static func object(_ properties: [Property], named: String? = nil, description: String? = nil) -> JSONSchema
    {
        JSONSchema(.object(Properties(properties)), name: named, description: description)
    }

    /// An object of any names with values of one shape, as metadata is.
    public static func map(of values: JSONSchema, keys: Format? = nil, countMax: Int) -> JSONSchema {
        JSONSchema(.map(values: values, keys: keys, countMax: countMax))
    }

    /// Free text of that many Unicode scalars, without control characters and without card numbers.
    public static func text(_ length: ClosedRange<Int>) -> JSONSchema { JSONSchema(.text(length: length)) }

    /// A string of a format.
    public static func string(_ format: Format) -> JSONSchema {
        JSONSchema(.string(format), example: format.example.map { .string($0) })
    }

    /// The wire form of an entity's id.
    public static func id<Of: Entity & SendableMetatype>(of entity: Of.Type) -> JSONSchema { .string(.id(of: entity)) }

    /// An integer of a range.
    public static func integer(_ range: ClosedRange<Int>) -> JSONSchema { JSONSchema(.integer(range)) }

    /// `true` or `false`.
    public static let bool = JSONSchema(.bool)

    /// An array of that many elements of one shape.
    public static func array(of elements: JSONSchema, count: ClosedRange<Int>) -> JSONSchema {
        JSONSchema(.array(elements, count: count))
    }

    /// One of some constant strings.
    public static func oneOf(_ values: [String]) -> JSONSchema {
        precondition(!values.isEmpty, "a choice without a possibility")
        return JSONSchema(.oneOf(values), example: .string(values[0]))
    }

    /// One of the cases of an enum, by their raw values.
    public static func oneOf<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> JSONSchema {
        .oneOf(Choice.allCases.map(\.rawValue))
    }

    /// That shape, or `null`.
    public static func nullable(_ schema: JSONSchema) -> JSONSchema {
        JSONSchema(.nullable(schema), description: schema.description, example: schema.example)
    }

    /// Any string, for answers; a request's string has a length.
    public static let anyString = JSONSchema(.anyString)

    /// Any JSON value, for answers.
    public static let any = JSONSchema(.any)
}

extension JSONSchema {
    /// The properties of an object with what makes finding them fast.
    struct Properties: Sendable {
        let list: [Property]
        /// Bit i is set where property i is required.
        let required: UInt64
        private let index: [String: Int]

        init(_ list: [Property]) {
            precondition(list.count <= 64, "an object of more than 64 properties")
            self.list = list
            required = list.enumerated().reduce(0) { $1.element.isRequired ? $0 | 1 << UInt64($1.offset) : $0 }
            index = Dictionary(uniqueKeysWithValues: list.enumerated().map { ($1.name, $0) })
        }

        /// The position of a property.
        ///
        /// Clients mostly write members in the declared order, so `hint` is tried first.
        func position(of name: String, hint: Int) -> Int? {
            if hint < list.count, list[hint].name == name { return hint }
            return index[name]
        }
    }
}
