public import Kernel

/// The check of one provider's signatures, which looks at nothing but its arguments.
public protocol WebhookVerifier: Sendable {
    /// Whose signatures these are.
    var provider: WebhookProvider { get }

    /// Checks a request against the keys that are valid at `now`, which are of the same provider.
    ///
    /// - Parameters:
    ///   - request: the request as it was received; its body is bounded by whoever reads it.
    ///   - keys: the ring, each key of which is tried.
    ///   - now: the instant of reception.
    ///   - toleranceSeconds: how far the signed time may be from `now` on either side, that bound included.
    /// - Returns: `ok`, or the first reason against it; a signature is looked at before its time.
    func verify(_ request: SignedRequest, keys: KeyRing, now: Timestamp, toleranceSeconds: Int64) -> SignatureVerdict
}

extension WebhookVerifier {
    /// Checks a request with the usual tolerance of 300 s.
    public func verify(_ request: SignedRequest, keys: KeyRing, now: Timestamp) -> SignatureVerdict {
        verify(request, keys: keys, now: now, toleranceSeconds: WebhookLimits.toleranceSeconds)
    }
}

/// The bounds within which signatures are looked at.
public enum WebhookLimits {
    /// The largest signature header in bytes.
    public static let headerBytesMax = 8_192
    /// The most elements of a signature header.
    public static let headerElementsMax = 32
    /// How far the signed time may be from ours, on either side.
    public static let toleranceSeconds: Int64 = 300
    /// The most keys of a ring: the current one, and those on their way in and out.
    public static let keysMax = 8
    /// The deepest JSON that Ramp's signatures are computed over.
    public static let jsonDepthMax = 64
}
