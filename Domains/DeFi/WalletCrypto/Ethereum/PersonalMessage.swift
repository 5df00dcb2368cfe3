import Cryptography

/// Text that a wallet signs as "personal message" (EIP-191, version 0x45).
public enum PersonalMessage {
    /// What is signed: 32 bytes over prefix, length and text.
    public static func digest(of message: [UInt8]) -> [UInt8] {
        Keccak256.of(Array("\u{19}Ethereum Signed Message:\n\(message.count)".utf8) + message)
    }

    /// Whether a signature in hexadecimal is the address's over a message.
    public static func verify(message: String, signature: String, address: String) -> ProofVerdict {
        guard let address = EthereumAddress(address) else { return .invalid(.malformedAddress) }
        guard message.utf8.count <= Bounds.bytesMax else { return .invalid(.malformedMessage) }
        return EthereumSignature.verify(signature, digest: digest(of: Array(message.utf8)), address: address)
    }
}
