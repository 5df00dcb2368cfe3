import Kernel
import Randomness
import Testing

@Suite struct JSONSerialisingTests {
    private func text(_ value: JSON) -> String { String(decoding: value.serialized(), as: UTF8.self) }

    @Test(
        arguments: [
            (JSON.null, "null"), (true, "true"), (false, "false"), (.number("12.30"), "12.30"), (.integer(-7), "-7"),
            ([], "[]"),
            ([:], "{}"), (["b": .integer(1), "a": [nil, "x"]], #"{"b":1,"a":[null,"x"]}"#), ("é😀", "\"é😀\""),
        ] as [(JSON, String)]
    )
    func `a value is written compactly`(value: JSON, expected: String) {
        #expect(text(value) == expected)
    }

    @Test func `what must be escaped is, and nothing else`() {
        #expect(
            text("\"\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}\u{2028}")
                == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\u{2028}\""
        )
        #expect(text(["\n": "\u{10}"]) == #"{"\n":"\u0010"}"#)
    }

    @Test func `appending leaves what is there`() {
        var bytes = Array("x".utf8)
        JSON.bool(true).append(to: &bytes)
        #expect(bytes == Array("xtrue".utf8))
    }

    @Test func `every control character is written so that it reads back`() throws {
        for byte in UInt8(0)..<0x20 {
            let value = JSON.string("a" + String(Unicode.Scalar(byte)) + "b")
            #expect(value.serialized().allSatisfy { $0 >= 0x20 })
            #expect(try JSON.parse(value.serialized()) == value)
        }
    }

    @Test(arguments: [UInt64(1), 20_261_120, 977])
    func `random values read back as they were written`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<2_000 {
            let value = RandomJSON.value(depth: 5, &random)
            let bytes = value.serialized()
            guard try JSON.parse(bytes) != value else { continue }
            Issue.record("seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(arguments: [UInt64(3), 20_261_121])
    func `random bytes neither crash nor read as something that writes otherwise`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        for _ in 0..<5_000 {
            var bytes = RandomJSON.value(depth: 4, &random).serialized()
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let value = try? JSON.parse(bytes), try JSON.parse(value.serialized()) != value else { continue }
            Issue.record("seed \(seed): \(bytes)")
        }
    }
}
