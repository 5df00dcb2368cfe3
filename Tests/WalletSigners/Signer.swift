import CSecp256k1
public import Cryptography

/// A key of secp256k1 that signs in tests; nothing that ships can.
public struct Signer: Sendable {
    /// libsecp256k1 refused; with keys that are made here it never does.
    public struct Refusal: Error {}

    private let secret: [UInt8]
    /// Its public key.
    public let key: Secp256k1PublicKey

    /// A key of random bytes, which are the same for the same seed.
    public init(_ random: inout some RandomNumberGenerator) throws {
        func byte() -> UInt8 { UInt8.random(in: 0...255, using: &random) }
        // A number below 2^255, which is below the group's order, and not zero.
        try self.init(secret: [byte() & 0x7F] + (0..<30).map { _ in byte() } + [1])
    }

    /// A key by its 32 bytes.
    public init(secret: [UInt8]) throws {
        guard let key = Signer.publicKey(secret) else { throw Refusal() }
        (self.secret, self.key) = (secret, key)
    }

    // Signing changes nothing in the context, so tests may share it.
    nonisolated(unsafe) private static let context = secp256k1_context_create(UInt32(SECP256K1_FLAGS_TYPE_CONTEXT))

    private static func require(_ isDone: Int32) throws {
        guard isDone == 1 else { throw Refusal() }
    }

    private static func publicKey(_ secret: [UInt8]) -> Secp256k1PublicKey? {
        guard let context else { return nil }
        var point = secp256k1_pubkey()
        guard secp256k1_ec_pubkey_create(context, &point, secret) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65)
        var count = 65
        secp256k1_ec_pubkey_serialize(context, &bytes, &count, &point, 1 << 1)
        return try? Secp256k1PublicKey(sec1: bytes)
    }

    /// r and s, and the parity of the point, over a digest of 32 bytes.
    public func recoverable(_ digest: [UInt8]) throws -> (compact: [UInt8], isOdd: Bool) {
        guard let context = Self.context else { throw Refusal() }
        var signature = secp256k1_ecdsa_recoverable_signature()
        try Self.require(secp256k1_ecdsa_sign_recoverable(context, &signature, digest, secret, nil, nil))
        var compact = [UInt8](repeating: 0, count: 64)
        var recovery: Int32 = 0
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context, &compact, &recovery, &signature)
        return (compact, recovery == 1)
    }

    /// The signature in DER over a digest of 32 bytes.
    public func der(_ digest: [UInt8]) throws -> [UInt8] {
        guard let context = Self.context else { throw Refusal() }
        var signature = secp256k1_ecdsa_signature()
        try Self.require(secp256k1_ecdsa_sign(context, &signature, digest, secret, nil, nil))
        var bytes = [UInt8](repeating: 0, count: 80)
        var count = bytes.count
        secp256k1_ecdsa_signature_serialize_der(context, &bytes, &count, &signature)
        return Array(bytes[..<count])
    }

    /// A Schnorr signature of the key tweaked as BIP-86 has it.
    public func taproot(_ digest: [UInt8]) throws -> [UInt8] {
        guard let context = Self.context else { throw Refusal() }
        var pair = secp256k1_keypair()
        try Self.require(secp256k1_keypair_create(context, &pair, secret))
        let tweak = Secp256k1Schnorr.taggedHash("TapTweak", key.xOnly)
        try Self.require(secp256k1_keypair_xonly_tweak_add(context, &pair, tweak))
        var signature = [UInt8](repeating: 0, count: 64)
        try Self.require(secp256k1_schnorrsig_sign32(context, &signature, digest, &pair, nil))
        return signature
    }

    /// 65 bytes as Ethereum's wallets give them, over a digest of 32 bytes.
    public func ethereum(_ digest: [UInt8]) throws -> [UInt8] {
        let (compact, isOdd) = try recoverable(digest)
        return compact + [isOdd ? 28 : 27]
    }

    /// The same r with the other s, which fits as well (n - s).
    public static func withHighS(_ compact: [UInt8]) throws -> [UInt8] {
        guard let context else { throw Refusal() }
        var s = Array(compact[32...])
        try require(secp256k1_ec_seckey_negate(context, &s))
        return compact[..<32] + s
    }
}
