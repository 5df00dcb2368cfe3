import Foundation
import Testing

@testable import Banking

@Suite struct VerifyVectorsTests {
    private func file(_ provider: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: tests.appendingPathComponent("WebhooksTests/Vectors/\(provider).json")))
    }

    @Test(arguments: ["stripe", "moonpay", "ramp", "standardwebhooks"])
    func `every vector passes`(_ provider: String) throws {
        let outcome = VerifyVectors.run(try file(provider))
        #expect(outcome.exitCode == 0)
        #expect(outcome.lines.first?.hasPrefix("\(provider): ") == true)
        #expect(outcome.lines.last?.hasSuffix(" passed, 0 failed") == true)
    }

    @Test func `a vector with another verdict is named, and the exit code says so`() throws {
        let text = String(decoding: try file("stripe"), as: UTF8.self)
        let wrong = text.replacing(#""reason": "ok""#, with: #""reason": "signature_mismatch""#, maxReplacements: 1)
        let outcome = VerifyVectors.run(Array(wrong.utf8))
        #expect(outcome.exitCode == 1)
        #expect(outcome.lines.contains { $0.hasSuffix(": expected signature_mismatch, got ok") })
        #expect(outcome.lines.last?.hasSuffix(", 1 failed") == true)
    }

    @Test(arguments: ["", "[]", #"{"format":2,"vectors":[]}"#, #"{"format":1,"vectors":[{"id":1}]}"#])
    func `what is no file of vectors is unusable`(_ text: String) {
        let outcome = VerifyVectors.run(Array(text.utf8))
        #expect(outcome.exitCode == 2)
        #expect(outcome.lines.count == 1 && outcome.lines[0].hasPrefix("not a file of vectors: "))
    }

    @Test func `a file without vectors is no proof`() {
        let outcome = VerifyVectors.run(Array(#"{"format":1,"vectors":[]}"#.utf8))
        #expect(outcome == VerifyVectors.Outcome(lines: ["no vectors in the file"], exitCode: 1))
    }
}
