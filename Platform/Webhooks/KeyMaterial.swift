import Cryptography

/// A key in the form in which it is computed with.
enum KeyMaterial: Sendable {
    /// A shared secret.
    case hmac([UInt8])
    /// A sender's public key for `v1a` signatures.
    case ed25519([UInt8])
    /// A sender's public key for ECDSA.
    case secp256k1(Secp256k1PublicKey)

    /// How texts begin that some provider issues as something else than a webhook secret.
    private static let foreignPrefixes = ["sk_", "pk_", "rk_", "whpk_", "whsk_", "-----BEGIN"]
    /// The bytes of a Standard Webhooks secret, by its specification.
    private static let secretBytes = 24...64

    /// A key by its text; nil if it isn't of the kind that the provider's webhooks are signed with.
    init?(_ provider: WebhookProvider, _ text: String) {
        let printable = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        switch provider {
        case .stripe:
            // The whole text is the key, its prefix included.
            guard printable, text.hasPrefix("whsec_"), text.utf8.count > 6 else { return nil }
            self = .hmac(Array(text.utf8))
        case .moonPay, .sumsub:
            guard printable, !text.hasPrefix("whsec_"), !KeyMaterial.isForeign(text) else { return nil }
            self = .hmac(Array(text.utf8))
        case .persona:
            // The whole text is the key, with the prefix of Persona's secrets.
            guard printable, text.hasPrefix("wbhsec_"), text.utf8.count > 7 else { return nil }
            self = .hmac(Array(text.utf8))
        case .ramp:
            guard let key = try? Secp256k1PublicKey(pem: text) else { return nil }
            self = .secp256k1(key)
        case .standardWebhooks:
            if let encoded = KeyMaterial.suffix(of: text, after: "whpk_") {
                guard let key = Base64.decode(encoded), Ed25519.isUsable(publicKey: key) else { return nil }
                self = .ed25519(key)
            } else {
                // Its libraries take the secret without the prefix too.
                let encoded = KeyMaterial.suffix(of: text, after: "whsec_") ?? text
                guard let key = Base64.decode(encoded), KeyMaterial.secretBytes.contains(key.count) else { return nil }
                self = .hmac(key)
            }
        }
    }

    private static func isForeign(_ text: String) -> Bool { foreignPrefixes.contains { text.hasPrefix($0) } }

    private static func suffix(of text: String, after prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }
}

extension [KeyMaterial] {
    /// Whether one of `signatures` is the code of one of the secrets over the parts; each code is computed once.
    ///
    /// All of them are compared, in constant time each.
    func authenticate(_ signatures: [[UInt8]], over head: [UInt8], _ body: [UInt8]) -> Bool {
        var found = false
        for case .hmac(let secret) in self {
            let code = HMACSHA256.code(over: head, body, key: secret)
            for signature in signatures where ConstantTime.equal(signature, code) { found = true }
        }
        return found
    }
}
