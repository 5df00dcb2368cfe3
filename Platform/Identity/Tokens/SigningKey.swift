import Cryptography
import JWTKit
import Kernel

/// A P-256 key that signs or verifies access tokens (ES256).
struct SigningKey: Sendable {
    /// Its id in tokens and in the key set: the thumbprint of RFC 7638.
    let id: String
    /// Whether it can sign.
    let isPrivate: Bool
    /// The public key as the key set shows it (RFC 7517).
    let json: JSON
    let collection: JWTKeyCollection

    /// Reads a private or public key in PEM; nil for anything else.
    static func read(pem: String) async -> SigningKey? {
        if let key = try? ES256PrivateKey(pem: pem) {
            let collection = await JWTKeyCollection().add(ecdsa: key)
            return SigningKey(key.publicKey, isPrivate: true, collection)
        }
        guard let key = try? ES256PublicKey(pem: pem) else { return nil }
        return SigningKey(key, isPrivate: false, await JWTKeyCollection().add(ecdsa: key))
    }

    /// A new private key in PEM.
    static func generate() -> String { ES256PrivateKey().pemRepresentation + "\n" }

    private init?(_ key: ES256PublicKey, isPrivate: Bool, _ collection: JWTKeyCollection) {
        guard let point = key.parameters, let x = Base64.decode(point.x), let y = Base64.decode(point.y) else {
            return nil
        }
        let (x64, y64) = (Base64.encodeURLSafe(x), Base64.encodeURLSafe(y))
        // RFC 7638 §3: the required members in the order of their names, without spaces.
        let canonical = "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"\(x64)\",\"y\":\"\(y64)\"}"
        id = Base64.encodeURLSafe(SHA256Digest.of(Array(canonical.utf8)))
        json = [
            "kty": "EC", "crv": "P-256", "x": .string(x64), "y": .string(y64), "kid": .string(id), "alg": "ES256",
            "use": "sig",
        ]
        (self.isPrivate, self.collection) = (isPrivate, collection)
    }
}
