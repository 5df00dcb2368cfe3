import Crypto
import Foundation
import Kernel
import Testing

/// An authenticator app (RFC 6238): SHA-1, 6 digits, 30 s.
struct SecondFactor: Sendable {
    private let secret: [UInt8]

    /// The app with a secret as it is shown; nil for what is none.
    init?(text: String) {
        guard let secret = try? SecondFactor.decode(text) else { return nil }
        self.secret = secret
    }

    private init(secret: [UInt8]) { self.secret = secret }

    /// Sets up a second factor for a token's user, which lets its session do what needs one.
    @discardableResult
    static func enrol(_ client: WireClient, _ token: String) async throws -> SecondFactor {
        func post(_ path: String, _ body: JSON) async throws -> Answer {
            try await client.send(
                "POST",
                path,
                headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
                body: body.serialized()
            )
        }
        let begun = try await post("/v1/me/two-factor", ["password": .string(Customer.password)])
        try #require(begun.status == 201, "\(begun.readable)")
        let factor = SecondFactor(secret: try decode(begun.text("secret")))
        let code = factor.code(at: SystemClock().now())
        let confirmed = try await post("/v1/me/two-factor/confirm", ["code": .string(code)])
        try #require(confirmed.status == 200, "\(confirmed.readable)")
        return factor
    }

    /// The code of an instant.
    func code(at now: Timestamp) -> String {
        let counter = withUnsafeBytes(of: (now.seconds / 30).bigEndian) { Array($0) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[19] & 15)
        let word = mac[offset..<(offset + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        return String(String(word % 1_000_000 + 1_000_000).dropFirst())
    }

    private static func decode(_ text: String) throws -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        let bits = try text.utf8.flatMap { character in
            let value = try #require(alphabet.firstIndex(of: character))
            return (0..<5).map { UInt8(value >> (4 - $0) & 1) }
        }
        return stride(from: 0, to: bits.count - bits.count % 8, by: 8).map { start in
            bits[start..<(start + 8)].reduce(0) { $0 << 1 | $1 }
        }
    }
}
