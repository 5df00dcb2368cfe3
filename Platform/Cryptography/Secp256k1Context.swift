import CSecp256k1

// Unchecked because the context is C's; nothing changes it after its creation, so threads may share it (secp256k1.h).
final class Secp256k1Context: @unchecked Sendable {
    static let shared = Secp256k1Context()

    private let context = secp256k1_context_create(UInt32(SECP256K1_FLAGS_TYPE_CONTEXT))

    private init() {}

    func compressed(_ bytes: [UInt8]) -> [UInt8]? {
        // The hybrid forms 6 and 7, which the library also reads, are no other key's, but nobody sends them.
        guard let first = bytes.first, (2...4).contains(first), var key = parsed(bytes) else { return nil }
        return serialized(&key, compressed: true)
    }

    func uncompressed(_ bytes: [UInt8]) -> [UInt8]? {
        guard var key = parsed(bytes) else { return nil }
        return serialized(&key, compressed: false)
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

    func verify(compact: [UInt8], hash: [UInt8], key: [UInt8]) -> Secp256k1ECDSA.Outcome {
        guard let context, var point = parsed(key) else { return .invalid }
        var signature = secp256k1_ecdsa_signature()
        guard secp256k1_ecdsa_signature_parse_compact(context, &signature, compact) == 1 else { return .malformed }
        var normalized = secp256k1_ecdsa_signature()
        let isHigh = secp256k1_ecdsa_signature_normalize(context, &normalized, &signature) == 1
        guard secp256k1_ecdsa_verify(context, &normalized, hash, &point) == 1 else { return .invalid }
        return isHigh ? .highS : .valid
    }

    func recover(compact: [UInt8], recoveryID: Int32, hash: [UInt8]) -> [UInt8]? {
        guard let context, !Secp256k1ECDSA.isHighS(compact: compact) else { return nil }
        var signature = secp256k1_ecdsa_recoverable_signature()
        guard secp256k1_ecdsa_recoverable_signature_parse_compact(context, &signature, compact, recoveryID) == 1 else {
            return nil
        }
        var key = secp256k1_pubkey()
        guard secp256k1_ecdsa_recover(context, &key, &signature, hash) == 1 else { return nil }
        return serialized(&key, compressed: false)
    }

    func adding(_ tweak: [UInt8], to key: [UInt8]) -> [UInt8]? {
        guard let context, var point = parsed(key), secp256k1_ec_pubkey_tweak_add(context, &point, tweak) == 1 else {
            return nil
        }
        return serialized(&point, compressed: true)
    }

    func verifySchnorr(signature: [UInt8], message: [UInt8], xOnlyKey: [UInt8]) -> Bool {
        guard let context, var key = xOnly(xOnlyKey) else { return false }
        return secp256k1_schnorrsig_verify(context, signature, message, message.count, &key) == 1
    }

    func isXOnlyKey(_ bytes: [UInt8]) -> Bool { xOnly(bytes) != nil }

    func taprootOutput(internalKey: [UInt8], tweak: [UInt8]) -> [UInt8]? {
        guard let context, var key = xOnly(internalKey) else { return nil }
        var point = secp256k1_pubkey()
        guard secp256k1_xonly_pubkey_tweak_add(context, &point, &key, tweak) == 1 else { return nil }
        return serialized(&point, compressed: true).map { Array($0[1...]) }
    }

    private func xOnly(_ bytes: [UInt8]) -> secp256k1_xonly_pubkey? {
        guard let context, bytes.count == 32 else { return nil }
        var key = secp256k1_xonly_pubkey()
        return secp256k1_xonly_pubkey_parse(context, &key, bytes) == 1 ? key : nil
    }

    private func parsed(_ bytes: [UInt8]) -> secp256k1_pubkey? {
        guard let context else { return nil }
        var key = secp256k1_pubkey()
        return secp256k1_ec_pubkey_parse(context, &key, bytes, bytes.count) == 1 ? key : nil
    }

    private func serialized(_ key: inout secp256k1_pubkey, compressed: Bool) -> [UInt8]? {
        guard let context else { return nil }
        var output = [UInt8](repeating: 0, count: compressed ? 33 : 65)
        var length = output.count
        let flag = compressed ? Self.compressedFlag : Self.uncompressedFlag
        secp256k1_ec_pubkey_serialize(context, &output, &length, &key, flag)
        return output
    }

    // SECP256K1_EC_COMPRESSED and SECP256K1_EC_UNCOMPRESSED, macros that Swift doesn't import.
    private static let compressedFlag: UInt32 = (1 << 1) | (1 << 8)
    private static let uncompressedFlag: UInt32 = 1 << 1
}
