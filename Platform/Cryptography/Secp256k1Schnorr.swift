import Crypto

/// Schnorr signatures and keys of Taproot on secp256k1 (BIP-340, BIP-341).
public enum Secp256k1Schnorr {
    /// Whether 32 bytes are the x of a point.
    public static func isKey(_ bytes: [UInt8]) -> Bool { Secp256k1Context.shared.isXOnlyKey(bytes) }

    /// Whether 64 bytes are the signature of the key (its x, 32 bytes) over `message`, which may have any length.
    public static func verify(signature: [UInt8], message: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == 64, publicKey.count == 32 else { return false }
        return Secp256k1Context.shared.verifySchnorr(signature: signature, message: message, xOnlyKey: publicKey)
    }

    /// The x of a Taproot output's key: the internal key (its x, 32 bytes) tweaked with the tree's root.
    ///
    /// Without a root (nil) the output has no scripts (BIP-86). Nil when the key is no point.
    public static func outputKey(internalKey: [UInt8], merkleRoot: [UInt8]? = nil) -> [UInt8]? {
        guard internalKey.count == 32, merkleRoot.map({ $0.count == 32 }) ?? true else { return nil }
        let tweak = taggedHash("TapTweak", internalKey + (merkleRoot ?? []))
        return Secp256k1Context.shared.taprootOutput(internalKey: internalKey, tweak: tweak)
    }

    /// SHA-256 in a domain of its own: the tag's digest twice, then the message.
    public static func taggedHash(_ tag: String, _ message: [UInt8]) -> [UInt8] {
        let prefix = Array(SHA256.hash(data: Array(tag.utf8)))
        var hash = SHA256()
        hash.update(data: prefix)
        hash.update(data: prefix)
        hash.update(data: message)
        return Array(hash.finalize())
    }
}
