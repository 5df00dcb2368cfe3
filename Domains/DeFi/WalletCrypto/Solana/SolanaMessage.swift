import Cryptography

/// Text that a Solana wallet signs as it stands.
public enum SolanaMessage {
    /// Whether a signature in Base 58 (64 bytes) is the address's over a message.
    ///
    /// A secret key in the place of the signature, 64 bytes whose second half is the address, is named as such.
    public static func verify(message: String, signature: String, address: String) -> ProofVerdict {
        guard message.utf8.count <= Bounds.bytesMax else { return .invalid(.malformedMessage) }
        return verify(bytes: Array(message.utf8), signature: signature, address: address)
    }

    static func verify(bytes: [UInt8], signature: String, address: String) -> ProofVerdict {
        guard let address = SolanaAddress(address) else { return .invalid(.malformedAddress) }
        guard let signature = Base58.decode(signature), signature.count == 64 else {
            return .invalid(.malformedSignature)
        }
        guard signature[32...] != address.bytes[...] else { return .invalid(.privateMaterial) }
        guard address.isLinkable else { return .invalid(.weakKey) }
        let isValid = Ed25519.verify(signature: signature, message: bytes, publicKey: address.bytes)
        return isValid ? .valid : .invalid(.mismatch)
    }
}
