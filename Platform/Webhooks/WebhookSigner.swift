import Cryptography
public import Kernel

/// Signs requests as providers do: for our own webhooks and for whoever plays a provider.
public enum WebhookSigner {
    /// The header of Stripe; `secret` is its whole text.
    public static func stripe(body: [UInt8], secret: String, at instant: Timestamp) -> (name: String, value: String) {
        ("Stripe-Signature", "t=\(instant.seconds),v1=\(code(instant, body, secret))")
    }

    /// The header of MoonPay for a POST.
    public static func moonPay(body: [UInt8], secret: String, at instant: Timestamp) -> (name: String, value: String) {
        ("Moonpay-Signature-V2", "t=\(instant.seconds),s=\(code(instant, body, secret))")
    }

    /// The header of MoonPay for a GET; `query` has its leading `?`.
    public static func moonPay(query: String, secret: String, at instant: Timestamp) -> (name: String, value: String) {
        moonPay(body: Array(query.utf8), secret: secret, at: instant)
    }

    /// The three headers of Standard Webhooks, with a signature by each secret (`whsec_…`), several during a rotation.
    ///
    /// The caller guarantees an id without a point.
    ///
    /// - Throws: `KeyRingError` for what `KeyRing` refuses as a secret, a public key among them.
    public static func standardWebhooks(
        id: String,
        body: [UInt8],
        secrets: [String],
        at instant: Timestamp
    ) throws(KeyRingError) -> [(name: String, value: String)] {
        precondition(!id.isEmpty && !id.utf8.contains(UInt8(ascii: ".")), "a webhook id that is empty or has a point")
        guard !secrets.isEmpty else { throw .noKeys }
        var signatures: [String] = []
        for (position, secret) in secrets.enumerated() {
            guard !secret.isEmpty else { throw .emptyKey(position: position) }
            guard case .hmac(let key)? = KeyMaterial(.standardWebhooks, secret) else {
                throw .wrongKind(position: position)
            }
            let code = HMACSHA256.code(over: Array("\(id).\(instant.seconds).".utf8), body, key: key)
            signatures.append("v1," + Base64.encode(code))
        }
        return [
            ("webhook-id", id), ("webhook-timestamp", String(instant.seconds)),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }

    /// The header of Persona; during a rotation with a signature by each secret.
    public static func persona(
        body: [UInt8],
        secrets: [String],
        at instant: Timestamp
    ) -> (name: String, value: String) {
        let pairs = secrets.map { "t=\(instant.seconds),v1=\(code(instant, body, $0))" }
        return ("Persona-Signature", pairs.joined(separator: " "))
    }

    /// The two headers of Sumsub, by SHA-256.
    public static func sumsub(body: [UInt8], secret: String) -> [(name: String, value: String)] {
        [
            ("X-Payload-Digest", Hex.encode(HMACSHA256.code(over: body, key: Array(secret.utf8)))),
            ("X-Payload-Digest-Alg", "HMAC_SHA256_HEX"),
        ]
    }

    private static func code(_ instant: Timestamp, _ body: [UInt8], _ secret: String) -> String {
        Hex.encode(HMACSHA256.code(over: Array("\(instant.seconds).".utf8), body, key: Array(secret.utf8)))
    }
}
