import Kernel

/// Reads JSON members strictly and notes each fault with its pointer; a faulty value comes back as nil and the
/// reading goes on.
struct FeeJSONReader {
    /// A value and where it stands.
    struct Node {
        let json: JSON
        let pointer: String
    }

    private(set) var faults: [Problem.Fault] = []

    mutating func note(_ pointer: String, _ code: String) {
        if faults.count < FeeScheduleCheck.faultsMax { faults.append(.init(pointer, code)) }
    }

    /// Whether the value is an object with no other members than these, none twice.
    mutating func isObject(_ node: Node, of names: Set<String>) -> Bool {
        guard case .object(let members) = node.json else {
            note(node.pointer, "wrong_type")
            return false
        }
        var seen: Set<String> = []
        for member in members {
            if !names.contains(member.name) { note("\(node.pointer)/\(member.name)", "unknown_field") }
            if !seen.insert(member.name).inserted { note("\(node.pointer)/\(member.name)", "duplicate_field") }
        }
        return true
    }

    /// A member that may be missing or null.
    func optional(_ node: Node, _ name: String) -> Node? {
        guard let value = node.json[name], value != .null else { return nil }
        return Node(json: value, pointer: "\(node.pointer)/\(name)")
    }

    mutating func required(_ node: Node, _ name: String) -> Node? {
        guard let member = optional(node, name) else {
            note("\(node.pointer)/\(name)", "required")
            return nil
        }
        return member
    }

    mutating func text(_ node: Node?) -> String? {
        guard let node else { return nil }
        if let text = node.json.stringValue { return text }
        note(node.pointer, "wrong_type")
        return nil
    }

    mutating func integer(_ node: Node?) -> Int? {
        guard let node else { return nil }
        if let integer = node.json.integerValue { return integer }
        note(node.pointer, "wrong_type")
        return nil
    }

    mutating func bool(_ node: Node?) -> Bool? {
        guard let node else { return nil }
        if let bool = node.json.boolValue { return bool }
        note(node.pointer, "wrong_type")
        return nil
    }

    mutating func elements(_ node: Node?, max: Int) -> [Node]? {
        guard let node else { return nil }
        guard let elements = node.json.elements else {
            note(node.pointer, "wrong_type")
            return nil
        }
        guard elements.count <= max else {
            note(node.pointer, "too_many")
            return nil
        }
        return elements.enumerated().map { Node(json: $0.element, pointer: "\(node.pointer)/\($0.offset)") }
    }

    mutating func money(_ node: Node?, _ asset: Asset) -> Money? {
        guard let text = text(node), let node else { return nil }
        do {
            return try Money(wire: text, asset)
        } catch {
            note(node.pointer, error.rawValue)
            return nil
        }
    }

    mutating func rate(_ node: Node?) -> Rate? {
        guard let text = text(node), let node else { return nil }
        do {
            if let rate = try Rate(percent: text) { return rate }
            note(node.pointer, "percent_over_100")
        } catch {
            note(node.pointer, error.rawValue)
        }
        return nil
    }

    /// A text that `parse` understands.
    mutating func value<Value>(_ node: Node?, _ code: String, parse: (String) -> Value?) -> Value? {
        guard let text = text(node), let node else { return nil }
        if let value = parse(text) { return value }
        note(node.pointer, code)
        return nil
    }
}
