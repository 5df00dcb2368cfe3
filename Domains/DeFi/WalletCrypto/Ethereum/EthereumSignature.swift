import Cryptography

/// A signature that tells its signer: r, s and which of two keys.
public struct EthereumSignature: Hashable, Sendable {
    /// r and s, 32 bytes each.
    public let compact: [UInt8]
    /// Whether the point's y is odd.
    public let isOdd: Bool

    /// Reads 65 bytes with v as 27, 28, 0 or 1, or the 64 bytes of EIP-2098.
    ///
    /// - Throws: `malformedSignature`, `highS`.
    public init(_ bytes: [UInt8]) throws(ProofFault) {
        switch bytes.count {
        case 65:
            guard [0, 1, 27, 28].contains(bytes[64]) else { throw .malformedSignature }
            try self.init(compact: Array(bytes[..<64]), isOdd: bytes[64] == 1 || bytes[64] == 28)
        case 64:
            var compact = bytes
            compact[32] &= 0x7F
            try self.init(compact: compact, isOdd: bytes[32] & 0x80 != 0)
        default: throw .malformedSignature
        }
    }

    /// Reads it from hexadecimal with `0x`.
    ///
    /// - Throws: `malformedSignature`, `highS`.
    public init(_ text: String) throws(ProofFault) {
        guard text.utf8.count <= 132, let bytes = HexText.decode(text) else { throw .malformedSignature }
        try self.init(bytes)
    }

    init(compact: [UInt8], isOdd: Bool) throws(ProofFault) {
        guard !Secp256k1ECDSA.isHighS(compact: compact) else { throw .highS }
        (self.compact, self.isOdd) = (compact, isOdd)
    }

    /// Who made it over a digest of 32 bytes; nil when nobody can have.
    public func signer(of digest: [UInt8]) -> EthereumAddress? {
        Secp256k1ECDSA.recover(compact: compact, recoveryID: isOdd ? 1 : 0, digest: digest)
            .map(EthereumAddress.init(uncompressed:))
    }

    /// Whether an address made it over a digest of 32 bytes.
    static func verify(_ signature: String, digest: [UInt8], address: EthereumAddress) -> ProofVerdict {
        do throws(ProofFault) {
            return try EthereumSignature(signature).signer(of: digest) == address ? .valid : .invalid(.mismatch)
        } catch {
            return .invalid(error)
        }
    }
}
