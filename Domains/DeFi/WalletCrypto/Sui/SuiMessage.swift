import Cryptography

/// A personal message that a Sui wallet signs.
public enum SuiMessage {
    /// What is signed: BLAKE2b over the intent (personal message, version 0, Sui) and the message in BCS.
    public static func digest(of message: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [3, 0, 0]
        bytes.append(uleb: message.count)
        return BLAKE2b256.of(bytes + message)
    }

    /// Whether a signature in Base 64, with its scheme's flag and key, is the address's over a message.
    ///
    /// zkLogin, passkeys and every other flag are unsupported.
    public static func verify(message: String, signature: String, address: String) -> ProofVerdict {
        guard let address = SuiAddress(address) else { return .invalid(.malformedAddress) }
        guard message.utf8.count <= Bounds.bytesMax else { return .invalid(.malformedMessage) }
        guard signature.utf8.count <= 4096, let bytes = Base64.decode(signature) else {
            return .invalid(.malformedSignature)
        }
        return SuiSignature.verify(bytes, digest: digest(of: Array(message.utf8)), address: address)
    }
}
