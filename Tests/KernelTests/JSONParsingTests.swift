import Kernel
import Testing

@Suite struct JSONParsingTests {
    private func parse(_ text: String, _ limits: JSON.Limits = .standard) throws -> JSON {
        try JSON.parse(Array(text.utf8), limits: limits)
    }

    @Test(
        arguments: [
            ("null", JSON.null), (" true\n", true), ("\t false\r\n", false), (#""""#, ""), ("[]", []), ("{}", [:]),
            ("[1,\"a\",null]", [.number("1"), "a", nil]),
            (#"{"b":1,"a":{"c":[{}]}}"#, ["b": .integer(1), "a": ["c": [[:]]]]),
            (#" [ [ ] , { } ] "#, [[], [:]]),
        ] as [(String, JSON)]
    )
    func `a value is read`(text: String, value: JSON) throws {
        #expect(try parse(text) == value)
    }

    @Test(arguments: [
        "0", "-0", "12.30", "1e5", "1E+05", "-1.0e-10", "123456789012345678901234567890.1234567890", "0.0e0",
    ])
    func `a number keeps its own text`(text: String) throws {
        #expect(try parse("[\(text)]") == [.number(text)])
        #expect(try parse(text) == .number(text))
    }

    @Test func `escapes stand for their characters`() throws {
        let value = try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00 \u0000.""#)
        #expect(value == .string("\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{20ac}\u{1f600} \0."))
    }

    @Test func `text beyond ASCII is kept as it is, composed or not`() throws {
        for text in ["é", "e\u{301}", "名前", "😀", "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"] {
            let read = try parse("\"\(text)\\n\(text)\"").stringValue
            #expect(read.map { Array($0.utf8) } == Array("\(text)\n\(text)".utf8))
            #expect(try parse("\"\(text)\"").stringValue.map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test func `members keep their order`() throws {
        guard case .object(let members) = try parse(#"{"z":1,"a":2,"m":3}"#) else {
            Issue.record("not an object")
            return
        }
        #expect(members.map(\.name) == ["z", "a", "m"])
    }

    @Test func `bytes that don't lie together are read as well`() throws {
        let halves = [Array("{\"a\":".utf8), Array("[1]}".utf8)].joined()
        #expect(try JSON.parse(Array(halves)[...]) == ["a": [.integer(1)]])
        #expect(try JSON.parse(Array(halves).reversed().reversed().lazy.map { $0 }) == ["a": [.integer(1)]])
    }

    @Test func `a slice is read from its own start`() throws {
        let bytes = Array("xx[1]yy".utf8)
        #expect(try JSON.parse(bytes[2..<5]) == [.integer(1)])
        #expect(throws: JSONError.trailingBytes(at: 3)) { try JSON.parse(bytes[2...]) }
    }

    @Test func `the size is bounded, before anything else is looked at`() throws {
        #expect(try parse("[12]", JSON.Limits(bytesMax: 4)) == [.integer(12)])
        #expect(throws: JSONError.tooLarge(at: 4)) { try parse("\u{FEFF}!!", JSON.Limits(bytesMax: 4)) }
        let scattered = Array("[123]".utf8).lazy.map { $0 }
        #expect(throws: JSONError.tooLarge(at: 4)) { try JSON.parse(scattered, limits: JSON.Limits(bytesMax: 4)) }
    }

    @Test(arguments: [1, 32, 64])
    func `the depth is bounded`(depth: Int) throws {
        let limits = JSON.Limits(bytesMax: 1000, depthMax: depth)
        let nested = { (open: String, close: String, count: Int) in
            String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
        }
        _ = try parse(nested("[", "]", depth), limits)
        _ = try parse(nested("{\"a\":", "}", depth), limits)
        #expect(throws: JSONError.tooDeep(at: depth)) { try parse(nested("[", "]", depth + 1), limits) }
        #expect(throws: JSONError.tooDeep(at: depth * 5)) { try parse(nested("{\"a\":", "}", depth + 1), limits) }
    }

    @Test func `a million open brackets are refused at the thirty-third`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError.tooDeep(at: 32)) { try JSON.parse(bytes) }
    }

    @Test func `NUL is refused where the caller says so`() throws {
        let limits = JSON.Limits(bytesMax: 100, allowsNUL: false)
        #expect(throws: JSONError.nul(at: 7)) { try parse(#"{"a":"x\u0000"}"#, limits) }
        #expect(throws: JSONError.nul(at: 2)) { try parse(#"{"\u0000":1}"#, limits) }
        #expect(try parse(#""\u0001""#, limits) == "\u{1}")
        #expect(throws: JSONError.controlCharacter(at: 1)) { try parse("\"\0\"") }
    }

    @Test(arguments: [
        (#""a\u0000""#, true), (#"{"\u0000":1}"#, true), (#"[[{"a":"\u0000"}]]"#, true),
        (#"{"a":["b",1,null]}"#, false),
    ])
    func `a value knows whether it contains NUL`(text: String, contains: Bool) throws {
        #expect(try parse(text).containsNUL == contains)
    }

    @Test func `a lookup goes by bytes, not by what Unicode calls equivalent`() throws {
        let value = try parse("{\"\u{212A}ey\":1,\"\u{E9}\":2,\"e\u{301}\":3}")
        #expect(value["Key"] == nil)
        #expect(value["\u{212A}ey"] == .integer(1))
        #expect(value["\u{E9}"] == .integer(2))
        #expect(value["e\u{301}"] == .integer(3))
    }
}
