import Cryptography
public import Kernel

/// `webhook-signature: v1,B64 v1a,B64 …` over `id.T.body`: HMAC-SHA256 with the decoded secret, or Ed25519 for `v1a`.
///
/// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
/// Nothing separates id and time from the body but points, so senders must not put one into an id.
public struct StandardWebhooksSignature: WebhookVerifier {
    private enum Scheme { case symmetric, asymmetric }

    /// Any sender that follows the specification.
    public var provider: WebhookProvider { .standardWebhooks }

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
            let id = try required(request, "webhook-id")
            let timestamp = try required(request, "webhook-timestamp")
            let header = try required(request, "webhook-signature")
            let time = try SignedTime(timestamp)
            let publicKeys = keys.compactMap { if case .ed25519(let key) = $0 { key } else { nil } }
            let elements = try SignatureElements.split(header, at: " ").compactMap { element in
                StandardWebhooksSignature.read(element, asymmetricToo: !publicKeys.isEmpty)
            }
            guard !elements.isEmpty else { throw Refusal(.noV1Signature) }
            let head = Array("\(id).\(time.text).".utf8)
            let codes = elements.filter { $0.scheme == .symmetric }.compactMap(\.signature)
            let signatures = elements.filter { $0.scheme == .asymmetric }.compactMap(\.signature)
            let genuine =
                keys.authenticate(codes, over: head, request.body)
                || StandardWebhooksSignature.isSigned(by: publicKeys, signatures, over: head, request.body)
            guard genuine else { throw Refusal(.signatureMismatch) }
            return time.verdict(at: now, toleranceSeconds: toleranceSeconds)
        } catch {
            return error.verdict
        }
    }

    // A header without a value is as good as none.
    private func required(_ request: SignedRequest, _ name: String) throws(Refusal) -> String {
        let value = try request.signatureHeader(name)
        guard !value.isEmpty else { throw Refusal(.missingHeader) }
        return value
    }

    // Other versions are passed over, as the specification asks. A signature that isn't base 64 is no one's.
    private static func read(
        _ element: Substring,
        asymmetricToo: Bool
    ) -> (scheme: Scheme, signature: [UInt8]?)? {
        let (version, value) = SignatureElements.pair(element, at: ",")
        guard let value else { return nil }
        switch version {
        case "v1": return (.symmetric, Base64.decode(String(value)))
        case "v1a" where asymmetricToo: return (.asymmetric, Base64.decode(String(value)))
        default: return nil
        }
    }

    private static func isSigned(
        by keys: [[UInt8]],
        _ signatures: [[UInt8]],
        over head: [UInt8],
        _ body: [UInt8]
    ) -> Bool {
        guard !signatures.isEmpty else { return false }
        let message = head + body
        return keys.contains { key in
            signatures.contains { Ed25519.verify(signature: $0, message: message, publicKey: key) }
        }
    }
}
