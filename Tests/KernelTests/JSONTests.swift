import Kernel
import Testing

@Suite struct JSONTests {
    @Test func `literals make values`() {
        let value: JSON = ["name": "a", "list": [true, nil], "count": .integer(3)]
        #expect(
            value
                == .object([
                    JSON.Member("name", .string("a")), JSON.Member("list", .array([.bool(true), .null])),
                    JSON.Member("count", .number("3")),
                ])
        )
    }

    @Test func `accessors give what is there and nil for other kinds`() {
        let value: JSON = ["text": "a", "yes": true, "list": [nil], "count": .integer(-3), "half": .number("0.5")]
        #expect(value["text"]?.stringValue == "a")
        #expect(value["yes"]?.boolValue == true)
        #expect(value["list"]?.elements == [.null])
        #expect(value["count"]?.integerValue == -3)
        #expect(value["half"]?.integerValue == nil)
        #expect(value["none"] == nil)
        #expect(
            value.stringValue == nil && value.boolValue == nil && value.elements == nil && value.integerValue == nil
        )
        #expect(JSON.string("text")["text"] == nil)
    }

    @Test func `an integer that doesn't fit is none`() {
        #expect(JSON.number("9223372036854775807").integerValue == .max)
        #expect(JSON.number("9223372036854775808").integerValue == nil)
    }
}
