import Kernel

extension JSONSchema {
    /// The shape in JSON Schema 2020-12, as OpenAPI 3.1 takes it; named shapes as references.
    func openAPI() -> JSON {
        if let name {
            return ["$ref": .string("#/components/schemas/" + name)]
        }
        return written()
    }

    /// The shape written out, its parts that have names as references.
    func written() -> JSON {
        var members = body()
        if let description { members.append(JSON.Member("description", .string(description))) }
        if let example { members.append(JSON.Member("examples", .array([example]))) }
        return .object(members)
    }

    private func body() -> [JSON.Member] {
        switch kind {
        case .any: []
        case .bool: [Self.type("boolean")]
        case .anyString: [Self.type("string")]
        case .integer(let range):
            [Self.type("integer"), Self.number("minimum", range.lowerBound), Self.number("maximum", range.upperBound)]
        case .text(let length):
            [Self.type("string")] + Self.lengths(length)
                + [JSON.Member("pattern", .string("^[^\\u0000-\\u001f\\u007f-\\u009f]*$"))]
        case .string(let format): Self.string(format, describes: description == nil)
        case .oneOf(let values): [Self.type("string"), JSON.Member("enum", .array(values.map { .string($0) }))]
        case .array(let elements, let count):
            [
                Self.type("array"), JSON.Member("items", elements.openAPI()), Self.number("minItems", count.lowerBound),
                Self.number("maxItems", count.upperBound),
            ]
        case .nullable(let inner): [JSON.Member("anyOf", [inner.openAPI(), ["type": "null"]])]
        case .map(let values, let keys, let countMax): Self.map(values, keys, countMax)
        case .object(let properties): Self.object(properties)
        }
    }

    private static func type(_ name: String) -> JSON.Member { JSON.Member("type", .string(name)) }

    private static func number(_ name: String, _ value: Int) -> JSON.Member { JSON.Member(name, .integer(value)) }

    private static func lengths(_ range: ClosedRange<Int>) -> [JSON.Member] {
        [number("minLength", range.lowerBound), number("maxLength", range.upperBound)]
    }

    private static func string(_ format: Format, describes: Bool) -> [JSON.Member] {
        let description = describes ? [JSON.Member("description", .string(format.description))] : []
        // The pattern bounds the length; saying it twice makes generators of test data stumble.
        return [type("string"), JSON.Member("pattern", .string(format.pattern))] + description
    }

    private static func map(_ values: JSONSchema, _ keys: Format?, _ countMax: Int) -> [JSON.Member] {
        let names = keys.map { [JSON.Member("propertyNames", .object(string($0, describes: false)))] } ?? []
        return [
            type("object"), JSON.Member("additionalProperties", values.openAPI()), number("maxProperties", countMax),
        ]
            + names
    }

    private static func object(_ properties: Properties) -> [JSON.Member] {
        let required = properties.list.filter(\.isRequired).map { JSON.string($0.name) }
        let shapes = properties.list.map { property -> JSON.Member in
            guard let description = property.description else {
                return JSON.Member(property.name, property.schema.openAPI())
            }
            // Beside a reference OpenAPI 3.1 allows a description of its own.
            guard property.schema.name != nil, case .object(let reference) = property.schema.openAPI() else {
                return JSON.Member(property.name, property.schema.described(description).openAPI())
            }
            return JSON.Member(
                property.name,
                .object(reference + [JSON.Member("description", .string(description))])
            )
        }
        return [type("object"), JSON.Member("properties", .object(shapes))]
            + (required.isEmpty ? [] : [JSON.Member("required", .array(required))])
            + [JSON.Member("additionalProperties", false)]
    }

    /// The named shapes in this one, itself included, by name; two that differ can't have one name.
    func collectNamed(into found: inout [String: JSONSchema]) {
        if let name {
            if let known = found[name] {
                precondition(known.written() == written(), "two shapes with the name \(name)")
                return
            }
            found[name] = self
        }
        switch kind {
        case .object(let properties): for property in properties.list { property.schema.collectNamed(into: &found) }
        case .map(let values, _, _): values.collectNamed(into: &found)
        case .array(let elements, _): elements.collectNamed(into: &found)
        case .nullable(let inner): inner.collectNamed(into: &found)
        default: break
        }
    }
}
