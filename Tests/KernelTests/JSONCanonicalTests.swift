import Kernel
import Randomness
import Testing

@Suite struct JSONCanonicalTests {
    private func canonical(_ text: String) throws -> String {
        String(decoding: try JSON.parse(Array(text.utf8)).canonicalECMAScript(), as: UTF8.self)
    }

    // What Node.js 20 prints for JSON.stringify(JSON.parse(text)).
    private static let numbers = [
        ("0", "0"), ("-0", "0"), ("0.0", "0"), ("-0.0", "0"), ("1", "1"), ("-1", "-1"), ("18.0", "18"), ("0.1", "0.1"),
        ("0.000001", "0.000001"), ("0.0000001", "1e-7"), ("1e-7", "1e-7"), ("1.5e-7", "1.5e-7"),
        ("123456789012345680000", "123456789012345680000"), ("1e20", "100000000000000000000"), ("1e21", "1e+21"),
        ("1e+21", "1e+21"), ("-1e21", "-1e+21"), ("1.5e21", "1.5e+21"),
        ("12345678901234567890", "12345678901234567000"),
        ("9007199254740993", "9007199254740992"), ("9007199254740992", "9007199254740992"),
        ("18014398509481985", "18014398509481984"), ("4.35", "4.35"), ("0.30000000000000004", "0.30000000000000004"),
        ("1e23", "1e+23"), ("5e-324", "5e-324"), ("4.9e-324", "5e-324"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("1e400", "null"), ("-1e400", "null"), ("1e-400", "0"), ("0.09892653257425743", "0.09892653257425743"),
        ("0.0084202100000000001", "0.008420210000000001"), ("1.29518206550279", "1.29518206550279"),
        ("300000000000000000", "300000000000000000"), ("100", "100"), ("100e-2", "1"), ("1E3", "1000"),
        ("123e-20", "1.23e-18"), ("0.00001234", "0.00001234"), ("999999999999999999999", "1e+21"),
        ("99999999999999999999", "100000000000000000000"), ("1.0000000000000002", "1.0000000000000002"),
        ("33333333.33333333", "33333333.33333333"),
    ]

    @Test(arguments: numbers)
    func `a number is printed as ECMAScript prints its double`(text: String, expected: String) throws {
        #expect(try canonical(text) == expected)
    }

    @Test(arguments: [UInt64(5), 20_261_122])
    func `a printed number is the same double`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<10_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite, Double(try canonical(value.description)) != value else { continue }
            Issue.record("seed \(seed): \(value)")
        }
    }

    @Test func `names are sorted by UTF-16 code unit, at each level`() throws {
        let text = #"{"b":{"z":1,"10":2,"9":3},"":0,"a":[{"d":1,"c":2}],"B":1,"\uffff":1,"\ud83d\ude00":1,"é":1}"#
        let sorted = [
            #""":0"#, #""B":1"#, #""a":[{"c":2,"d":1}]"#, #""b":{"10":2,"9":3,"z":1}"#, #""é":1"#, #""😀":1"#,
            "\"\u{FFFF}\":1",
        ]
        #expect(try canonical(text) == "{" + sorted.joined(separator: ",") + "}")
    }

    @Test func `strings are printed as JSON stringify prints them`() throws {
        let text = #" [ "\/\u0008\u001f\u2028\u007f\"" , null , true ] "#
        #expect(try canonical(text) == "[\"/\\b\\u001f\u{2028}\u{7f}\\\"\",null,true]")
    }

    @Test func `the canonical form of a canonical form is itself`() throws {
        let once = try canonical(#"{"b":[1.50,{"y":"\u00e9","x":1e2}],"a":null}"#)
        #expect(once == #"{"a":null,"b":[1.5,{"x":100,"y":"é"}]}"#)
        #expect(try canonical(once) == once)
    }
}
