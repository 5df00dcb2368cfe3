public import Kernel

extension JSONSchema {
    /// What is wrong with a value: nothing, or up to `faultsMax` faults with JSON pointers (RFC 6901).
    ///
    /// Codes: `unknown_field`, `missing`, `wrong_type`, `bad_format`, `too_short`, `too_long`, `too_small`,
    /// `too_large`, `too_few`, `too_many`, `not_allowed`, `control_character`, `card_number`, and those that formats
    /// add.
    public func faults(in value: JSON) -> [Problem.Fault] {
        var check = SchemaCheck()
        check.run(self, value)
        return check.faults
    }
}

/// One walk over a value.
///
/// The path is only written down as text where a fault is found.
struct SchemaCheck {
    private enum Step {
        case name(String)
        case index(Int)
    }

    private var path: [Step] = []
    private(set) var faults: [Problem.Fault] = []
    /// Whether there is an integer that is written as `18.0`.
    private(set) var hasLooseIntegers = false

    private var isFull: Bool { faults.count >= JSONSchema.faultsMax }

    mutating func run(_ schema: JSONSchema, _ value: JSON) {
        if isFull { return }
        switch schema.kind {
        case .any: break
        case .nullable(let inner): if value != .null { run(inner, value) }
        case .object(let properties): object(properties, value)
        case .map(let values, let keys, let countMax): map(values, keys, countMax, value)
        case .array(let elements, let count): array(elements, count, value)
        case .bool: if value.boolValue == nil { fault("wrong_type") }
        case .integer(let range): integer(range, value)
        case .text, .string, .anyString, .oneOf:
            guard case .string(let text) = value else { return fault("wrong_type") }
            if let code = TextCheck.fault(in: text, schema.kind) { fault(code) }
        }
    }

    private mutating func object(_ properties: JSONSchema.Properties, _ value: JSON) {
        guard case .object(let members) = value else { return fault("wrong_type") }
        var seen: UInt64 = 0
        for (hint, member) in members.enumerated() {
            guard let position = properties.position(of: member.name, hint: hint) else {
                fault("unknown_field", at: .name(member.name))
                if isFull { return }
                continue
            }
            seen |= 1 << UInt64(position)
            path.append(.name(member.name))
            run(properties.list[position].schema, member.value)
            path.removeLast()
        }
        guard properties.required & ~seen != 0 else { return }
        for (position, property) in properties.list.enumerated()
        where property.isRequired && seen & (1 << UInt64(position)) == 0 {
            fault("missing", at: .name(property.name))
        }
    }

    private mutating func map(_ values: JSONSchema, _ keys: Format?, _ countMax: Int, _ value: JSON) {
        guard case .object(let members) = value else { return fault("wrong_type") }
        if members.count > countMax { return fault("too_many") }
        for member in members {
            if isFull { return }
            path.append(.name(member.name))
            if let keys, keys.fault(in: member.name) != nil { fault("bad_key") }
            run(values, member.value)
            path.removeLast()
        }
    }

    private mutating func array(_ elements: JSONSchema, _ count: ClosedRange<Int>, _ value: JSON) {
        guard case .array(let items) = value else { return fault("wrong_type") }
        if items.count < count.lowerBound { return fault("too_few") }
        if items.count > count.upperBound { return fault("too_many") }
        for (index, item) in items.enumerated() {
            if isFull { return }
            path.append(.index(index))
            run(elements, item)
            path.removeLast()
        }
    }

    private mutating func integer(_ range: ClosedRange<Int>, _ value: JSON) {
        guard case .number(let text) = value else { return fault("wrong_type") }
        guard let whole = JSON.wholePart(text) else { return fault("wrong_type") }
        if whole.endIndex != text.endIndex { hasLooseIntegers = true }
        guard let number = Int(whole) else { return fault(text.hasPrefix("-") ? "too_small" : "too_large") }
        if number < range.lowerBound { return fault("too_small") }
        if number > range.upperBound { return fault("too_large") }
    }

    private mutating func fault(_ code: String, at last: Step? = nil) {
        guard !isFull else { return }
        let pointer = (path + [last].compactMap(\.self)).reduce(into: "") { text, step in
            switch step {
            case .index(let index): text += "/\(index)"
            case .name(let name): text += "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
            }
        }
        faults.append(Problem.Fault(pointer, code))
    }
}
