import Cryptography

/// A signature of Sui: the scheme's flag, the signature and the key, or those of a multisig's members.
public enum SuiSignature {
    /// The most bytes: a multisig of ten members.
    public static let bytesMax = 2_048

    /// Whether it is the address's over a digest of 32 bytes.
    ///
    /// zkLogin, passkeys and every other flag are unsupported.
    public static func verify(_ bytes: [UInt8], digest: [UInt8], address: SuiAddress) -> ProofVerdict {
        guard bytes.count <= bytesMax, let flag = bytes.first else { return .invalid(.malformedSignature) }
        if flag == SuiMultisig.flag {
            guard let parsed = SuiMultisigSignature(Array(bytes[1...])) else { return .invalid(.malformedSignature) }
            return parsed.verify(digest: digest, address: address)
        }
        guard let scheme = SuiScheme(rawValue: flag) else { return .unsupported }
        guard bytes.count == 65 + scheme.keyCount else { return .invalid(.malformedSignature) }
        guard let key = SuiPublicKey(scheme, Array(bytes[65...])) else { return .invalid(.weakKey) }
        guard key.address == address else { return .invalid(.otherKey) }
        return key.verify(Array(bytes[1..<65]), digest: digest)
    }
}

/// A payment that its sender has signed.
public struct SignedSuiPayment: Hashable, Sendable {
    /// Why it is none.
    public enum Fault: Error, Hashable, Sendable {
        /// Not a payment.
        case payment(SuiPayment.Fault)
        /// Cut off, too long, or not as Sui writes it.
        case malformed
        /// Not signed by its sender.
        case signature(ProofVerdict)
    }

    /// What was signed.
    public let payment: SuiPayment
    /// Flag, signature and key.
    public let signature: [UInt8]

    /// A payment and the signature that a wallet gives for it.
    ///
    /// - Throws: why it isn't signed by its sender.
    public init(_ payment: SuiPayment, signature: [UInt8]) throws(Fault) {
        let verdict = SuiSignature.verify(signature, digest: payment.signingDigest, address: payment.sender)
        guard verdict.isValid else { throw .signature(verdict) }
        (self.payment, self.signature) = (payment, signature)
    }

    /// Reads both from one value in BCS, as `bytes` writes it.
    ///
    /// - Throws: why it is none.
    public init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= SuiPayment.bytesMax + SuiSignature.bytesMax else { throw .malformed }
        var reader = ByteReader(bytes)
        guard let count = reader.uleb(), let data = reader.take(count), let length = reader.uleb(),
            let signature = reader.take(length), reader.isAtEnd
        else { throw .malformed }
        let payment: SuiPayment
        do throws(SuiPayment.Fault) {
            payment = try SuiPayment(data)
        } catch {
            throw .payment(error)
        }
        try self.init(payment, signature: signature)
    }

    /// Both, each behind its length: what is kept of it.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uleb: payment.bytes.count)
        bytes += payment.bytes
        bytes.append(uleb: signature.count)
        return bytes + signature
    }
}
