import Kernel

extension JSONSchema {
    /// The value with every integer written plainly: to JSON Schema `18.0` is an integer, to `JSON.integerValue` it
    /// isn't.
    func normalised(_ value: JSON) -> JSON {
        switch (kind, value) {
        case (.integer, .number(let text)): .number(JSON.wholePart(text).map(String.init) ?? text)
        case (.nullable(let inner), _): inner.normalised(value)
        case (.array(let elements, _), .array(let items)): .array(items.map(elements.normalised))
        case (.map(let values, _, _), .object(let members)):
            .object(members.map { JSON.Member($0.name, values.normalised($0.value)) })
        case (.object(let properties), .object(let members)):
            .object(
                members.enumerated().map { hint, member in
                    guard let position = properties.position(of: member.name, hint: hint) else { return member }
                    return JSON.Member(member.name, properties.list[position].schema.normalised(member.value))
                }
            )
        default: value
        }
    }
}

extension JSON {
    /// What stands before the point of a number whose fraction is zero; nil for another fraction or an exponent.
    static func wholePart(_ number: String) -> Substring? {
        guard let point = number.utf8.firstIndex(where: { !Format.isDigit($0) && $0 != UInt8(ascii: "-") }) else {
            return number[...]
        }
        let isZero = number.utf8[point...].enumerated().allSatisfy { place, byte in
            byte == (place == 0 ? UInt8(ascii: ".") : UInt8(ascii: "0"))
        }
        return isZero ? number[..<point] : nil
    }
}
