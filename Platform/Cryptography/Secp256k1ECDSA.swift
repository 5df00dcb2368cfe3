import CSecp256k1
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
}

// Unchecked because the context is C's; nothing changes it after its creation, so threads may share it (secp256k1.h).
final class Secp256k1Context: @unchecked Sendable {
    static let shared = Secp256k1Context()

    private let context = secp256k1_context_create(UInt32(SECP256K1_FLAGS_TYPE_CONTEXT))

    private init() {}

    func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        // The hybrid forms 6 and 7, which the library also reads, are no other key's, but nobody sends them.
        guard let first = bytes.first, (2...4).contains(first), let context else { return nil }
        var key = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_parse(context, &key, bytes, bytes.count) == 1 else { return nil }
        var output = [UInt8](repeating: 0, count: 33)
        var length = output.count
        secp256k1_ec_pubkey_serialize(context, &output, &length, &key, UInt32(secp256k1CompressedFlag))
        return output
    }

    func verify(der: [UInt8], hash: [UInt8], key: [UInt8], allowHighS: Bool) -> Secp256k1ECDSA.Outcome {
        guard let context else { return .invalid }
        var point = secp256k1_pubkey()
        var signature = secp256k1_ecdsa_signature()
        guard secp256k1_ec_pubkey_parse(context, &point, key, key.count) == 1 else { return .invalid }
        guard secp256k1_ecdsa_signature_parse_der(context, &signature, der, der.count) == 1 else { return .malformed }
        // The library verifies low-s signatures only, so a high s is brought down first and remembered.
        var normalized = secp256k1_ecdsa_signature()
        let wasHigh = secp256k1_ecdsa_signature_normalize(context, &normalized, &signature) == 1
        guard secp256k1_ecdsa_verify(context, &normalized, hash, &point) == 1 else { return .invalid }
        return wasHigh && !allowHighS ? .highS : .valid
    }
}

// SECP256K1_EC_COMPRESSED, a macro that Swift doesn't import.
private let secp256k1CompressedFlag = (1 << 1) | (1 << 8)
