import HTTP
import Kernel
import Testing

@Suite struct SchemaTests {
    private enum Payment: Entity { static let idPrefix = "pay" }

    private let schema = JSONSchema.object([
        .required("payee", .username), .required("amount", .amount), .optional("note", .nullable(.text(0...5))),
        .optional("count", .integer(1...10)), .optional("tags", .array(of: .text(1...3), count: 1...2)),
        .optional("speed", .oneOf(["slow", "fast"])), .optional("urgent", .bool),
        .optional("extra", .map(of: .text(0...3), keys: .username, countMax: 2)),
    ])

    private func codes(_ text: String) throws -> [String] {
        schema.faults(in: try JSON.parse(Array(text.utf8))).map { "\($0.pointer) \($0.code)" }
    }

    @Test func `a value that fits has no faults`() throws {
        let text = """
            {"note":null,"amount":"1.50","payee":"ada","count":10,"tags":["a"],"speed":"slow","urgent":false,
            "extra":{"key":"v"}}
            """
        #expect(try codes(text) == [])
    }

    @Test(arguments: [
        (#"{"payee":"ada"}"#, "/amount missing"),
        (#"{"payee":"ada","amount":"1","zzz":1}"#, "/zzz unknown_field"),
        (#"{"payee":"ada","amount":"1","a/b~":1}"#, "/a~1b~0 unknown_field"),
        (#"{"payee":"ada","amount":1}"#, "/amount wrong_type"),
        (#"{"payee":"ada","amount":null}"#, "/amount wrong_type"),
        (#"{"payee":"ada","amount":"1.2.3"}"#, "/amount malformed"),
        (#"{"payee":"ada","amount":"-1"}"#, "/amount sign"),
        (#"{"payee":"ada","amount":"1e3"}"#, "/amount exponent"),
        (#"{"payee":"ada","amount":"100000000000000000000000000000000000000000"}"#, "/amount too_long"),
        (#"{"payee":"ada","amount":"100000000000000000000"}"#, "/amount overflow"),
        (#"{"payee":"Ada","amount":"1"}"#, "/payee bad_format"),
        (#"{"payee":"ad","amount":"1"}"#, "/payee too_short"),
        (#"{"payee":"ada","amount":"1","note":"123456"}"#, "/note too_long"),
        (#"{"payee":"ada","amount":"1","note":"a\u0000"}"#, "/note control_character"),
        (#"{"payee":"ada","amount":"1","note":"a\u0085"}"#, "/note control_character"),
        (#"{"payee":"ada","amount":"1","count":0}"#, "/count too_small"),
        (#"{"payee":"ada","amount":"1","count":11}"#, "/count too_large"),
        (#"{"payee":"ada","amount":"1","count":99999999999999999999}"#, "/count too_large"),
        (#"{"payee":"ada","amount":"1","count":-99999999999999999999}"#, "/count too_small"),
        (#"{"payee":"ada","amount":"1","count":1.5}"#, "/count wrong_type"),
        (#"{"payee":"ada","amount":"1","count":1e0}"#, "/count wrong_type"),
        (#"{"payee":"ada","amount":"1","tags":[]}"#, "/tags too_few"),
        (#"{"payee":"ada","amount":"1","tags":["a","b","c"]}"#, "/tags too_many"),
        (#"{"payee":"ada","amount":"1","tags":["a",7]}"#, "/tags/1 wrong_type"),
        (#"{"payee":"ada","amount":"1","tags":{}}"#, "/tags wrong_type"),
        (#"{"payee":"ada","amount":"1","speed":"medium"}"#, "/speed not_allowed"),
        (#"{"payee":"ada","amount":"1","urgent":"true"}"#, "/urgent wrong_type"),
        (#"{"payee":"ada","amount":"1","extra":{"NO":"v"}}"#, "/extra/NO bad_key"),
        (#"{"payee":"ada","amount":"1","extra":{"aaa":"","bbb":"","ccc":""}}"#, "/extra too_many"),
        ("[]", " wrong_type"),
    ])
    func `a fault is told by pointer and code`(text: String, fault: String) throws {
        #expect(try codes(text) == [fault])
    }

    @Test func `every fault is told, up to the bound`() throws {
        #expect(try codes(#"{"payee":1,"amount":2,"zzz":3}"#).count == 3)
        let many = (0..<100).map { "\"z\($0)\":1" }.joined(separator: ",")
        #expect(try codes("{\(many)}").count == JSONSchema.faultsMax)
    }

    @Test func `an integer may be written with a zero fraction`() throws {
        #expect(try codes(#"{"payee":"ada","amount":"1","count":7.0}"#) == [])
        #expect(try codes(#"{"payee":"ada","amount":"1","count":11.00}"#) == ["/count too_large"])
    }

    @Test(arguments: ["4111 1111 1111 1111", "order 4111-1111-1111-1111!", "378282246310005"])
    func `a card number is refused in free text`(text: String) {
        #expect(JSONSchema.text(0...100).faults(in: .string(text)).map(\.code) == ["card_number"])
    }

    @Test(arguments: ["4111 1111 1111 1112", "1234567890123456789012", "0000000000000", "call 12345"])
    func `other numbers are free text`(text: String) {
        #expect(JSONSchema.text(0...100).faults(in: .string(text)) == [])
    }

    @Test func `length counts Unicode scalars`() {
        #expect(JSONSchema.text(3...3).faults(in: "äöü") == [])
        #expect(JSONSchema.text(0...2).faults(in: "äöü").map(\.code) == ["too_long"])
        #expect(JSONSchema.text(2...9).faults(in: "🦀").map(\.code) == ["too_short"])
    }

    @Test func `a choice is compared by bytes`() {
        // U+212A, the Kelvin sign, equals K for strings.
        #expect(JSONSchema.oneOf(["K"]).faults(in: "\u{212A}").map(\.code) == ["not_allowed"])
    }

    @Test func `an id has its own prefix`() {
        let good = ID<Payment>(77).wire
        #expect(JSONSchema.id(of: Payment.self).faults(in: .string(good)) == [])
        #expect(JSONSchema.id(of: User.self).faults(in: .string(good)).map(\.code) == ["bad_format"])
    }
}
