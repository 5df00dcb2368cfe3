import Kernel
import Testing

@Suite struct JSONErrorTests {
    private struct Case: CustomTestStringConvertible {
        let bytes: [UInt8]
        let error: JSONError

        init(_ text: String, _ error: JSONError) { (self.bytes, self.error) = (Array(text.utf8), error) }
        init(_ bytes: [UInt8], _ error: JSONError) { (self.bytes, self.error) = (bytes, error) }

        var testDescription: String { String(decoding: bytes, as: UTF8.self) + ": \(error)" }
    }

    private static let structure = [
        Case("", .unexpectedEnd(at: 0)), Case("  ", .unexpectedEnd(at: 2)), Case("[", .unexpectedEnd(at: 1)),
        Case("{", .unexpectedEnd(at: 1)), Case(#"{"a""#, .unexpectedEnd(at: 4)), Case(#"{"a":"#, .unexpectedEnd(at: 5)),
        Case("[1", .unexpectedEnd(at: 2)), Case("tru", .unexpectedEnd(at: 3)), Case("[1,]", .unexpectedByte(at: 3)),
        Case("[,1]", .unexpectedByte(at: 1)), Case("{,}", .unexpectedByte(at: 1)),
        Case("[1 2]", .unexpectedByte(at: 3)),
        Case(#"{"a":1,}"#, .unexpectedByte(at: 7)), Case(#"{a:1}"#, .unexpectedByte(at: 1)),
        Case(#"{"a" 1}"#, .unexpectedByte(at: 5)), Case("{'a':1}", .unexpectedByte(at: 1)),
        Case("[1}", .unexpectedByte(at: 2)), Case("True", .unexpectedByte(at: 0)), Case("nul1", .unexpectedByte(at: 3)),
        Case("NaN", .unexpectedByte(at: 0)), Case("Infinity", .unexpectedByte(at: 0)),
        Case("// x\n1", .unexpectedByte(at: 0)), Case("\u{A0}1", .unexpectedByte(at: 0)),
        Case("\u{FEFF}1", .byteOrderMark(at: 0)), Case("1\u{FEFF}", .trailingBytes(at: 1)),
        Case("1 2", .trailingBytes(at: 2)), Case("{}{}", .trailingBytes(at: 2)), Case("[]\0", .trailingBytes(at: 2)),
        Case("nullx", .trailingBytes(at: 4)), Case([0xEF, 0xBB], .unexpectedByte(at: 0)),
    ]

    private static let numbers = [
        Case("-", .unexpectedEnd(at: 1)), Case("01", .invalidNumber(at: 1)), Case("-01", .invalidNumber(at: 2)),
        Case("00", .invalidNumber(at: 1)), Case("1.", .unexpectedEnd(at: 2)), Case("[1.]", .invalidNumber(at: 3)),
        Case("[.5]", .unexpectedByte(at: 1)), Case("[+1]", .unexpectedByte(at: 1)), Case("[1e]", .invalidNumber(at: 3)),
        Case("[1e+]", .invalidNumber(at: 4)), Case("1e", .unexpectedEnd(at: 2)), Case("[-a]", .invalidNumber(at: 2)),
        Case("0x10", .trailingBytes(at: 1)), Case("1_000", .trailingBytes(at: 1)),
        Case("[1.e1]", .invalidNumber(at: 3)),
        Case("1e5.5", .trailingBytes(at: 3)), Case("[--1]", .invalidNumber(at: 2)),
    ]

    private static let strings = [
        Case(#"""#, .unexpectedEnd(at: 1)), Case(#""abc"#, .unexpectedEnd(at: 4)), Case(#""\"#, .unexpectedEnd(at: 2)),
        Case(#""\u00"#, .unexpectedEnd(at: 5)), Case("\"a\nb\"", .controlCharacter(at: 2)),
        Case("\"\\n\t\"", .controlCharacter(at: 3)), Case(#""\x41""#, .invalidEscape(at: 1)),
        Case(#""\'""#, .invalidEscape(at: 1)), Case(#""a\u00g0""#, .invalidEscape(at: 2)),
        Case(#""\U0041""#, .invalidEscape(at: 1)), Case(#""\ud800""#, .loneSurrogate(at: 1)),
        Case(#""\udc00""#, .loneSurrogate(at: 1)), Case(#""\ud800\u0041""#, .loneSurrogate(at: 1)),
        Case(#""\ud800\ud800""#, .loneSurrogate(at: 1)), Case(#""\ud800x""#, .loneSurrogate(at: 1)),
        Case(#""\udc00\ud800""#, .loneSurrogate(at: 1)), Case(#""\ud800\"#, .loneSurrogate(at: 1)),
        Case(#""\ud800\u""#, .invalidEscape(at: 7)), Case(#"{"\ud800":1}"#, .loneSurrogate(at: 2)),
    ]

    private static let encodings = [
        // A lone continuation, overlong forms, a surrogate, beyond U+10FFFF, cut short, Latin-1.
        [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0xC3],
        [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xE9, 0x20], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x28, 0x80],
    ].flatMap { (bytes: [UInt8]) in
        [
            Case([0x22, 0x61] + bytes + [0x22], .invalidUTF8(at: 2)),
            Case(Array(#""\n"#.utf8) + bytes + [0x22], .invalidUTF8(at: 3)),
            Case(Array(#"{"\n"#.utf8) + bytes + Array(#"\t":1}"#.utf8), .invalidUTF8(at: 4)),
            Case([0x22, 0x61] + bytes + [0x0A], .invalidUTF8(at: 2)),
        ]
    }

    private static let names = [
        Case(#"{"a":1,"a":1}"#, .duplicateName(at: 7)), Case(#"{"a":1,"\u0061":1}"#, .duplicateName(at: 7)),
        Case(#"{"":1,"":1}"#, .duplicateName(at: 6)), Case(#"[{"a":{"b":1,"b":2}}]"#, .duplicateName(at: 13)),
        Case(#"{"é":1,"\u00e9":1}"#, .duplicateName(at: 8)),
    ]

    @Test(arguments: structure + numbers + strings + encodings + names)
    private func `a fault is reported with its place`(fault: Case) {
        #expect(throws: fault.error) { try JSON.parse(fault.bytes) }
    }

    @Test func `names that only Unicode calls equivalent are different`() throws {
        _ = try JSON.parse(Array("{\"é\":1,\"e\u{301}\":2,\"K\":3,\"\u{212A}\":4}".utf8))
    }

    @Test func `a name given twice is found among many`() throws {
        let names = (0..<100).map { "\"n\($0)\":0" }
        _ = try JSON.parse(Array("{\(names.joined(separator: ","))}".utf8))
        for repeated in [0, 11, 12, 13, 50, 99] {
            let text = "{\((names + [names[repeated]]).joined(separator: ","))}"
            let place = text.utf8.count - names[repeated].utf8.count - 1
            #expect(throws: JSONError.duplicateName(at: place)) { try JSON.parse(Array(text.utf8)) }
        }
    }

    @Test func `each error tells its offset and its word`() {
        let errors: [JSONError] = [
            .tooLarge(at: 7), .tooDeep(at: 7), .byteOrderMark(at: 7), .unexpectedEnd(at: 7), .unexpectedByte(at: 7),
            .trailingBytes(at: 7), .invalidNumber(at: 7), .invalidUTF8(at: 7), .controlCharacter(at: 7),
            .invalidEscape(at: 7), .loneSurrogate(at: 7), .nul(at: 7), .duplicateName(at: 7),
        ]
        #expect(errors.allSatisfy { $0.offset == 7 })
        #expect(Set(errors.map(\.code)).count == errors.count)
        #expect("\(JSONError.duplicateName(at: 7))" == "duplicate_name at byte 7")
    }
}
