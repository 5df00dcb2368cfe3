import Foundation
import Kernel
import Testing
import Webhooks

@Suite struct VectorFileTests {
    @Test(arguments: [
        ("stripe", 31), ("moonpay", 13), ("ramp", 12), ("standardwebhooks", 17), ("persona", 28), ("sumsub", 18),
    ])
    func `every vector of a provider gets its reason code`(name: String, count: Int) throws {
        let report = try VectorFile(parsing: Vectors.bytes(name)).run()
        #expect(report.mismatches.isEmpty, "\(report.lines)")
        #expect(report.tallies[name]?.passed == count)
        #expect(report.tallies.count == 1)
        #expect(report.passed)
    }

    @Test func `a vector with another reason is reported with both`() throws {
        let text = String(decoding: try Vectors.bytes("stripe"), as: UTF8.self)
        let changed = text.replacingOccurrences(of: "\"timestamp_too_new\"", with: "\"timestamp_too_old\"")
        let report = try VectorFile(parsing: Array(changed.utf8)).run()
        #expect(!report.passed)
        #expect(report.tallies["stripe"]?.failed == 2)
        #expect(report.mismatches.map(\.id) == ["stripe/future-301", "stripe/future-3600"])
        #expect(report.lines.last == "stripe/future-3600: expected timestamp_too_old, got timestamp_too_new")
        #expect(report.json["mismatches"]?.elements?.count == 2)
        #expect(report.json["passed"] == false)
    }

    @Test func `a vector that must be accepted and is refused fails`() throws {
        let vector = Vectors.minimal.replacingOccurrences(of: "reject", with: "accept")
        #expect(try !VectorFile(parsing: Array(vector.utf8)).run().passed)
    }

    @Test func `an unknown provider is a mismatch`() throws {
        let vector = Vectors.minimal.replacingOccurrences(of: "\"stripe\"", with: "\"acme\"")
        let report = try VectorFile(parsing: Array(vector.utf8)).run()
        #expect(report.mismatches.map(\.actual) == ["unknown_provider"])
        #expect(report.tallies["acme"]?.failed == 1)
    }

    @Test func `a file without vectors has not passed`() throws {
        let report = try VectorFile(parsing: Array(#"{"format":1,"vectors":[]}"#.utf8)).run()
        #expect(!report.passed)
    }

    @Test(arguments: ["", "sk_test_123456", "pk_live_123456", "rk_test_1", "whpk_abc", "whsec_ with space"])
    func `a key of the wrong kind in a vector is a misconfigured key`(key: String) throws {
        let vector = Vectors.minimal.replacingOccurrences(of: "whsec_x", with: key)
            .replacingOccurrences(of: "missing_header", with: "misconfigured_key")
        let report = try VectorFile(parsing: Array(vector.utf8)).run()
        #expect(report.passed, "\(report.lines)")
    }

    @Test func `the minimal vector passes as it is`() throws {
        #expect(try VectorFile(parsing: Array(Vectors.minimal.utf8)).run().passed)
    }

    @Test(arguments: ["[]", "{}", #"{"format":2,"vectors":[]}"#, #"{"format":1,"vectors":{}}"#])
    func `a file of another form is refused`(text: String) {
        #expect(throws: VectorFileError.format) { try VectorFile(parsing: Array(text.utf8)) }
    }

    @Test func `a file that is not JSON is refused with the place`() {
        #expect(throws: VectorFileError.json(.unexpectedByte(at: 0))) { try VectorFile(parsing: Array("x".utf8)) }
    }

    @Test(arguments: [
        ("id", "\"id\":\"v\"", "\"id\":1"), ("provider", "\"stripe\"", "null"), ("now", "1795200000", "\"now\""),
        ("tolerance_s", "300", "-1"), ("method", "\"POST\"", "1"),
        ("headers", "\"headers\":[]", "\"headers\":[[\"a\"]]"),
        ("body_b64", "e30=", "e3"), ("keys", "\"secrets\":[\"whsec_x\"]", "\"secrets\":[1]"),
        ("expect", "reject", "maybe"), ("reason", "\"missing_header\"", "7"),
        ("query", "\"method\"", "\"query\":1,\"method\""),
    ])
    func `a vector with a faulty field names it`(field: String, from: String, to: String) {
        let text = Vectors.minimal.replacingOccurrences(of: from, with: to)
        #expect(throws: VectorFileError.vector(position: 0, field: field)) { try VectorFile(parsing: Array(text.utf8)) }
    }
}
