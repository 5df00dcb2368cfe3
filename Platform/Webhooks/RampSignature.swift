import Cryptography
public import Kernel

/// `X-Body-Signature: base64(DER)`: ECDSA-SHA256 on secp256k1 over the body as ECMAScript prints it with sorted names.
///
/// Source: https://docs.ramp.network/webhooks. No time is signed, so a replay is as good as the first: the inbox,
/// unique by event, is what stops it. The sender's library makes high-s signatures as well as low ones.
public struct RampSignature: WebhookVerifier {
    /// Ramp Network.
    public var provider: WebhookProvider { .ramp }

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
            let header = try request.signatureHeader("x-body-signature")
            guard let signature = Base64.decode(header) else { throw Refusal(.malformedSignature) }
            let body = try parsed(request.body)
            let message = body.canonicalECMAScript()
            for case .secp256k1(let key) in keys {
                let outcome = Secp256k1ECDSA.verify(
                    derSignature: signature,
                    message: message,
                    publicKey: key,
                    allowHighS: true
                )
                switch outcome {
                case .valid:
                    guard case .object = body else { throw Refusal(.invalidPayload) }
                    return .ok
                case .malformed: throw Refusal(.malformedSignature)
                case .invalid, .highS: continue
                }
            }
            throw Refusal(.signatureMismatch)
        } catch {
            return error.verdict
        }
    }

    private func parsed(_ body: [UInt8]) throws(Refusal) -> JSON {
        let limits = JSON.Limits(bytesMax: max(body.count, 1), depthMax: WebhookLimits.jsonDepthMax)
        do throws(JSONError) {
            return try JSON.parse(body, limits: limits)
        } catch {
            if case .duplicateName = error { throw Refusal(.duplicateKeys) }
            throw Refusal(.invalidPayload)
        }
    }
}
