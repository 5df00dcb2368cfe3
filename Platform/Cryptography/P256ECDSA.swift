import Crypto

/// ECDSA with SHA-256 on the curve P-256 (secp256r1, FIPS 186-5), in the strict form of blockchains.
public enum P256ECDSA {
    /// What a signature turned out to be.
    public enum Outcome: Hashable, Sendable {
        /// Made by the key over the message.
        case valid
        /// Not made by the key over the message.
        case invalid
        /// The larger of the two possible s, made by the key or not; swift-crypto alone would take it.
        case highS
        /// Signature or key of the wrong length, or no point of the curve.
        case malformed
    }

    // Half the group's order, rounded down (SEC 2 §2.4.2).
    private static let halfOrder: [UInt8] = [
        0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8,
    ]

    /// Whether bytes are a compressed point of the curve: 33 of them.
    public static func isKey(_ bytes: [UInt8]) -> Bool {
        bytes.count == 33 && (try? P256.Signing.PublicKey(compressedRepresentation: bytes)) != nil
    }

    /// Checks r and s (32 bytes each) over the SHA-256 of `message`; the key is compressed, 33 bytes.
    public static func verify(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Outcome {
        guard signature.count == 64, publicKey.count == 33,
            let key = try? P256.Signing.PublicKey(compressedRepresentation: publicKey),
            let parsed = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return .malformed }
        guard !halfOrder.lexicographicallyPrecedes(signature[32...]) else { return .highS }
        return key.isValidSignature(parsed, for: message) ? .valid : .invalid
    }
}
