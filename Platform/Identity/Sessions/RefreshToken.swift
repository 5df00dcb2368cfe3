import Cryptography
import Kernel
import PostgreSQL

/// A secret that is good for one new pair of tokens: 256 random bits, base64url, `rft_` in front.
struct RefreshToken: Sendable {
    private static let prefix = "rft_"
    /// Characters of a token: the prefix, and 32 bytes in base64url.
    static let length = prefix.utf8.count + 43

    let text: String

    /// A new one.
    init() { text = RefreshToken.prefix + Base64.encodeURLSafe(RandomBytes.make(32)) }

    /// One that a client sent; nil for what can't be one.
    init?(_ text: String) {
        guard text.utf8.count == RefreshToken.length, text.hasPrefix(RefreshToken.prefix) else { return nil }
        self.text = text
    }

    /// What is kept of it: a random secret needs no salt and no slow hash.
    var digest: Bytes { Bytes(SHA256Digest.of(Array(text.utf8))) }
}
