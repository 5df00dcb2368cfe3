import Crypto
import Cryptography
import HTTP
import Kernel
import Testing

/// A client's program with a key: signs requests as the documentation says.
struct Signer: Sendable {
    enum Secret: Sendable {
        case hmac([UInt8])
        case ed25519(Curve25519.Signing.PrivateKey)
    }

    let id: String
    let secret: Secret

    /// A key made over the API by a user who is stepped up.
    static func make(
        _ fixture: Fixture,
        _ token: String,
        algorithm: String = "hmac_sha256",
        scopes: [String] = ["read", "trade"],
        addresses: [String] = []
    ) async throws -> Signer {
        let key = Curve25519.Signing.PrivateKey()
        var members = [
            JSON.Member("label", "bot"), JSON.Member("algorithm", .string(algorithm)),
            JSON.Member("scopes", .array(scopes.map { .string($0) })),
            JSON.Member("addresses", .array(addresses.map { .string($0) })),
        ]
        if algorithm == "ed25519" {
            let publicKey = Base64.encodeURLSafe(Array(key.publicKey.rawRepresentation))
            members.append(JSON.Member("public_key", .string(publicKey)))
        }
        let made = try await fixture.send("POST", "/v1/me/api-keys", .object(members), token: token)
        try #require(made.status == 201, "\(made.json)")
        let id = try #require(made.text("id"))
        guard algorithm == "hmac_sha256" else {
            #expect(made.json["secret"] == .null)
            return Signer(id: id, secret: .ed25519(key))
        }
        let secret = try #require(made.text("secret").flatMap { Base64.decodeURLSafe($0) })
        return Signer(id: id, secret: .hmac(secret))
    }

    /// The value of `Authorization`.
    func authorization(
        _ method: String,
        _ target: String,
        body: [UInt8] = [],
        at now: Timestamp
    ) throws -> String {
        let hash = Hex.encode(Array(SHA256.hash(data: body)))
        let text = Array("\(now.milliseconds)\n\(method)\n\(target)\n\(hash)".utf8)
        let signature: [UInt8]
        switch secret {
        case .hmac(let key): signature = HMACSHA256.code(over: text, key: key)
        case .ed25519(let key): signature = Array(try key.signature(for: text))
        }
        return
            "Diboas-Key id=\(id), time=\(now.milliseconds), body=\(hash), signature=\(Base64.encodeURLSafe(signature))"
    }

    /// Signs and sends.
    func send(
        _ fixture: Fixture,
        _ method: String,
        _ target: String,
        _ body: JSON? = nil,
        at now: Timestamp? = nil,
        from address: String = "192.0.2.7"
    ) async throws -> Answer {
        let bytes = body?.serialized() ?? []
        let value = try authorization(method, target, body: bytes, at: now ?? fixture.clock.now())
        return try await fixture.send(method, target, body, headers: [("Authorization", value)], from: address)
    }
}
