import Cryptography
import Foundation
import HTTP
import JWTKit
import Kernel
import PostgreSQL
import Testing

@testable import Identity

struct TokenTests {
    private func claims(
        _ fixture: Fixture,
        issuer: String = "https://api.example.com",
        session: String,
        subject: String,
        lifetime: Int64 = 600
    ) -> AccessClaims {
        let now = fixture.clock.now().seconds
        return AccessClaims(
            iss: issuer,
            sub: subject,
            sid: session,
            roles: ["operator"],
            permissions: ["operate:users"],
            iat: now,
            exp: now + lifetime
        )
    }

    private func probe(_ fixture: Fixture, _ token: String) async throws -> Int {
        try await fixture.send("GET", "/v1/probe", token: token).status
    }

    private func ourKey(_ fixture: Fixture) throws -> ES256PrivateKey {
        try ES256PrivateKey(pem: String(contentsOfFile: fixture.keysDirectory + "/key-0001.pem", encoding: .utf8))
    }

    @Test func `an access token expires`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            fixture.clock.advance(seconds: 598)
            #expect(try await probe(fixture, token) == 200)
            fixture.clock.advance(seconds: 2)
            #expect(try await probe(fixture, token) == 401)
        }
    }

    @Test func `an access token says who, what and until when, signed by a key of the set`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let set = try await fixture.send("GET", "/.well-known/jwks.json")
            #expect(set.status == 200)
            let json = String(decoding: set.json.serialized(), as: UTF8.self)
            let keys = try await JWTKeyCollection().add(jwksJSON: json)
            let claims = try await keys.verify(token, as: AccessClaims.self)
            #expect(claims.iss == "https://api.example.com")
            #expect(claims.sub == id.wire)
            #expect(claims.roles == ["customer"])
            #expect(claims.permissions.contains("banking:move"))
            #expect(claims.exp - claims.iat == 600)
            #expect(set.json["keys"]?.elements?.count == 1)
            #expect(set.json["keys"]?.elements?[0]["d"] == nil)
            let header = try DefaultJWTParser().parse(Array(token.utf8), as: AccessClaims.self).header
            #expect(header.kid == set.json["keys"]?.elements?[0]["kid"]?.stringValue)
            #expect(header.typ == "at+jwt")
            #expect(header.alg == "ES256")
        }
    }

    @Test func `a token is refused for every part that isn't as we make it`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let session = try #require(try await fixture.send("GET", "/v1/probe", token: token).text("session"))
            let ours = try ourKey(fixture)
            let kid = try #require(
                try DefaultJWTParser().parse(Array(token.utf8), as: AccessClaims.self).header.kid
            )
            let good = claims(fixture, session: session, subject: id.wire)
            let keys = await JWTKeyCollection().add(ecdsa: ours)
            func signed(_ claims: AccessClaims, _ header: JWTHeader) async throws -> String {
                try await keys.sign(claims, header: header)
            }
            let header: JWTHeader = ["typ": "at+jwt", "kid": .string(kid)]
            #expect(try await probe(fixture, signed(good, header)) == 200)

            let stranger = await JWTKeyCollection().add(ecdsa: ES256PrivateKey())
            // The public key as a shared secret: what a verifier falls for that believes the header's algorithm.
            let secret = await JWTKeyCollection().add(
                hmac: HMACKey(from: ours.publicKey.pemRepresentation),
                digestAlgorithm: .sha256
            )
            let parts = token.split(separator: ".").map(String.init)
            func encoded(_ text: String) -> String { Base64.encodeURLSafe(Array(text.utf8)) }
            let unsigned = encoded(#"{"alg":"none","typ":"at+jwt","kid":"\#(kid)"}"#) + "." + parts[1] + "."
            let payload = try #require(Base64.decodeURLSafe(parts[1]))
            let swapped = String(decoding: payload, as: UTF8.self).replacing("customer", with: "operator")
            let otherUser = claims(fixture, issuer: "https://evil.example", session: session, subject: id.wire)
            let bad: [String: String] = [
                "a stranger's key": try await stranger.sign(good, header: header),
                "the public key as a secret": try await secret.sign(good, header: header),
                "no signature": unsigned, "an empty signature": parts[0] + "." + parts[1] + ".",
                "another payload": parts[0] + "." + encoded(swapped) + "." + parts[2],
                "no key id": try await signed(good, ["typ": "at+jwt"]),
                "an unknown key id": try await signed(good, ["typ": "at+jwt", "kid": "other"]),
                "another type": try await signed(good, ["typ": "JWT", "kid": .string(kid)]),
                "a critical extension": try await signed(
                    good,
                    ["typ": "at+jwt", "kid": .string(kid), "crit": .array(["b64"]), "b64": false]
                ),
                "another issuer": try await signed(otherUser, header),
                "an expired one": try await signed(
                    claims(fixture, session: session, subject: id.wire, lifetime: 0),
                    header
                ),
                "no such session": try await signed(
                    claims(fixture, session: ID<Session>(7).description, subject: id.wire),
                    header
                ),
                "a session that is no id": try await signed(claims(fixture, session: "x", subject: id.wire), header),
                "a user that is no id": try await signed(claims(fixture, session: session, subject: "x"), header),
                "two parts": parts[0] + "." + parts[1], "nothing": "x", "dots": "..",
                "too long": token + String(repeating: "A", count: AccessTokens.bytesMax),
            ]
            for (what, text) in bad { #expect(try await probe(fixture, text) == 401, "\(what)") }
        }
    }

    @Test func `a token of the future is refused beyond the skew of clocks`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            fixture.clock.advance(seconds: -60)
            #expect(try await probe(fixture, token) == 200)
            fixture.clock.advance(seconds: -1)
            #expect(try await probe(fixture, token) == 401)
        }
    }

    @Test func `a database that is away is 503 and not a refusal`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            #expect(try await probe(fixture, token) == 200)
            fixture.pool.close()
            // Young enough to be known.
            #expect(try await probe(fixture, token) == 200)
            fixture.clock.advance(seconds: 5)
            let answer = try await fixture.send("GET", "/v1/probe", token: token)
            #expect(answer.status == 503)
            #expect(answer.code == "database_unavailable")
        }
    }
}

