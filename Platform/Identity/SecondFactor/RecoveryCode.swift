import Cryptography
import PostgreSQL

/// A code on paper that stands in for the second factor once: 80 random bits, as `abcd-efgh-ijkl-mnop`.
struct RecoveryCode: Sendable {
    /// Codes that a user gets at once.
    static let count = 10
    /// Characters of a code with its hyphens.
    static let length = 19
    // RFC 4648 §6 in lower case: no 0, 1 and 8 to be mistaken for letters.
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    let text: String

    /// A new one.
    init() {
        var characters: [UInt8] = []
        for (index, byte) in RandomBytes.make(16).enumerated() {
            if index > 0, index % 4 == 0 { characters.append(UInt8(ascii: "-")) }
            characters.append(RecoveryCode.alphabet[Int(byte & 31)])
        }
        text = String(decoding: characters, as: UTF8.self)
    }

    /// One that a client sent; nil for what can't be one.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == RecoveryCode.length else { return nil }
        let isCode = bytes.enumerated().allSatisfy { index, byte in
            index % 5 == 4 ? byte == UInt8(ascii: "-") : RecoveryCode.alphabet.contains(byte)
        }
        guard isCode else { return nil }
        self.text = text
    }

    /// What is kept of it: a random secret needs no salt and no slow hash.
    var digest: Bytes { Bytes(SHA256Digest.of(Array(text.utf8))) }
}
