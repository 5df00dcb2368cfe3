/// Solana's envelope for messages that are no transactions, version 0; hardware wallets sign nothing else.
public enum SolanaOffchainMessage {
    /// What the text may be.
    public enum Format: UInt8, Hashable, Sendable, CaseIterable {
        /// Characters 0x20 to 0x7E, the whole within what a hardware wallet shows.
        case restrictedASCII = 0
        /// UTF-8 within the same length.
        case limitedUTF8 = 1
        /// UTF-8 up to 65,535 bytes in all.
        case extendedUTF8 = 2

        fileprivate var bytesMax: Int { self == .extendedUTF8 ? 65_535 : 1232 }
    }

    private static let preamble = [0xFF] + Array("solana offchain".utf8)

    /// What is signed, by one signer; nil for a domain that isn't 32 bytes, an empty or too long text, or characters
    /// that the format doesn't allow.
    public static func envelope(
        message: String,
        format: Format,
        applicationDomain: [UInt8],
        signer: SolanaAddress
    ) -> [UInt8]? {
        let text = Array(message.utf8)
        guard applicationDomain.count == 32, !text.isEmpty, text.count <= format.bytesMax else { return nil }
        if format == .restrictedASCII, !text.allSatisfy({ (0x20...0x7E).contains($0) }) { return nil }
        var bytes = preamble + [0] + applicationDomain + [format.rawValue, 1] + signer.bytes
        bytes.append(littleEndian: UInt16(text.count))
        bytes += text
        return bytes.count <= format.bytesMax ? bytes : nil
    }

    /// Whether a signature in Base 58 is the address's over the envelope of a message.
    public static func verify(
        message: String,
        format: Format,
        applicationDomain: [UInt8],
        signature: String,
        address: String
    ) -> ProofVerdict {
        guard let signer = SolanaAddress(address) else { return .invalid(.malformedAddress) }
        let envelope = envelope(message: message, format: format, applicationDomain: applicationDomain, signer: signer)
        guard let envelope else { return .invalid(.malformedMessage) }
        return SolanaMessage.verify(bytes: envelope, signature: signature, address: address)
    }
}
