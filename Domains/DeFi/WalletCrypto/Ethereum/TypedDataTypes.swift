import Cryptography
import Kernel

/// The types of an EIP-712 document, and the hashing of values by them.
struct TypedDataTypes {
    static let domainName = "EIP712Domain"
    // The fields of a domain in their order (EIP-712, "Definition of domainSeparator").
    private static let domainFields = [
        ("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"),
        ("salt", "bytes32"),
    ]

    private struct Field {
        let name: String
        let type: String
        let shape: Shape
    }

    private indirect enum Shape {
        case elementary(ABIType)
        case structure(String)
        case array(Shape, count: Int?)
    }

    private var types: [String: [Field]] = [:]
    private var typeHashes: [String: [UInt8]] = [:]

    init(_ members: [JSON.Member], domain: JSON) throws(TypedMessage.Fault) {
        var declared: [(name: String, fields: [(name: String, type: String)])] = []
        for member in members { declared.append((member.name, try Self.declaration(member))) }
        if !declared.contains(where: { $0.name == Self.domainName }) {
            declared.append((Self.domainName, Self.domainFields.filter { domain[$0.0] != nil }))
        }
        let names = Set(declared.map(\.name))
        for (name, fields) in declared {
            guard Self.isIdentifier(name), ABIType(name) == nil else { throw .type(name) }
            var parsed: [Field] = []
            for field in fields {
                guard let shape = Self.shape(field.type, names, depth: 1) else { throw .type(field.type) }
                parsed.append(Field(name: field.name, type: field.type, shape: shape))
            }
            types[name] = parsed
        }
        for name in names { typeHashes[name] = Keccak256.of(Array(encodeType(name).utf8)) }
    }

    func hash(_ value: JSON, as name: String, depth: Int) throws(TypedMessage.Fault) -> [UInt8] {
        guard let fields = types[name], let typeHash = typeHashes[name] else { throw .type(name) }
        guard case .object(let members) = value, depth <= Bounds.depthMax else { throw .field(name) }
        guard members.count == fields.count else { throw .field(name) }
        var encoded = typeHash
        for field in fields {
            guard let value = value[field.name] else { throw .field(field.name) }
            encoded += try word(value, field.shape, field.name, depth: depth)
        }
        return Keccak256.of(encoded)
    }

    private func word(
        _ value: JSON,
        _ shape: Shape,
        _ name: String,
        depth: Int
    ) throws(TypedMessage.Fault) -> [UInt8] {
        switch shape {
        case .structure(let type): return try hash(value, as: type, depth: depth + 1)
        case .array(let element, let count):
            guard let elements = value.elements, count.map({ $0 == elements.count }) ?? true, depth <= Bounds.depthMax
            else { throw .field(name) }
            var encoded: [UInt8] = []
            for part in elements { encoded += try word(part, element, name, depth: depth + 1) }
            return Keccak256.of(encoded)
        case .elementary(let type):
            guard let read = ABIValue(value, as: type) else { throw .field(name) }
            switch read {
            case .bytes(let bytes) where type == .bytes: return Keccak256.of(bytes)
            case .string(let text): return Keccak256.of(Array(text.utf8))
            default:
                guard let word = ABIEncoder.word(read, type) else { throw .field(name) }
                return word
            }
        }
    }

    // The type, then those it refers to in the order of their names.
    private func encodeType(_ name: String) -> String {
        var found: Set<String> = []
        var open = [name]
        while let next = open.popLast() {
            guard found.insert(next).inserted else { continue }
            open += (types[next] ?? []).compactMap { Self.structureName($0.shape) }
        }
        let others = found.subtracting([name]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return ([name] + others).map { name in
            let fields = (types[name] ?? []).map { "\($0.type) \($0.name)" }
            return "\(name)(\(fields.joined(separator: ",")))"
        }
        .joined()
    }

    private static func structureName(_ shape: Shape) -> String? {
        switch shape {
        case .elementary: nil
        case .structure(let name): name
        case .array(let element, _): structureName(element)
        }
    }

    private static func declaration(
        _ member: JSON.Member
    ) throws(TypedMessage.Fault) -> [(name: String, type: String)] {
        guard let elements = member.value.elements, elements.count <= TypedMessage.fieldsMax else { throw .format }
        var fields: [(name: String, type: String)] = []
        for element in elements {
            guard case .object(let parts) = element, parts.count == 2, let name = element["name"]?.stringValue,
                let type = element["type"]?.stringValue, isIdentifier(name),
                !fields.contains(where: { $0.name == name })
            else { throw .type(member.name) }
            fields.append((name, type))
        }
        return fields
    }

    private static func shape(_ text: String, _ names: Set<String>, depth: Int) -> Shape? {
        guard depth <= Bounds.depthMax, text.utf8.count <= 256 else { return nil }
        if text.hasSuffix("]") {
            guard let open = text.lastIndex(of: "["),
                let element = shape(String(text[..<open]), names, depth: depth + 1)
            else { return nil }
            let digits = text[text.index(after: open)...].dropLast()
            if digits.isEmpty { return .array(element, count: nil) }
            guard let count = BigUInt(digits)?.uint64, (1...UInt64(ABIType.elementsMax)).contains(count) else {
                return nil
            }
            return .array(element, count: Int(count))
        }
        if names.contains(text) { return text == domainName ? nil : .structure(text) }
        // Tuples are the ABI's; here a structure has a name.
        guard isIdentifier(text), let type = ABIType(text) else { return nil }
        return .elementary(type)
    }

    private static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, (1...64).contains(text.utf8.count), !ASCII.isDigit(first) else {
            return false
        }
        return text.utf8.allSatisfy {
            ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "$")
        }
    }
}
