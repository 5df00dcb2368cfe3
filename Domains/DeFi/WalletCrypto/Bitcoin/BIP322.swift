import Cryptography

/// Generic signed messages (BIP-322), in the simple form and for addresses of one key: P2WPKH, and P2TR by key path.
///
/// Every other script and stack is inconclusive, which here is unsupported and never valid.
public enum BIP322 {
    /// The digest of the message, and the ids of the two virtual transactions, as explorers print them.
    public struct Hashes: Hashable, Sendable {
        /// The message's tagged hash.
        public let message: [UInt8]
        /// The id of the transaction that is spent.
        public let toSpend: [UInt8]
        /// The id of the transaction that spends it.
        public let toSign: [UInt8]
    }

    /// The hashes for a message and the script of an address.
    public static func hashes(message: String, script: BitcoinScript) -> Hashes {
        let hash = messageHash(message)
        let spent = toSpend(hash, script)
        let id = SHA256Digest.of(SHA256Digest.of(spent))
        return Hashes(
            message: hash,
            toSpend: id.reversed(),
            toSign: SHA256Digest.of(SHA256Digest.of(toSign(id))).reversed()
        )
    }

    static func verify(message: String, witness: [UInt8], address: BitcoinAddress) -> ProofVerdict {
        guard let stack = stack(witness) else { return .invalid(.malformedSignature) }
        let spent = SHA256Digest.of(SHA256Digest.of(toSpend(messageHash(message), address.script)))
        switch address.script {
        case .witness(0, let program) where program.count == 20:
            guard stack.count == 2, stack[1].count == 33 else { return .unsupported }
            return verifyKeyHash(stack, program: program, spent: spent)
        case .witness(1, let program) where program.count == 32:
            // Two elements or more are a script path or an annex.
            guard stack.count == 1 else { return .unsupported }
            return verifyTaproot(stack[0], key: program, spent: spent)
        default: return .unsupported
        }
    }

    private static func verifyKeyHash(_ stack: [[UInt8]], program: [UInt8], spent: [UInt8]) -> ProofVerdict {
        guard let hashType = stack[0].last else { return .invalid(.malformedSignature) }
        guard hashType == 1 else { return .unsupported }
        guard Hash160.of(stack[1]) == program else { return .invalid(.otherKey) }
        guard let key = try? Secp256k1PublicKey(sec1: stack[1]) else { return .invalid(.weakKey) }
        let digest = segwitDigest(program: program, spent: spent)
        switch Secp256k1ECDSA.verify(derSignature: stack[0].dropLast(), digest: digest, publicKey: key) {
        case .valid: return .valid
        case .highS: return .invalid(.highS)
        case .invalid: return .invalid(.mismatch)
        case .malformed: return .invalid(.malformedSignature)
        }
    }

    private static func verifyTaproot(_ signature: [UInt8], key: [UInt8], spent: [UInt8]) -> ProofVerdict {
        let hashType: UInt8
        switch signature.count {
        case 64: hashType = 0
        // 0 is written by leaving it out (BIP-341); the others commit to less than all.
        case 65 where signature[64] == 1: hashType = 1
        case 65 where [2, 3, 0x81, 0x82, 0x83].contains(signature[64]): return .unsupported
        default: return .invalid(.malformedSignature)
        }
        let digest = taprootDigest(key: key, spent: spent, hashType: hashType)
        let isValid = Secp256k1Schnorr.verify(signature: Array(signature[..<64]), message: digest, publicKey: key)
        return isValid ? .valid : .invalid(.mismatch)
    }

    private static func stack(_ bytes: [UInt8]) -> [[UInt8]]? {
        var reader = ByteReader(bytes)
        guard let count = reader.compactSize(), count <= 100 else { return nil }
        var stack: [[UInt8]] = []
        for _ in 0..<count {
            guard let element = reader.compactBytes() else { return nil }
            stack.append(element)
        }
        return reader.isAtEnd ? stack : nil
    }

    private static func messageHash(_ message: String) -> [UInt8] {
        Secp256k1Schnorr.taggedHash("BIP0322-signed-message", Array(message.utf8))
    }

    private static func toSpend(_ hash: [UInt8], _ script: BitcoinScript) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(0))
        bytes += [1] + [UInt8](repeating: 0, count: 32) + [0xFF, 0xFF, 0xFF, 0xFF]
        bytes.append(compactBytes: [0, 32] + hash)
        bytes.append(littleEndian: UInt32(0))
        bytes += [1] + [UInt8](repeating: 0, count: 8)
        bytes.append(compactBytes: script.bytes)
        bytes.append(littleEndian: UInt32(0))
        return bytes
    }

    private static let zeros4: [UInt8] = [0, 0, 0, 0]
    // One output of 0 with the script OP_RETURN.
    private static let output: [UInt8] = [UInt8](repeating: 0, count: 8) + [1, 0x6A]

    private static func toSign(_ spent: [UInt8]) -> [UInt8] {
        zeros4 + [1] + spent + zeros4 + [0] + zeros4 + [1] + output + zeros4
    }

    // BIP-143, hash type ALL.
    static func segwitDigest(program: [UInt8], spent: [UInt8]) -> [UInt8] {
        func double(_ bytes: [UInt8]) -> [UInt8] { SHA256Digest.of(SHA256Digest.of(bytes)) }
        let outpoint = spent + zeros4
        let code: [UInt8] = [25] + BitcoinScript.keyHash(program).bytes
        let amount = [UInt8](repeating: 0, count: 8)
        let head = zeros4 + double(outpoint) + double(zeros4)
        return double(head + outpoint + code + amount + zeros4 + double(output) + zeros4 + [1, 0, 0, 0])
    }

    // BIP-341, key path without annex.
    static func taprootDigest(key: [UInt8], spent: [UInt8], hashType: UInt8) -> [UInt8] {
        let script = BitcoinScript.witness(version: 1, program: key).bytes
        let amounts = SHA256Digest.of([UInt8](repeating: 0, count: 8))
        let inputs = SHA256Digest.of(spent + zeros4) + amounts
        let scripts = SHA256Digest.of([UInt8(script.count)] + script) + SHA256Digest.of(zeros4)
        let head = [0, hashType] + zeros4 + zeros4
        return Secp256k1Schnorr.taggedHash(
            "TapSighash",
            head + inputs + scripts + SHA256Digest.of(output) + [0] + zeros4
        )
    }
}
