import HTTPTypes

/// The header fields of a request or an answer, in order; names are compared without case.
public struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    var fields: HTTPFields

    init(_ fields: HTTPFields) { self.fields = fields }

    /// No fields.
    public init() { fields = HTTPFields() }

    /// Fields by name and value; those that aren't valid in HTTP are left out.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init()
        for (name, value) in elements { append(name, value) }
    }

    /// Fields by name and value; those that aren't valid in HTTP are left out.
    public init(_ elements: [(name: String, value: String)]) {
        self.init()
        for element in elements { append(element.name, element.value) }
    }

    /// The value of the first field of that name; nil when there is none.
    public subscript(name: String) -> String? { self.all(name).first }

    /// The values of every field of that name, in order, so that a duplicate can be refused.
    public func all(_ name: String) -> [String] {
        guard let name = HTTPField.Name(name) else { return [] }
        return fields[values: name]
    }

    /// Adds a field; one that isn't valid in HTTP is left out.
    public mutating func append(_ name: String, _ value: String) {
        guard let name = HTTPField.Name(name), HTTPField.isValidValue(value) else { return }
        fields.append(HTTPField(name: name, value: value))
    }

    /// Names and values in order.
    public var all: [(name: String, value: String)] { fields.map { ($0.name.rawName, $0.value) } }
}
