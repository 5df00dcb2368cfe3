/// How long things may be.
extension Rule {
    static let sizeRules = [shortFiles, shortExecutables, shortFunctions, shortLines]

    private static let fileLinesMax = 500
    private static let executableLinesMax = 79
    private static let functionLinesMax = 60
    private static let lineCharactersMax = 120

    private static func lines(_ count: Int, of text: String = "1") -> String {
        Array(repeating: text, count: count).joined(separator: "\n")
    }

    /// A newline at the end begins no line.
    private static func lineCount(_ file: SourceFile) -> Int { file.lines.count - (file.text.hasSuffix("\n") ? 1 : 0) }

    private static let shortFiles = Rule(
        "a file has at most \(fileLinesMax) lines",
        examples: [
            .breaks(["Platform/A/A.swift": lines(fileLinesMax + 1)], at: "Platform/A/A.swift:501"),
            .keeps(["Platform/A/A.swift": lines(fileLinesMax) + "\n"]),
        ],
        eachSwiftFile: { file in
            let count = lineCount(file)
            return count <= fileLinesMax ? [] : [Violation(path: file.path, line: count, what: "\(count) lines")]
        }
    )

    private static let shortExecutables = Rule(
        "a file of an executable has under \(executableLinesMax + 1) lines",
        examples: [
            .breaks(["Apps/diboas/A.swift": lines(executableLinesMax + 1)], at: "Apps/diboas/A.swift:80"),
            .keeps([
                "Apps/diboas/A.swift": lines(executableLinesMax), "Platform/A/A.swift": lines(executableLinesMax + 1),
            ]),
        ],
        eachSwiftFile: { file in
            let count = lineCount(file)
            guard file.isIn("Apps/diboas"), count > executableLinesMax else { return [] }
            return [Violation(path: file.path, line: count, what: "\(count) lines")]
        }
    )

    private static let shortLines = Rule(
        "a line has at most \(lineCharactersMax) characters",
        examples: [
            .breaks(["A.swift": "1\n" + String(repeating: "ü", count: 121)], at: "A.swift:2"),
            .keeps(["A.swift": String(repeating: "ü", count: 120)]),
        ],
        eachSwiftFile: { file in
            file.lines.enumerated()
                .filter { $1.utf8.count > lineCharactersMax && $1.count > lineCharactersMax }
                .map { Violation(path: file.path, line: $0 + 1, what: "\($1.count) characters") }
        }
    )

    private static let shortFunctions = Rule(
        "a function has at most \(functionLinesMax) lines",
        examples: [
            .breaks(
                ["A.swift": "struct A {\n  func f(a: Int = { 1 }()) -> Int {\n\(lines(59))\n  }\n}"],
                at: "A.swift:2"
            ),
            .breaks(
                ["A.swift": "struct A {\n  init?(a: Int) {\n\(lines(30, of: "if a { }\n"))\n  }\n}"],
                at: "A.swift:2"
            ),
            .breaks(["A.swift": "var a: Int {\n\(lines(59))\n}"], at: "A.swift:1"),
            .keeps(["A.swift": "func f() {\n\(lines(58, of: "g(\"}\") // {"))\n}\nfunc g() {\n\(lines(58))\n}"]),
            .keeps(["A.swift": "protocol A {\n func f()\n init(a: Int)\n}\nstruct B {\n\(lines(70))\n}"]),
            .keeps(["A.swift": "struct A {\n func f() { self.init(a) }\n var x = 1\n struct B {\n\(lines(70))\n}\n}"]),
            .keeps(["A.swift": "let a: [Int] = [\n\(lines(70))\n]\nvar f: Int\nstruct B {\n\(lines(70))\n}"]),
        ],
        eachSwiftFile: { file in
            FunctionLengths.of(file.code).filter { $0.lines > functionLinesMax }
                .map { Violation(path: file.path, line: $0.line, what: "\($0.name): \($0.lines) lines") }
        }
    )
}

/// Finds functions, initialisers and computed properties by their braces.
enum FunctionLengths {
    struct Found {
        let name: String
        let line: Int
        let lines: Int
    }

    private static let head = Pattern(#"\bfunc\s+[^\s(<]+|(?<![.\w`])init(?=\s*[?!]?\s*[(<])|\bvar\s+\w+\s*:"#)
    /// What begins the next declaration: a head before it had no body.
    private static let next: Set<String> = [
        "func", "var", "let", "case", "struct", "enum", "class", "actor", "extension", "protocol", "associatedtype",
        "typealias", "static", "public", "private", "init",
    ]

    static func of(_ code: String) -> [Found] {
        let bytes = Array(code.utf8)
        let starts = lineStarts(bytes)
        return head.matches(in: code).compactMap { match in
            let lineStart = starts[match.line - 1]
            guard let offset = offset(of: match.text, from: lineStart, in: bytes),
                let open = bodyStart(after: offset + match.text.utf8.count, in: bytes),
                let close = end(ofBraceAt: open, in: bytes)
            else { return nil }
            let lines = bytes[offset...close].count { $0 == UInt8(ascii: "\n") } + 1
            return Found(name: match.text, line: match.line, lines: lines)
        }
    }

    private static func lineStarts(_ bytes: [UInt8]) -> [Int] {
        [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    private static func offset(of text: String, from start: Int, in bytes: [UInt8]) -> Int? {
        let wanted = Array(text.utf8)
        return (start..<bytes.count).first { bytes[$0...].starts(with: wanted) }
    }

    /// The brace that opens the body, outside all parentheses; nil if another declaration or the end of the scope comes
    /// first.
    private static func bodyStart(after start: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        var word: [UInt8] = []
        for position in start..<bytes.count {
            let byte = bytes[position]
            if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) {
                word.append(byte)
                continue
            }
            if depth == 0 && !word.isEmpty && next.contains(String(decoding: word, as: UTF8.self)) { return nil }
            word.removeAll(keepingCapacity: true)
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return position
            case UInt8(ascii: "}") where depth == 0, UInt8(ascii: "=") where depth == 0: return nil
            default: break
            }
        }
        return nil
    }

    private static func end(ofBraceAt open: Int, in bytes: [UInt8]) -> Int? {
        var depth = 0
        for position in open..<bytes.count {
            if bytes[position] == UInt8(ascii: "{") { depth += 1 }
            if bytes[position] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return position }
            }
        }
        return nil
    }
}
