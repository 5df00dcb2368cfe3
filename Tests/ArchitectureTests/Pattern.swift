import Foundation

/// A regular expression over many lines, which tells the line of each match.
struct Pattern: Sendable {
    struct Match: Sendable {
        /// Counted from 1.
        let line: Int
        let text: String
        /// The groups; empty where one took no part.
        let groups: [String]
    }

    private let expression: NSRegularExpression

    /// `^` and `$` are those of lines.
    init(_ pattern: String, ignoringCase: Bool = false) {
        let options: NSRegularExpression.Options =
            ignoringCase ? [.anchorsMatchLines, .caseInsensitive] : .anchorsMatchLines
        guard let expression = try? NSRegularExpression(pattern: pattern, options: options) else {
            preconditionFailure("not a regular expression: \(pattern)")
        }
        self.expression = expression
    }

    func matches(in text: String) -> [Match] {
        let whole = text as NSString
        var line = 1
        var counted = 0
        return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map { match in
            let between = whole.substring(with: NSRange(location: counted, length: match.range.location - counted))
            line += between.utf8.count { $0 == UInt8(ascii: "\n") }
            counted = match.range.location
            let groups = (1..<max(1, match.numberOfRanges)).map { index in
                let range = match.range(at: index)
                return range.location == NSNotFound ? "" : whole.substring(with: range)
            }
            return Match(line: line, text: whole.substring(with: match.range), groups: groups)
        }
    }

    /// The text with each match blanked; a match may not hold a newline.
    func blanked(in text: String) -> String {
        let blanked = NSMutableString(string: text)
        for match in expression.matches(in: text, range: NSRange(location: 0, length: blanked.length)) {
            blanked.replaceCharacters(in: match.range, with: String(repeating: " ", count: match.range.length))
        }
        return blanked as String
    }
}
