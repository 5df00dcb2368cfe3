import Crypto

/// ECDSA with SHA-256 on the curve secp256k1.
public enum Secp256k1ECDSA {
    /// What a signature turned out to be.
    public enum Outcome: Hashable, Sendable {
        /// Made by the key over the message.
        case valid
        /// Well-formed, but not made by the key over the message.
        case invalid
        /// Made by the key over the message, with the larger of the two possible s where only the smaller is allowed.
        case highS
        /// Not a signature in strict DER.
        case malformed
    }

    /// Checks a DER signature over the SHA-256 of `message`.
    ///
    /// Anyone can turn a signature into its high-s twin; `allowHighS` is for senders whose library makes both.
    public static func verify(
        derSignature: [UInt8],
        message: [UInt8],
        publicKey: Secp256k1PublicKey,
        allowHighS: Bool = false
    ) -> Outcome {
        let hash = Array(SHA256.hash(data: message))
        let key = publicKey.compressed
        return Secp256k1Context.shared.verify(der: derSignature, hash: hash, key: key, allowHighS: allowHighS)
    }

    /// Checks a DER signature over a digest of 32 bytes.
    ///
    /// Anything but low s is refused, and DER that isn't strict is malformed.
    public static func verify(derSignature: [UInt8], digest: [UInt8], publicKey: Secp256k1PublicKey) -> Outcome {
        guard digest.count == 32 else { return .malformed }
        return Secp256k1Context.shared.verify(
            der: derSignature,
            hash: digest,
            key: publicKey.compressed,
            allowHighS: false
        )
    }

    /// Checks r and s, 32 bytes each, over a digest of 32 bytes.
    public static func verify(compact: [UInt8], digest: [UInt8], publicKey: Secp256k1PublicKey) -> Outcome {
        guard compact.count == 64, digest.count == 32 else { return .malformed }
        return Secp256k1Context.shared.verify(compact: compact, hash: digest, key: publicKey.compressed)
    }

    /// The key that made r and s (32 bytes each) over a digest of 32 bytes: 65 bytes, the first 4.
    ///
    /// `recoveryID` is 0...3. Nil for anything malformed, where there is no such key, and for high s, which the
    /// library alone would take.
    public static func recover(compact: [UInt8], recoveryID: Int, digest: [UInt8]) -> [UInt8]? {
        guard compact.count == 64, digest.count == 32, (0...3).contains(recoveryID) else { return nil }
        return Secp256k1Context.shared.recover(compact: compact, recoveryID: Int32(recoveryID), hash: digest)
    }

    /// Whether s, the last 32 of the 64 bytes, is the larger of the two that fit: above half the group's order.
    public static func isHighS(compact: [UInt8]) -> Bool {
        guard compact.count == 64 else { return false }
        return halfOrder.lexicographicallyPrecedes(compact[32...])
    }

    // Half the group's order, rounded down (SEC 2 §2.4.1).
    private static let halfOrder: [UInt8] = [
        0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0x5D, 0x57, 0x6E, 0x73, 0x57, 0xA4, 0x50, 0x1D, 0xDF, 0xE9, 0x2F, 0x46, 0x68, 0x1B, 0x20, 0xA0,
    ]
}
