import CSecp256k1
import Crypto
import Cryptography
import Testing

/// Keys that sign in tests; nothing that ships can.
struct Signer {
    private let secret: [UInt8]
    let key: Secp256k1PublicKey

    init(_ random: inout SeededRandom) throws {
        // A number below 2^255, which is below the group's order, and not zero.
        secret = [random.bytes(1)[0] & 0x7F] + random.bytes(30) + [1]
        key = try #require(Signer.publicKey(secret))
    }

    // Signing changes nothing in the context, so tests may share it.
    nonisolated(unsafe) private static let context = secp256k1_context_create(UInt32(SECP256K1_FLAGS_TYPE_CONTEXT))

    private static func publicKey(_ secret: [UInt8]) -> Secp256k1PublicKey? {
        guard let context else { return nil }
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(context, &point, secret) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65)
        var count = 65
        secp256k1_ec_pubkey_serialize(context, &bytes, &count, &point, 1 << 1)
        return try? Secp256k1PublicKey(sec1: bytes)
    }

    /// r and s, and the parity of the point.
    func recoverable(_ digest: [UInt8]) throws -> (compact: [UInt8], isOdd: Bool) {
        let context = try #require(Self.context)
        var signature = secp256k1_ecdsa_recoverable_signature()
        try #require(secp256k1_ecdsa_sign_recoverable(context, &signature, digest, secret, nil, nil) == 1)
        var compact = [UInt8](repeating: 0, count: 64)
        var recovery: Int32 = 0
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &compact, &recovery, &signature)
        return (compact, recovery == 1)
    }

    func der(_ digest: [UInt8]) throws -> [UInt8] {
        let context = try #require(Self.context)
        var signature = secp256k1_ecdsa_signature()
        try #require(secp256k1_ecdsa_sign(context, &signature, digest, secret, nil, nil) == 1)
        var bytes = [UInt8](repeating: 0, count: 80)
        var count = bytes.count
        secp256k1_ecdsa_signature_serialize_der(context, &bytes, &count, &signature)
        return Array(bytes[..<count])
    }

    /// A Schnorr signature of the key tweaked as BIP-86 has it, and that key.
    func taproot(_ digest: [UInt8]) throws -> [UInt8] {
        let context = try #require(Self.context)
        var pair = secp256k1_keypair()
        try #require(secp256k1_keypair_create(context, &pair, secret) == 1)
        let tweak = Secp256k1Schnorr.taggedHash("TapTweak", key.xOnly)
        try #require(secp256k1_keypair_xonly_tweak_add(context, &pair, tweak) == 1)
        var signature = [UInt8](repeating: 0, count: 64)
        try #require(secp256k1_schnorrsig_sign32(context, &signature, digest, &pair, nil) == 1)
        return signature
    }

    /// 65 bytes as Ethereum's wallets give them.
    func ethereum(_ digest: [UInt8]) throws -> [UInt8] {
        let (compact, isOdd) = try recoverable(digest)
        return compact + [isOdd ? 28 : 27]
    }

    /// The same r with the other s, which fits as well (n - s).
    static func withHighS(_ compact: [UInt8]) throws -> [UInt8] {
        let context = try #require(context)
        var s = Array(compact[32...])
        try #require(secp256k1_ec_seckey_negate(context, &s) == 1)
        return compact[..<32] + s
    }
}
