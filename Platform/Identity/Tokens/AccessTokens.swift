import HTTP
import JWTKit
import Kernel

/// Signs and verifies access tokens: JWTs by ES256 (RFC 7515, RFC 9068).
struct AccessTokens: Sendable {
    /// A token that was verified.
    struct Verified: Sendable, Hashable {
        let principal: Principal
        let session: ID<Session>
        let expiresAt: Timestamp
    }

    /// No longer text is looked at, in bytes.
    static let bytesMax = 4_096
    /// How far the clock of the process that signed may be ahead of ours.
    private static let clockSkewSeconds: Int64 = 60
    private static let type = "at+jwt"
    private static let algorithm = "ES256"

    let keys: SigningKeys
    let issuer: String
    let lifetimeSeconds: Int64

    /// A token for a user's session.
    func issue(_ user: ID<User>, session: ID<Session>, _ grants: Grants, at now: Timestamp) async throws -> String {
        let signer = await keys.current().signer
        let claims = AccessClaims(
            iss: issuer,
            sub: user.wire,
            sid: session.description,
            roles: grants.roles,
            permissions: grants.permissions,
            iat: now.seconds,
            exp: now.seconds + lifetimeSeconds
        )
        return try await signer.collection.sign(claims, header: ["typ": .string(Self.type), "kid": .string(signer.id)])
    }

    /// What a token says, if one of our keys signed it, it is ours and its time isn't over; else nil.
    ///
    /// The algorithm is the key's, not the header's. A header with anything but `alg`, `kid` and `typ` is refused, and
    /// so is every critical extension (RFC 7515 §4.1.11).
    func verify(_ token: String, at now: Timestamp) async -> Verified? {
        guard token.utf8.count <= Self.bytesMax else { return nil }
        let bytes = Array(token.utf8)
        guard let (header, _, _) = try? DefaultJWTParser().parse(bytes, as: AccessClaims.self),
            Set(header.fields.keys) == ["alg", "kid", "typ"], header.alg == Self.algorithm, header.typ == Self.type,
            let id = header.kid, let key = await keys.key(id),
            let claims = try? await key.collection.verify(bytes, as: AccessClaims.self)
        else { return nil }
        return verified(claims, at: now)
    }

    private func verified(_ claims: AccessClaims, at now: Timestamp) -> Verified? {
        guard claims.iss == issuer, claims.iat <= now.seconds + Self.clockSkewSeconds, now.seconds < claims.exp,
            let user = ID<User>(wire: claims.sub), let session = ID<Session>(uuid: claims.sid)
        else { return nil }
        let principal = Principal(
            user: user,
            permissions: Set(claims.permissions.map { Permission($0) }),
            roles: claims.roles,
            sessionID: claims.sid
        )
        return Verified(principal: principal, session: session, expiresAt: Timestamp(seconds: claims.exp))
    }
}
