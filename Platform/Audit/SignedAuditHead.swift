import Crypto
import Cryptography
public import Kernel
public import PostgreSQL

/// A head of a schema's audit chain, signed, to be kept where the database's owner can't change it.
///
/// The signature is Ed25519 over `diboas audit head 1`, the length of the schema's name in a byte and the name, the
/// batch in eight bytes, the head's 32 bytes, and the instant in microseconds since 1970 in eight bytes; numbers most
/// significant byte first.
public struct SignedAuditHead: Hashable, Sendable {
    /// Whose chain it is.
    public let schema: String
    /// The head.
    public let head: AuditHead
    /// When it was signed.
    public let signedAt: Timestamp
    /// The id of the key: the first eight bytes of the public key's SHA-256 in base 16.
    public let key: String
    /// The 64 bytes of the signature.
    public let signature: [UInt8]

    init(schema: String, head: AuditHead, signedAt: Timestamp, key: String, signature: [UInt8]) {
        (self.schema, self.head, self.signedAt) = (schema, head, signedAt)
        (self.key, self.signature) = (key, signature)
    }

    /// Reads what `json` writes; nil for anything else.
    public init?(_ json: JSON) {
        guard let schema = json["schema"]?.stringValue, let batch = json["batch"]?.integerValue, batch >= 0,
            let head = json["head"]?.stringValue.flatMap(Hex.decode), head.count == 32,
            let signedAt = json["signed_at"]?.stringValue.flatMap({ Timestamp($0) }),
            let key = json["key"]?.stringValue,
            let signature = json["signature"]?.stringValue.flatMap(Hex.decode), signature.count == 64
        else { return nil }
        self.init(
            schema: schema,
            head: AuditHead(batch: Int64(batch), head: head),
            signedAt: signedAt,
            key: key,
            signature: signature
        )
    }

    /// The head as a line of a file.
    public var json: JSON {
        [
            "schema": .string(schema), "batch": .integer(head.batch), "head": .string(Hex.encode(head.head)),
            "signed_at": .string(signedAt.description), "key": .string(key),
            "signature": .string(Hex.encode(signature)),
        ]
    }

    /// Whether one of these public keys, 32 bytes each, signed it.
    public func isSigned(byOneOf publicKeys: [[UInt8]]) -> Bool {
        let message = SignedAuditHead.message(schema, head, signedAt)
        return publicKeys.contains { publicKey in
            SignedAuditHead.id(of: publicKey) == key
                && Ed25519.verify(signature: signature, message: message, publicKey: publicKey)
        }
    }

    static func message(_ schema: String, _ head: AuditHead, _ signedAt: Timestamp) -> [UInt8] {
        let name = Array(schema.utf8)
        return Array("diboas audit head 1".utf8) + [UInt8(name.count)] + name + bytes(head.batch) + head.head
            + bytes(signedAt.microseconds)
    }

    static func id(of publicKey: [UInt8]) -> String { Hex.encode(Array(SHA256.hash(data: publicKey).prefix(8))) }

    private static func bytes(_ value: Int64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}

/// Signs heads of audit chains.
public struct AuditSigner: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    /// A signer by a secret of 32 bytes (RFC 8032 §5.1.5); nil for another length.
    public init?(secret: [UInt8]) {
        guard secret.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret) else {
            return nil
        }
        self.key = key
    }

    /// The public key, 32 bytes.
    public var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

    /// Signs a head of a schema's chain; nil only where the system has no randomness.
    public func sign(_ head: AuditHead, of schema: Schema, at now: Timestamp) -> SignedAuditHead? {
        let message = SignedAuditHead.message(schema.name, head, now)
        guard let signature = try? key.signature(for: message) else { return nil }
        return SignedAuditHead(
            schema: schema.name,
            head: head,
            signedAt: now,
            key: SignedAuditHead.id(of: publicKey),
            signature: Array(signature)
        )
    }
}
