/// The checks of strings.
enum TextCheck {
    /// What is wrong with a text; nil for nothing.
    static func fault(in text: String, _ kind: JSONSchema.Kind) -> String? {
        switch kind {
        case .string(let format): return format.fault(in: text)
        case .oneOf(let values):
            // By bytes: to `==` of strings the Kelvin sign is a K.
            return values.contains { $0.utf8.elementsEqual(text.utf8) } ? nil : "not_allowed"
        case .text(let length):
            if let code = lengthFault(text, length) { return code }
            if hasControlCharacter(text) { return "control_character" }
            return hasCardNumber(text) ? "card_number" : nil
        default: return hasControlCharacter(text) ? "control_character" : nil
        }
    }

    /// JSON Schema counts Unicode scalars; there are at most as many as bytes and at least a fourth.
    static func lengthFault(_ text: String, _ length: ClosedRange<Int>) -> String? {
        let bytes = text.utf8.count
        if bytes >= length.lowerBound * 4, bytes <= length.upperBound { return nil }
        let count = text.unicodeScalars.count
        if count < length.lowerBound { return "too_short" }
        return count > length.upperBound ? "too_long" : nil
    }

    /// Whether there is a character of U+0000–U+001F or U+007F–U+009F.
    static func hasControlCharacter(_ text: String) -> Bool {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte < 0xA0) { return true }
            previous = byte
        }
        return false
    }

    /// Whether there is a run of 13 to 19 digits (spaces and dashes between them allowed) that passes Luhn's check
    /// (ISO/IEC 7812-1): a card number, which we must never store.
    static func hasCardNumber(_ text: String) -> Bool {
        var digits: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte - UInt8(ascii: "0"))
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            default:
                if isCardNumber(digits) { return true }
                digits.removeAll(keepingCapacity: true)
            }
        }
        return isCardNumber(digits)
    }

    private static func isCardNumber(_ digits: [UInt8]) -> Bool {
        guard (13...19).contains(digits.count) else { return false }
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let value = place % 2 == 0 ? Int(digit) : Int(digit) * 2
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0 && sum > 0
    }
}
