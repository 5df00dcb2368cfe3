import Cryptography

/// A UUID as PostgreSQL writes it.
enum UUIDText {
    /// The beginning of a text's SHA-256 in hexadecimal: the same for the same text, and says nothing of it.
    static func digest(of text: String) -> String { String(Hex.encode(SHA256Digest.of(Array(text.utf8))).prefix(16)) }

    /// Lower case, with hyphens (RFC 9562 §4).
    static func of(_ value: UInt128) -> String {
        let digits = Array(String(value, radix: 16))
        let padded = Array(repeating: Character("0"), count: 32 - digits.count) + digits
        let ends = [8, 12, 16, 20, 32]
        return zip([0] + ends, ends).map { String(padded[$0..<$1]) }.joined(separator: "-")
    }
}
