import Cryptography
public import Kernel

/// `Stripe-Signature: t=T,v1=S[,v1=S2][,v0=…]`: lower hex HMAC-SHA256 over `T.body`; the key is the secret's text.
///
/// Source: https://docs.stripe.com/webhooks/signature. Elements of other schemes are passed over, as it asks.
public struct StripeSignature: WebhookVerifier {
    /// Stripe.
    public var provider: WebhookProvider { .stripe }

    /// The check; it has no state.
    public init() {}

    /// Checks a request; see the protocol.
    public func verify(
        _ request: SignedRequest,
        keys: KeyRing,
        now: Timestamp,
        toleranceSeconds: Int64
    ) -> SignatureVerdict {
        do throws(Refusal) {
            let keys = try keys.valid(at: now, for: provider)
            let header = try request.signatureHeader("stripe-signature")
            var times: [Substring] = []
            var signatures: [[UInt8]] = []
            var candidates = 0
            for element in try SignatureElements.split(header, at: ",") {
                let (name, value) = SignatureElements.pair(element)
                guard let value else { continue }
                if name == "t" { times.append(value) }
                guard name == "v1" else { continue }
                candidates += 1
                // Text that isn't lower hex is no one's signature.
                if let bytes = Hex.decode(String(value)) { signatures.append(bytes) }
            }
            guard times.count == 1 else { throw Refusal(.malformedHeader) }
            let time = try SignedTime(times[0])
            guard candidates > 0 else { throw Refusal(.noV1Signature) }
            let head = Array((time.text + ".").utf8)
            guard keys.authenticate(signatures, over: head, request.body) else { throw Refusal(.signatureMismatch) }
            return time.verdict(at: now, toleranceSeconds: toleranceSeconds)
        } catch {
            return error.verdict
        }
    }
}
