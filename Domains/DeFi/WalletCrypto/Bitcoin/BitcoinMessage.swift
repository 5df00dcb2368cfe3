import Cryptography

/// Messages that a Bitcoin key signs to prove an address: BIP-137 and BIP-322.
public enum BitcoinMessage {
    /// Whether a signature in Base 64 is the address's over a message, in whichever of the forms it is.
    ///
    /// 65 bytes are BIP-137; `smp` or no prefix is BIP-322 simple; `ful` and `pof` are unsupported.
    public static func verify(message: String, signature: String, address: String) -> ProofVerdict {
        guard let address = readAddress(address) else { return .invalid(.malformedAddress) }
        guard message.utf8.count <= Bounds.bytesMax, signature.utf8.count <= Bounds.bytesMax else {
            return .invalid(.malformedMessage)
        }
        if ["ful", "pof"].contains(where: { signature.utf8.starts(with: $0.utf8) }) { return .unsupported }
        let isPrefixed = signature.utf8.starts(with: "smp".utf8)
        guard let bytes = Base64.decode(isPrefixed ? String(signature.dropFirst(3)) : signature) else {
            return .invalid(.malformedSignature)
        }
        if !isPrefixed, bytes.count == 65 { return BIP137.verify(message: message, signature: bytes, address: address) }
        return BIP322.verify(message: message, witness: bytes, address: address)
    }

    /// The same for BIP-137 alone.
    public static func verifyBIP137(message: String, signature: String, address: String) -> ProofVerdict {
        guard let address = readAddress(address) else { return .invalid(.malformedAddress) }
        guard message.utf8.count <= Bounds.bytesMax, let bytes = Base64.decode(signature) else {
            return .invalid(.malformedSignature)
        }
        return BIP137.verify(message: message, signature: bytes, address: address)
    }

    private static func readAddress(_ text: String) -> BitcoinAddress? {
        BitcoinNetwork.allCases.lazy.compactMap { BitcoinAddress(text, network: $0) }.first
    }
}

/// Compact recoverable signatures (BIP-137), whose header names the kind of address.
enum BIP137 {
    static func verify(message: String, signature: [UInt8], address: BitcoinAddress) -> ProofVerdict {
        guard signature.count == 65, (27...42).contains(signature[0]) else { return .invalid(.malformedSignature) }
        let compact = Array(signature[1...])
        guard !Secp256k1ECDSA.isHighS(compact: compact) else { return .invalid(.highS) }
        let header = Int(signature[0]) - 27
        let key = Secp256k1ECDSA.recover(compact: compact, recoveryID: header & 3, digest: digest(of: message))
        guard let key, let point = try? Secp256k1PublicKey(sec1: key) else { return .invalid(.mismatch) }
        let expected: BitcoinScript? =
            switch header >> 2 {
            case 0: .keyHash(Hash160.of(key))
            case 1: BitcoinScript(.p2pkh, key: point)
            case 2: BitcoinScript(.nestedP2WPKH, key: point)
            default: BitcoinScript(.p2wpkh, key: point)
            }
        return expected == address.script ? .valid : .invalid(.mismatch)
    }

    static func digest(of message: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(compactBytes: Array("Bitcoin Signed Message:\n".utf8))
        bytes.append(compactBytes: Array(message.utf8))
        return SHA256Digest.of(SHA256Digest.of(bytes))
    }
}
