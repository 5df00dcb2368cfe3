import Crypto
import Foundation
import Testing

@testable import Cryptography

@Suite struct BreachedPasswordTests {
    private static let threads = WorkerThreads(threads: 1, queuedMax: 10)

    /// Runs `body` with a file of some text.
    private func file(_ text: String, _ body: (String) async throws -> Void) async throws {
        let path = NSTemporaryDirectory() + "breached-\(UInt64.random(in: .min ... .max))"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private func hash(_ password: String) -> String {
        Hex.encode(Array(Insecure.SHA1.hash(data: Array(password.utf8)))).uppercased()
    }

    @Test(arguments: ["\n", "\r\n"], [0, 1, 2, 3, 50, 1_000])
    func `what is in the file is found, and nothing else`(lineBreak: String, count: Int) async throws {
        let known = (0..<count).map { "known password \($0)" }
        let lines = known.enumerated().map { place, password in
            hash(password) + ":" + String(repeating: "7", count: place % 9 + 1) + lineBreak
        }
        try await file(lines.sorted().joined()) { path in
            let breached = try BreachedPasswords(path: path)
            for password in known { #expect(try breached.contains(password)) }
            for number in 0..<100 { #expect(try !breached.contains("unknown password \(number)")) }
        }
    }

    @Test func `the last line needs no end, and hashes alone are enough`() async throws {
        let lines = ["first", "second", "third"].map(hash).sorted().map { $0.lowercased() }
        try await file(lines.joined(separator: "\n")) { path in
            let breached = try BreachedPasswords(path: path)
            for password in ["first", "second", "third"] { #expect(try breached.contains(password)) }
        }
    }

    @Test func `a known password is refused, an unknown one taken`() async throws {
        let known = "plinth-quorum-vexing-41"
        try await file(hash(known) + ":3\n") { path in
            let hasher = PasswordHasher(
                cost: 4,
                threads: BreachedPasswordTests.threads,
                breached: try BreachedPasswords(path: path)
            )
            try await hasher.checkStrength(try Password("plinth-quorum-vexing-42"))
            await #expect(throws: PasswordError.weak(reason: "it is known from a breach")) {
                try await hasher.checkStrength(try Password(known))
            }
        }
    }

    @Test func `a file that is no list is a failure, not a clean bill`() async throws {
        for text in ["no list at all\n", String(repeating: "a", count: 500), "0123:1\n"] {
            try await file(text) { path in
                let breached = try BreachedPasswords(path: path)
                #expect(throws: BreachedPasswords.Failure.self) { try breached.contains("anything") }
                let hasher = PasswordHasher(cost: 4, threads: BreachedPasswordTests.threads, breached: breached)
                await #expect(throws: PasswordError.dictionaryUnavailable) {
                    try await hasher.checkStrength(try Password("plinth-quorum-vexing-42"))
                }
            }
        }
        #expect(throws: BreachedPasswords.Failure.system(path: "/nonexistent/list", code: ENOENT)) {
            try BreachedPasswords(path: "/nonexistent/list")
        }
    }
}
