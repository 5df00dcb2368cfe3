import Cryptography

/// A transaction of Solana that all its signers have signed.
public struct SignedSolanaTransaction: Hashable, Sendable {
    /// Why bytes are none.
    public enum Fault: Error, Hashable, Sendable {
        /// Too long, cut off, or not as Solana writes it.
        case malformed
        /// Of a version (0 and later), whose accounts may be in tables elsewhere.
        case versioned
        /// A signature is missing or isn't its account's.
        case signature(SolanaAddress)
        /// A key of small order or not canonical, for which one signature fits many messages.
        case weakKey(SolanaAddress)
        /// A secret key in the place of a signature; it must be neither stored nor logged.
        case privateMaterial
    }

    /// The transaction as it is sent.
    public let bytes: [UInt8]
    /// The payer's signature of 64 bytes, which names the transaction on the chain.
    public let signature: [UInt8]
    /// What was signed.
    public let transaction: SolanaTransaction

    /// Reads a signed transaction to its last byte and checks each of its signatures.
    ///
    /// - Throws: what is wrong with it.
    public init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= SolanaTransaction.bytesMax else { throw .malformed }
        var reader = ByteReader(bytes)
        guard let count = reader.uleb(), count > 0, count * 64 <= reader.remaining else { throw .malformed }
        var signatures: [[UInt8]] = []
        for _ in 0..<count { signatures.append(reader.take(64) ?? []) }
        guard let message = reader.take(reader.remaining), let first = message.first else { throw .malformed }
        guard first < 0x80 else { throw .versioned }
        guard let transaction = SolanaTransaction(message: message), transaction.signers.count == count,
            message[0] == count
        else { throw .malformed }
        // The signers of a message stand in front, in its own order.
        for (place, signature) in signatures.enumerated() {
            let key = Array(message[(4 + place * 32)..<(36 + place * 32)])
            guard let signer = SolanaAddress(bytes: key) else { throw .malformed }
            guard signature[32...] != key[...] else { throw .privateMaterial }
            guard signer.isLinkable else { throw .weakKey(signer) }
            guard Ed25519.verify(signature: signature, message: message, publicKey: key) else {
                throw .signature(signer)
            }
        }
        (self.bytes, signature, self.transaction) = (bytes, signatures[0], transaction)
    }

    /// The name of the transaction on the chain: its first signature in Base 58.
    public var id: String { Base58.encode(signature) }
}
