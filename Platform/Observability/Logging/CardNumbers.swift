/// Finds card numbers in text: 13 to 19 digits, spaces or dashes between them, that pass Luhn's check (ISO/IEC 7812-1).
enum CardNumbers {
    /// The text with each of them replaced.
    static func redact(_ text: String) -> String {
        guard text.utf8.count(where: isDigit) >= 13 else { return text }
        var result: [UInt8] = []
        var run: [UInt8] = []
        for byte in text.utf8 {
            if isDigit(byte) || (!run.isEmpty && (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "-"))) {
                run.append(byte)
                continue
            }
            flush(&run, into: &result)
            result.append(byte)
        }
        flush(&run, into: &result)
        return String(decoding: result, as: UTF8.self)
    }

    private static func flush(_ run: inout [UInt8], into result: inout [UInt8]) {
        let trailing = run.reversed().prefix { !isDigit($0) }.reversed()
        let isCard = passesLuhn(run.filter(isDigit))
        result += isCard ? Array(Redaction.mark.utf8) + trailing : run
        run = []
    }

    private static func passesLuhn(_ digits: [UInt8]) -> Bool {
        guard (13...19).contains(digits.count) else { return false }
        var sum = 0
        for (place, byte) in digits.reversed().enumerated() {
            let value = Int(byte - UInt8(ascii: "0")) * (place % 2 == 0 ? 1 : 2)
            sum += value > 9 ? value - 9 : value
        }
        return sum % 10 == 0 && sum > 0
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
