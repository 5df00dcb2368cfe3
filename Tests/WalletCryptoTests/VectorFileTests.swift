import Foundation
import Kernel
import Testing
import WalletCrypto

@Suite struct VectorFileTests {
    @Test(arguments: [
        ("bitcoin", 200), ("common", 52), ("ethereum", 243), ("solana", 97), ("solana-payments", 77), ("sui", 102),
        ("sui-payments", 62),
    ])
    func `every vector comes out as expected`(name: String, count: Int) throws {
        let report = try VectorFile(parsing: Vectors.bytes(name)).run()
        #expect(report.mismatches.isEmpty, "\(report.lines)")
        #expect(report.tallies.values.reduce(0) { $0 + $1.passed } == count)
        #expect(report.passed)
    }

    private static let minimal = """
        [{"id":"a","kind":"base58","input":{"data":"d3"},"expected":{"encoded":"4e"}},\
        {"id":"b","kind":"caip2","input":{"id":"eip155:1"},"expected":{"valid":true}}]
        """

    @Test func `a run counts by kind and ends with 0`() {
        let outcome = VectorOutcome(running: Array(Self.minimal.utf8))
        #expect(
            outcome.lines == ["base58: 1 passed, 0 failed", "caip2: 1 passed, 0 failed", "total: 2 passed, 0 failed"]
        )
        #expect(outcome.exitCode == VectorOutcome.passed)
    }

    @Test func `a vector that comes out otherwise is named with both results and ends with 1`() {
        let changed = Self.minimal.replacingOccurrences(of: "4e", with: "4f").replacingOccurrences(
            of: "true",
            with: "false"
        )
        let outcome = VectorOutcome(running: Array(changed.utf8))
        #expect(
            outcome.lines == [
                "base58: 0 passed, 1 failed", "caip2: 0 passed, 1 failed", #"a: encoded: expected "4f", got "4e""#,
                "b: valid: expected false, got true", "total: 0 passed, 2 failed",
            ]
        )
        #expect(outcome.exitCode == VectorOutcome.failed)
    }

    @Test func `a field that nothing comes out for is a mismatch`() {
        let changed = Self.minimal.replacingOccurrences(of: "encoded", with: "spelled")
        #expect(VectorOutcome(running: Array(changed.utf8)).exitCode == VectorOutcome.failed)
    }

    @Test func `an unknown kind makes the file unusable`() {
        let changed = Self.minimal.replacingOccurrences(of: "caip2", with: "caip3")
        #expect(throws: VectorFileError.unknownKind(position: 1, kind: "caip3")) {
            try VectorFile(parsing: Array(changed.utf8))
        }
        #expect(VectorOutcome(running: Array(changed.utf8)).exitCode == VectorOutcome.unusable)
    }

    @Test func `an input that can't be read makes the file unusable`() throws {
        let changed = Self.minimal.replacingOccurrences(of: "\"d3\"", with: "\"xx\"")
        let file = try VectorFile(parsing: Array(changed.utf8))
        #expect(throws: VectorFileError.vector(position: 0, field: "data")) { try file.run() }
        #expect(VectorOutcome(running: Array(changed.utf8)).lines == ["Vector 0 lacks a usable data."])
    }

    @Test(arguments: ["id", "kind", "input", "expected"])
    func `a vector without one of its fields is refused`(field: String) {
        let changed = Self.minimal.replacingOccurrences(of: "\"\(field)\":", with: "\"x\":")
        #expect(throws: VectorFileError.vector(position: 0, field: field)) {
            try VectorFile(parsing: Array(changed.utf8))
        }
    }

    @Test func `a file of another form is refused`() {
        #expect(throws: VectorFileError.format) { try VectorFile(parsing: Array("{}".utf8)) }
        #expect(throws: VectorFileError.json(.unexpectedEnd(at: 1))) { try VectorFile(parsing: Array("[".utf8)) }
        let many = "[" + String(repeating: "0,", count: VectorFile.vectorsMax) + "0]"
        #expect(throws: VectorFileError.tooManyVectors) { try VectorFile(parsing: Array(many.utf8)) }
    }

    @Test func `an empty file has passed and says that it is empty`() {
        let outcome = VectorOutcome(running: Array("[]".utf8))
        #expect(outcome == VectorOutcome(running: Array("[ ]".utf8)))
        #expect(outcome.lines == ["no vectors in the file"])
        #expect(outcome.exitCode == VectorOutcome.passed)
    }

    @Test func `a form that need not be supported may be valid, one that must be may not be unsupported`() throws {
        let full = try #require(
            try Vectors.all("btc_message_verify").first { $0["expected"]?["required"] == false }
        )
        let text = String(decoding: full.serialized(), as: UTF8.self)
        #expect(VectorOutcome(running: Array("[\(text)]".utf8)).exitCode == VectorOutcome.passed)
        let required = text.replacingOccurrences(of: "\"required\":false", with: "\"required\":true")
        #expect(required != text)
        #expect(VectorOutcome(running: Array("[\(required)]".utf8)).exitCode == VectorOutcome.failed)
    }
}
