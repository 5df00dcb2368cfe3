public import Kernel

/// What became of checking a webhook's signature; the raw values are part of the API's contract.
public enum SignatureVerdict: String, Hashable, Sendable, CaseIterable {
    /// Signed by a key of the ring, in time.
    case ok
    /// A header that the provider signs with isn't there.
    case missingHeader = "missing_header"
    /// A signature header that isn't in the provider's form, or a timestamp that isn't plain digits.
    case malformedHeader = "malformed_header"
    /// A signature that isn't in the provider's encoding, where the encoding itself is checked.
    case malformedSignature = "malformed_signature"
    /// Only signatures of schemes that aren't accepted.
    case noV1Signature = "no_v1_signature"
    /// No signature is that of a key of the ring over these bytes.
    case signatureMismatch = "signature_mismatch"
    /// Signed longer ago than the tolerance.
    case timestampTooOld = "timestamp_too_old"
    /// Signed further in the future than the tolerance.
    case timestampTooNew = "timestamp_too_new"
    /// A signature header of more than 8 KiB or 32 elements.
    case headerTooLarge = "header_too_large"
    /// The same signature header twice.
    case duplicateHeader = "duplicate_header"
    /// A signed JSON object has a name twice, which parsers read differently.
    case duplicateKeys = "duplicate_keys"
    /// A body that isn't the provider's JSON, where the signature is over its JSON.
    case invalidPayload = "invalid_payload"
    /// A key that is empty or of the wrong kind, or no key that is valid at the time.
    case misconfiguredKey = "misconfigured_key"

    /// The status of the answer: 400 malformed, 401 not signed by the provider or not now, 503 our own fault, 200 fine.
    public var httpStatus: Int {
        switch self {
        case .ok: 200
        case .missingHeader, .malformedHeader, .malformedSignature, .noV1Signature, .headerTooLarge, .duplicateHeader,
            .duplicateKeys, .invalidPayload:
            400
        case .signatureMismatch, .timestampTooOld, .timestampTooNew: 401
        case .misconfiguredKey: 503
        }
    }

    /// What the sender is told; nil for `ok`.
    public var problem: Problem? {
        guard self != .ok else { return nil }
        return Problem(httpStatus, rawValue, detail, retryAfterSeconds: self == .misconfiguredKey ? 60 : nil)
    }

    private var detail: String {
        switch self {
        case .ok: ""
        case .missingHeader: "A signature header is missing; send every header that the provider signs with."
        case .malformedHeader: "The signature header is not in the provider's form."
        case .malformedSignature: "The signature is not in the provider's encoding."
        case .noV1Signature: "There is no signature of an accepted scheme; sign with v1."
        case .signatureMismatch: "The signature does not fit the body as it was received; check the key."
        case .timestampTooOld: "The signature is older than is accepted; check the clock and send it again."
        case .timestampTooNew: "The signature is from the future; check the clock and send it again."
        case .headerTooLarge: "The signature header is larger than 8 KiB or has more than 32 elements."
        case .duplicateHeader: "The signature header was given more than once."
        case .duplicateKeys: "A JSON object of the body has a name twice."
        case .invalidPayload: "The body is not JSON of the provider's form."
        case .misconfiguredKey: "The signature can not be checked at the moment; send it again later."
        }
    }
}
