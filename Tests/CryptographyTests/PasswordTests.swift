import Cryptography
import Testing

@Suite struct PasswordTests {
    private static let threads = WorkerThreads(threads: 2, queuedMax: 64)
    private let hasher = PasswordHasher(cost: 4, threads: threads)

    @Test(arguments: [
        ("", PasswordError.tooShort), ("123456789", .tooShort), ("éééééé", .tooShort), ("0123456789\0", .containsNUL),
        (String(repeating: "a", count: 73), .tooLong), (String(repeating: "é", count: 37), .tooLong),
    ])
    func `a password that bcrypt can't take in whole or that is short is refused`(text: String, error: PasswordError) {
        #expect(throws: error) { try Password(text) }
    }

    @Test(arguments: ["0123456789", String(repeating: "a", count: 72), String(repeating: "é", count: 36), "パスワードは長いほど"])
    func `a password within the bounds is hashed and verified`(text: String) async throws {
        let hash = try await hasher.hash(Password(text))
        #expect(hash.hasPrefix("$2a$04$") && hash.utf8.count == 60)
        #expect(try await hasher.verify(text, against: hash))
        #expect(try await !hasher.verify(text + "x", against: hash))
        #expect(try await !hasher.verify(String(text.dropLast()), against: hash))
    }

    @Test func `what bcrypt would cut off does not count as the password`() async throws {
        let full = String(repeating: "a", count: 72)
        let hash = try await hasher.hash(Password(full))
        #expect(try await !hasher.verify(full + "b", against: hash))
        let short = try await hasher.hash(Password("0123456789"))
        #expect(try await !hasher.verify("0123456789\0x", against: short))
    }

    @Test func `the same password has another hash each time`() async throws {
        let password = try Password("0123456789")
        #expect(try await hasher.hash(password) != hasher.hash(password))
    }

    // From crypt_blowfish's own tests.
    @Test func `hashes made elsewhere are verified`() async throws {
        let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
        #expect(try await hasher.verify("U*U", against: hash))
        #expect(try await hasher.verify("U*U", against: hash.replacing("$2a$", with: "$2b$")))
        #expect(try await !hasher.verify("U*V", against: hash))
    }

    @Test(arguments: [
        "", "x", "$2a$05$short", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$2a$05$CCCCCCCCCCCCCCCCCCCC!.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$1$abcdefgh$0123456789012345678901",
    ])
    func `a stored text that is no hash, or one that would burn for minutes, is malformed`(hash: String) async {
        await #expect(throws: PasswordError.malformedHash) { try await hasher.verify("0123456789", against: hash) }
    }

    @Test func `a hash of another cost wants to be made anew`() async throws {
        let hash = try await hasher.hash(Password("0123456789"))
        #expect(!hasher.needsRehash(hash))
        #expect(PasswordHasher(cost: 5, threads: PasswordTests.threads).needsRehash(hash))
        #expect(hasher.needsRehash("plain"))
    }

    @Test func `an unknown user costs the work of a verification`() async throws {
        try await hasher.verifyNothing()
    }

    @Test(arguments: ["password123", "aaaaaaaaaaaa", "1234567890", "qwertyuiop", "drowssap11"])
    func `a weak password is refused with a reason`(text: String) async throws {
        let password = try Password(text)
        let error = await #expect(throws: PasswordError.self) { try await hasher.checkStrength(password) }
        guard case .weak(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test func `strong passwords pass, many at once`() async throws {
        let hasher = hasher
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<16 {
                group.addTask { try await hasher.checkStrength(Password("tR7#qv\(index)-mossy-Lantern")) }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a missing word list is an error, not the end of the process`() async throws {
        let hasher = PasswordHasher(cost: 4, threads: PasswordTests.threads, dictionaryPath: "/nonexistent/words")
        let password = try Password("tR7#qv-mossy-Lantern")
        await #expect(throws: PasswordError.dictionaryUnavailable) { try await hasher.checkStrength(password) }
    }

    @Test func `a password never shows itself`() throws {
        let password = try Password("tR7#qv-mossy-Lantern")
        var dumped = ""
        dump(password, to: &dumped)
        for text in ["\(password)", String(reflecting: password), dumped] { #expect(!text.contains("mossy")) }
    }
}
