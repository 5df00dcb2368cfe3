import Cryptography
public import Kernel

/// `Persona-Signature: t=T,v1=S`: lower hex HMAC-SHA256 over `T.body`; during a rotation two such, split by a space.
///
/// Source: https://docs.withpersona.com/webhooks-best-practices. Each pair has a time of its own.
public struct PersonaSignature: WebhookVerifier {
    /// Persona.
    public var provider: WebhookProvider { .persona }

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
            let header = try request.signatureHeader("persona-signature")
            var candidates = 0
            for part in try SignatureElements.split(header, at: " ") {
                let pairs = try SignatureElements.split(String(part), at: ",").map { SignatureElements.pair($0) }
                let times = pairs.filter { $0.name == "t" }.compactMap(\.value)
                guard times.count == 1 else { throw Refusal(.malformedHeader) }
                let time = try SignedTime(times[0])
                let texts = pairs.filter { $0.name == "v1" }.compactMap(\.value)
                candidates += texts.count
                let signatures = texts.compactMap { Hex.decode(String($0)) }
                if keys.authenticate(signatures, over: Array((time.text + ".").utf8), request.body) {
                    return time.verdict(at: now, toleranceSeconds: toleranceSeconds)
                }
            }
            throw Refusal(candidates > 0 ? .signatureMismatch : .noV1Signature)
        } catch {
            return error.verdict
        }
    }
}
