import Cryptography
public import Kernel

/// `Moonpay-Signature-V2: t=T,s=S`: lower hex HMAC-SHA256 over `T.body`, for GET over `T.` and the query with its `?`.
///
/// Source: https://dev.moonpay.com/reference/reference-webhooks-signature. It states no tolerance; ours is the usual.
/// The older header `Moonpay-Signature` has no time and isn't accepted.
public struct MoonPaySignature: WebhookVerifier {
    /// MoonPay.
    public var provider: WebhookProvider { .moonPay }

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
            let header = try request.signatureHeader("moonpay-signature-v2")
            let pairs = try SignatureElements.split(header, at: ",").map { SignatureElements.pair($0) }
            let times = pairs.filter { $0.name == "t" }.compactMap(\.value)
            let texts = pairs.filter { $0.name == "s" }.compactMap(\.value)
            guard times.count == 1, texts.count == 1 else { throw Refusal(.malformedHeader) }
            let time = try SignedTime(times[0])
            let signatures = Hex.decode(String(texts[0])).map { [$0] } ?? []
            let signed = request.method == "GET" ? Array(request.query.utf8) : request.body
            let head = Array((time.text + ".").utf8)
            guard keys.authenticate(signatures, over: head, signed) else { throw Refusal(.signatureMismatch) }
            return time.verdict(at: now, toleranceSeconds: toleranceSeconds)
        } catch {
            return error.verdict
        }
    }
}
