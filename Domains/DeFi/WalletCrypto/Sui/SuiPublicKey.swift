import Cryptography

/// A signature scheme of Sui that one key uses.
public enum SuiScheme: UInt8, Hashable, Sendable, CaseIterable {
    /// The default.
    case ed25519 = 0
    /// Bitcoin's and Ethereum's curve.
    case secp256k1 = 1
    /// P-256.
    case secp256r1 = 2

    /// `ed25519`, `secp256k1` or `secp256r1`.
    public var name: String {
        switch self {
        case .ed25519: "ed25519"
        case .secp256k1: "secp256k1"
        case .secp256r1: "secp256r1"
        }
    }

    var keyCount: Int { self == .ed25519 ? 32 : 33 }
}

/// A public key of Sui with its scheme.
public struct SuiPublicKey: Hashable, Sendable {
    /// Which scheme.
    public let scheme: SuiScheme
    /// 32 bytes for ed25519, 33 compressed ones for the others.
    public let bytes: [UInt8]

    /// A key of a scheme; nil when the bytes are none: wrong length, off the curve, of small order, not canonical.
    public init?(_ scheme: SuiScheme, _ bytes: [UInt8]) {
        guard bytes.count == scheme.keyCount else { return nil }
        let isKey =
            switch scheme {
            case .ed25519: Ed25519.isUsable(publicKey: bytes) && Ed25519.isOnCurve(bytes)
            case .secp256k1: (try? Secp256k1PublicKey(sec1: bytes)) != nil
            case .secp256r1: P256ECDSA.isKey(bytes)
            }
        guard isKey else { return nil }
        (self.scheme, self.bytes) = (scheme, bytes)
    }

    /// The scheme's flag and the key, as Sui writes public keys.
    public var flagged: [UInt8] { [scheme.rawValue] + bytes }

    /// The address: BLAKE2b over flag and key.
    public var address: SuiAddress { SuiAddress(hashing: flagged) }

    func verify(_ signature: [UInt8], digest: [UInt8]) -> ProofVerdict {
        switch scheme {
        case .ed25519:
            return Ed25519.verify(signature: signature, message: digest, publicKey: bytes)
                ? .valid : .invalid(.mismatch)
        case .secp256k1:
            guard let key = try? Secp256k1PublicKey(sec1: bytes) else { return .invalid(.weakKey) }
            switch Secp256k1ECDSA.verify(compact: signature, digest: SHA256Digest.of(digest), publicKey: key) {
            case .valid: return .valid
            case .invalid: return .invalid(.mismatch)
            case .highS: return .invalid(.highS)
            case .malformed: return .invalid(.malformedSignature)
            }
        case .secp256r1:
            switch P256ECDSA.verify(signature: signature, message: digest, publicKey: bytes) {
            case .valid: return .valid
            case .invalid: return .invalid(.mismatch)
            case .highS: return .invalid(.highS)
            case .malformed: return .invalid(.malformedSignature)
            }
        }
    }
}

/// An address of Sui.
public struct SuiAddress: Hashable, Sendable, CustomStringConvertible {
    /// Its 32 bytes.
    public let bytes: [UInt8]

    /// Reads `0x` and exactly 64 digits; short forms are refused, for one address has one spelling here.
    public init?(_ text: String) {
        guard text.utf8.count == 66, let bytes = HexText.decode(text) else { return nil }
        self.bytes = bytes
    }

    /// An address of 32 bytes; nil for another number of them.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    init(hashing material: [UInt8]) { bytes = BLAKE2b256.of(material) }

    /// `0x` and 64 digits in lower case.
    public var description: String { HexText.encode(bytes) }
}
