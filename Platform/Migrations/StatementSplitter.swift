/// Divides a script into statements by PostgreSQL's lexical rules (PostgreSQL 15, §4.1), as psql does.
///
/// Statements are sent one by one, so that the line of the one that failed is known.
struct StatementSplitter {
    /// A text that has no end: a string, a quoted name, a comment.
    struct Unterminated: Error, Hashable {
        let line: Int
        let what: String
    }

    /// How many words of a statement are kept; enough for `create unique index concurrently if not exists name on …`.
    static let wordsMax = 16

    private let bytes: [UInt8]
    private var position = 0
    private var line: Int

    private var words: [String] = []
    private var wordCount = 0
    private var parenthesisDepth = 0
    /// Inside `begin atomic … end` of a routine.
    private var bodyDepth = 0

    private init(_ text: String, firstLine: Int) {
        (bytes, line) = (Array(text.utf8), firstLine)
    }

    /// The statements of a text whose first line has that number in its file.
    static func split(_ text: String, firstLine: Int) throws(Unterminated) -> [MigrationStatement] {
        var splitter = StatementSplitter(text, firstLine: firstLine)
        var statements: [MigrationStatement] = []
        while let statement = try splitter.next() { statements.append(statement) }
        return statements
    }

    private mutating func next() throws(Unterminated) -> MigrationStatement? {
        (words, wordCount, parenthesisDepth, bodyDepth) = ([], 0, 0, 0)
        try skipBlankAndComments()
        while peek() == UInt8(ascii: ";") {
            position += 1
            try skipBlankAndComments()
        }
        guard position < bytes.count else { return nil }
        let (start, startLine) = (position, line)
        var end = position
        while let byte = peek() {
            if byte == UInt8(ascii: ";"), parenthesisDepth <= 0, bodyDepth <= 0 {
                position += 1
                break
            }
            try step(byte)
            end = position
            try skipBlankAndComments()
        }
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        return MigrationStatement(text: text, line: startLine, words: words)
    }

    /// Takes one token.
    private mutating func step(_ byte: UInt8) throws(Unterminated) {
        switch byte {
        case UInt8(ascii: "'"): try skipQuoted(by: byte, what: "string", backslash: false)
        case UInt8(ascii: "\""): try skipQuoted(by: byte, what: "quoted name", backslash: false)
        case UInt8(ascii: "$"): try skipDollar()
        case UInt8(ascii: "("):
            parenthesisDepth += 1
            position += 1
        case UInt8(ascii: ")"):
            parenthesisDepth -= 1
            position += 1
        case _ where byte.startsWord: try takeWord()
        // A number may hold an `e`, which starts no string.
        case _ where byte.continuesWord: while let next = peek(), next.continuesWord { position += 1 }
        default: position += 1
        }
    }

    private mutating func takeWord() throws(Unterminated) {
        let start = position
        while let byte = peek(), byte.continuesWord { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
        if peek() == UInt8(ascii: "'"), word == "e" {
            return try skipQuoted(by: UInt8(ascii: "'"), what: "string", backslash: true)
        }
        if words.count < Self.wordsMax { words.append(word) }
        wordCount += 1
        guard createsRoutine, parenthesisDepth == 0 else { return }
        switch word {
        case "begin": bodyDepth += 1
        case "case" where bodyDepth > 0: bodyDepth += 1
        case "end" where bodyDepth > 0: bodyDepth -= 1
        default: break
        }
    }

    private var createsRoutine: Bool {
        let routine = ["function", "procedure"]
        return words.first == "create" && words.count > 1
            && (routine.contains(words[1])
                || (words.starts(with: ["create", "or", "replace"]) && words.count > 3
                    && routine.contains(words[3])))
    }

    private mutating func skipBlankAndComments() throws(Unterminated) {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0x0B, 0x0C: position += 1
            case UInt8(ascii: "-") where peek(1) == byte:
                while let next = peek(), next != UInt8(ascii: "\n") { position += 1 }
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try skipComment()
            default: return
            }
        }
    }

    /// Comments of this kind nest.
    private mutating func skipComment() throws(Unterminated) {
        let startLine = line
        var depth = 0
        while let byte = peek() {
            if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                advance(byte)
            }
        }
        throw Unterminated(line: startLine, what: "comment")
    }

    /// A doubled quote inside ends one string and starts the next, which comes to the same.
    private mutating func skipQuoted(by quote: UInt8, what: String, backslash: Bool) throws(Unterminated) {
        let startLine = line
        position += 1
        while let byte = peek() {
            advance(byte)
            if byte == quote { return }
            if backslash, byte == UInt8(ascii: "\\"), let escaped = peek() { advance(escaped) }
        }
        throw Unterminated(line: startLine, what: what)
    }

    private mutating func skipDollar() throws(Unterminated) {
        let (start, startLine) = (position, line)
        position += 1
        if peek()?.startsWord == true {
            while let byte = peek(), byte.continuesWord, byte != UInt8(ascii: "$") { position += 1 }
        }
        // `$1` is a parameter, and a lone `$` the server's matter.
        guard peek() == UInt8(ascii: "$") else { return }
        position += 1
        let tag = bytes[start..<position]
        while let byte = peek() {
            if byte == UInt8(ascii: "$"), bytes[position...].starts(with: tag) {
                position += tag.count
                return
            }
            advance(byte)
        }
        throw Unterminated(line: startLine, what: "dollar-quoted string")
    }

    private func peek(_ offset: Int = 0) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    private mutating func advance(_ byte: UInt8) {
        if byte == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }
}

extension UInt8 {
    fileprivate var startsWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    fileprivate var continuesWord: Bool {
        startsWord || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "$")
    }
}
