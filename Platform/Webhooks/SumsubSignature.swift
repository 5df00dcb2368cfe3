import Cryptography
public import Kernel

/// `X-Payload-Digest: S` with `X-Payload-Digest-Alg: HMAC_SHA256_HEX` or `HMAC_SHA512_HEX`: lower hex over the body.
///
/// Source: https://docs.sumsub.com/docs/webhook-manager. SHA-1, which it offers too, isn't accepted. No time is signed,
/// so a replay is as good as the first: the inbox, unique by event, is what stops it.
public struct SumsubSignature: WebhookVerifier {
    /// Sumsub.
    public var provider: WebhookProvider { .sumsub }

    /// The check; it has no state.
    public init() {}

    /// Checks a request; see the protocol.
    ///
    /// The time is used for the keys' periods only.
    public func verify(
        _ request: SignedRequest,
        keys: KeyRing,
        now: Timestamp,
        toleranceSeconds: Int64
    ) -> SignatureVerdict {
        do throws(Refusal) {
            let keys = try keys.valid(at: now, for: provider)
            let digest = try request.signatureHeader("x-payload-digest")
            let algorithm = try request.signatureHeader("x-payload-digest-alg")
            guard ["HMAC_SHA256_HEX", "HMAC_SHA512_HEX"].contains(algorithm) else { throw Refusal(.noV1Signature) }
            guard let signature = Hex.decode(digest) else { throw Refusal(.malformedSignature) }
            var isFound = false
            for case .hmac(let secret) in keys {
                let code =
                    algorithm == "HMAC_SHA512_HEX"
                    ? HMACSHA512.code(over: request.body, key: secret)
                    : HMACSHA256.code(over: request.body, key: secret)
                if ConstantTime.equal(signature, code) { isFound = true }
            }
            guard isFound else { throw Refusal(.signatureMismatch) }
            return .ok
        } catch {
            return error.verdict
        }
    }
}
