/// Parts Swift source into code and strings, so that rules see neither comments nor text as code.
///
/// Knows nested comments, raw strings, strings of several lines, interpolations within strings within interpolations,
/// and names in backticks. Regular expressions between bare slashes are taken for code.
struct SwiftScanner {
    private let source: [UInt8]
    private var position = 0
    private var code: [UInt8] = []
    private var strings: [UInt8] = []

    init(_ text: String) {
        source = Array(text.utf8)
        code.reserveCapacity(source.count)
        strings.reserveCapacity(source.count)
    }

    private enum Kind { case code, string, neither }

    mutating func scan() -> (code: String, strings: String) {
        scanCode(untilParenthesis: false)
        return (String(decoding: code, as: UTF8.self), String(decoding: strings, as: UTF8.self))
    }

    private func starts(with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard position + length <= source.count else { return false }
        var index = 0
        while index < length {
            if source[position + index] != text.utf8Start[index] { return false }
            index += 1
        }
        return true
    }

    private mutating func take(_ count: Int, as kind: Kind) {
        let end = min(position + count, source.count)
        while position < end {
            let byte = source[position]
            let isBreak = byte == UInt8(ascii: "\n")
            code.append(kind == .code || isBreak ? byte : UInt8(ascii: " "))
            strings.append(kind == .string || isBreak ? byte : UInt8(ascii: " "))
            position += 1
        }
    }

    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while position < source.count {
            // Most bytes begin nothing: they are told apart first, because this runs unoptimised over the whole
            // project.
            if source[position] > UInt8(ascii: "/") && source[position] != UInt8(ascii: "`") {
                take(1, as: .code)
            } else if starts(with: "//") {
                while position < source.count && source[position] != UInt8(ascii: "\n") { take(1, as: .neither) }
            } else if starts(with: "/*") {
                scanComment()
            } else if starts(with: "`") {
                scanQuotedName()
            } else if let hashes = hashesBeforeQuote {
                scanString(hashes: hashes)
            } else {
                if source[position] == UInt8(ascii: "(") { depth += 1 }
                if source[position] == UInt8(ascii: ")") {
                    depth -= 1
                    if untilParenthesis && depth == 0 { return take(1, as: .neither) }
                }
                take(1, as: .code)
            }
        }
    }

    private mutating func scanComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                take(2, as: .neither)
            } else if starts(with: "*/") {
                depth -= 1
                take(2, as: .neither)
            } else {
                take(1, as: .neither)
            }
        } while depth > 0 && position < source.count
    }

    private mutating func scanQuotedName() {
        take(1, as: .code)
        while position < source.count && source[position] != UInt8(ascii: "`") && source[position] != UInt8(ascii: "\n")
        {
            take(1, as: .neither)
        }
        take(1, as: .code)
    }

    /// How many `#` stand here before a quotation mark; nil if no string begins here.
    private var hashesBeforeQuote: Int? {
        var ahead = position
        while ahead < source.count && source[ahead] == UInt8(ascii: "#") { ahead += 1 }
        return ahead < source.count && source[ahead] == UInt8(ascii: "\"") ? ahead - position : nil
    }

    private mutating func scanString(hashes: Int) {
        take(hashes, as: .code)
        let quotes = starts(with: "\"\"\"") ? 3 : 1
        take(quotes, as: .code)
        while position < source.count {
            if isClosing(quotes: quotes, hashes: hashes) { return take(quotes + hashes, as: .code) }
            if quotes == 1 && source[position] == UInt8(ascii: "\n") { return }
            if isEscape(hashes: hashes) {
                take(1 + hashes, as: .neither)
                if starts(with: "(") {
                    scanCode(untilParenthesis: true)
                } else {
                    take(1, as: .string)
                }
            } else {
                take(1, as: .string)
            }
        }
    }

    private func isClosing(quotes: Int, hashes: Int) -> Bool {
        stands(UInt8(ascii: "\""), times: quotes, at: position)
            && stands(UInt8(ascii: "#"), times: hashes, at: position + quotes)
    }

    private func isEscape(hashes: Int) -> Bool {
        stands(UInt8(ascii: "\\"), times: 1, at: position) && stands(UInt8(ascii: "#"), times: hashes, at: position + 1)
    }

    private func stands(_ byte: UInt8, times: Int, at start: Int) -> Bool {
        guard start + times <= source.count else { return false }
        var index = start
        while index < start + times {
            if source[index] != byte { return false }
            index += 1
        }
        return true
    }
}