struct SigningKeysTests {
    private let threads = WorkerThreads(threads: 2, queuedMax: 100)

    private func withDirectory<Result>(_ body: (String) async throws -> Result) async rethrows -> Result {
        let path = NSTemporaryDirectory() + "keys-\(UInt64.random(in: .min ... .max))/deep"
        defer { try? FileManager.default.removeItem(atPath: String(path.dropLast(5))) }
        return try await body(path)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func `the first start makes one key that nobody else may read, however many start`() async throws {
        try await withDirectory { path in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await SigningKeys.open(directory: path, threads: threads).current().signer.id }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["key-0001.pem"])
            #expect(try mode(path) == 0o700)
            #expect(try mode(path + "/key-0001.pem") == 0o600)
        }
    }

    @Test func `a new key signs and the old one still verifies, here and in other processes`() async throws {
        try await Fixture.with { fixture in
            let other = try await fixture.sibling()
            let (old, _) = try await fixture.customer()
            let keys = try await SigningKeys.open(directory: fixture.keysDirectory, threads: threads)
            try await keys.rotate()
            #expect(await keys.current().byID.count == 2)

            // Within a minute the new key signs; a process that doesn't know it yet looks again.
            fixture.clock.advance(seconds: 60)
            let new = try #require(try await fixture.signIn().text("access_token"))
            let keyIDs = try [old, new].map {
                try DefaultJWTParser().parse(Array($0.utf8), as: AccessClaims.self).header.kid
            }
            #expect(keyIDs[0] != keyIDs[1])
            other.clock.set(fixture.clock.now())
            for token in [old, new] {
                #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 200)
                #expect(try await other.send("GET", "/v1/probe", token: token).status == 200)
            }
            let set = try await other.send("GET", "/.well-known/jwks.json")
            #expect(set.json["keys"]?.elements?.first?["kid"]?.stringValue == keyIDs[1])
            #expect(set.json["keys"]?.elements?.count == 2)

            // Once the tokens that it signed have expired, a key may go.
            try FileManager.default.removeItem(atPath: fixture.keysDirectory + "/key-0001.pem")
            other.clock.advance(seconds: 60)
            let rest = try await other.send("GET", "/.well-known/jwks.json")
            #expect(rest.json["keys"]?.elements?.map { $0["kid"]?.stringValue } == [keyIDs[1]])
            // A directory that was emptied leaves what is known.
            try FileManager.default.removeItem(atPath: fixture.keysDirectory + "/key-0002.pem")
            other.clock.advance(seconds: 60)
            #expect(try await other.send("GET", "/.well-known/jwks.json").json == rest.json)
        }
    }

    @Test func `keys are renewed by their age, and go once nothing that they signed counts`() async throws {
        try await Fixture.with { fixture in
            let (path, manager) = (fixture.keysDirectory, FileManager.default)
            func age(_ name: String, days: Double) throws {
                let written = Date(timeIntervalSince1970: Double(fixture.clock.now().seconds) - days * 86_400)
                try manager.setAttributes([.modificationDate: written], ofItemAtPath: path + "/" + name)
            }
            func names() throws -> [String] { try manager.contentsOfDirectory(atPath: path).sorted() }
            let (token, _) = try await fixture.customer()
            try age("key-0001.pem", days: 29)
            #expect(try await fixture.identity.renewKeys(afterDays: 30) == KeyRenewal())

            // Two processes find it old at once: one key is added.
            try age("key-0001.pem", days: 31)
            let other = try await fixture.sibling()
            other.clock.set(fixture.clock.now())
            async let first = fixture.identity.renewKeys(afterDays: 30)
            async let second = other.identity.renewKeys(afterDays: 30)
            #expect(try await first.removed + second.removed == 0)
            #expect(try names() == ["key-0001.pem", "key-0002.pem"])
            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 200)
            // Whichever of them did not add it finds it within a minute.
            fixture.clock.advance(seconds: 60)
            let both = try await fixture.send("GET", "/.well-known/jwks.json").json["keys"]?.elements
            #expect(both?.count == 2)

            // The old one stays until its last token, and a margin, are over.
            try age("key-0002.pem", days: 0.04)
            #expect(try await fixture.identity.renewKeys(afterDays: 30) == KeyRenewal())
            try age("key-0002.pem", days: 1)
            #expect(try await fixture.identity.renewKeys(afterDays: 30).removed == 1)
            #expect(try names() == ["key-0002.pem"])
            let rest = try await fixture.send("GET", "/.well-known/jwks.json").json["keys"]?.elements
            #expect(rest == both?.first.map { [$0] })
        }
    }

    @Test func `a public key verifies and does not sign`() async throws {
        try await withDirectory { path in
            let first = try await SigningKeys.open(directory: path, threads: threads)
            try ES256PrivateKey().publicKey.pemRepresentation.write(
                toFile: path + "/key-0002.pem",
                atomically: false,
                encoding: .utf8
            )
            let both = try await SigningKeys.open(directory: path, threads: threads)
            #expect(await both.current().byID.count == 2)
            #expect(await both.current().signer.id == first.current().signer.id)
            try FileManager.default.removeItem(atPath: path + "/key-0001.pem")
            await #expect(throws: KeyDirectoryError.noPrivateKey) {
                try await SigningKeys.open(directory: path, threads: threads)
            }
        }
    }

    @Test func `what isn't a key, or is readable by all, refuses to start`() async throws {
        try await withDirectory { path in
            _ = try await SigningKeys.open(directory: path, threads: threads)
            let (file, bad) = (path + "/key-0001.pem", path + "/key-0002.pem")
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
            await #expect(throws: KeyDirectoryError.readableByAll(path: file)) {
                try await SigningKeys.open(directory: path, threads: threads)
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            for text in ["", "hello", ES384PrivateKey().pemRepresentation] {
                try text.write(toFile: bad, atomically: false, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: bad)
                await #expect(throws: KeyDirectoryError.notAKey(path: bad)) {
                    try await SigningKeys.open(directory: path, threads: threads)
                }
            }
            for number in 3...40 { try "x".write(toFile: path + "/\(number).pem", atomically: false, encoding: .utf8) }
            await #expect(throws: KeyDirectoryError.tooMany(path: path)) {
                try await SigningKeys.open(directory: path, threads: threads)
            }
        }
    }

    @Test func `a directory that can't be made refuses to start`() async throws {
        await #expect(throws: KeyDirectoryError.self) {
            try await SigningKeys.open(directory: "/proc/keys-of-ours", threads: threads)
        }
    }

    @Test func `a key's id is its thumbprint of RFC 7638`() async throws {
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
            OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
            1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
            -----END PRIVATE KEY-----
            """
        let key = try #require(await SigningKey.read(pem: pem))
        // SHA-256 over the members crv, kty, x and y, by another implementation.
        #expect(key.id == "19J8y7Zprt2-QKLjF2I5pVk0OELX6cY2AfaAv1LC_w8")
        #expect(key.json["x"] == "EVs_o5-uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf84")
        #expect(key.isPrivate)
    }
}
