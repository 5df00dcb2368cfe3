import Cryptography
public import HTTP
import Kernel

/// Turns access tokens into callers.
///
/// A signature is verified once: afterwards the token's SHA-256 stands for what it says, until it expires. Whether its
/// session has been ended is asked of the database, at most once in `stalenessSeconds` per session: a session that this
/// process ends is refused at once, one that another process ends within that time. A change of roles takes effect with
/// the next access token.
public final class TokenAuthenticator: Authenticator {
    /// Tokens that are remembered at most.
    private static let tokensMax = 100_000

    private let tokens: AccessTokens
    private let sessions: LiveSessions
    private let signatures: KeyAuthenticator
    private let verified = AgingCache<[UInt8], AccessTokens.Verified>(entriesMax: TokenAuthenticator.tokensMax)

    init(tokens: AccessTokens, sessions: LiveSessions, signatures: KeyAuthenticator) {
        (self.tokens, self.sessions, self.signatures) = (tokens, sessions, signatures)
    }

    /// The user whose key signed the request, with what the key's scopes permit.
    ///
    /// - Throws: 401 `timestamp_out_of_window`, `unauthenticated` or `signature_replayed`, 403 `address_not_allowed`;
    ///   what the database throws when it can't be asked.
    public func principal(signed signature: RequestSignature, request: APIRequest) async throws -> Principal {
        try await signatures.principal(signature, request)
    }

    /// The caller that a token stands for.
    ///
    /// - Throws: `Problem.unauthenticated` for a token that isn't ours, has expired or whose session has ended; what
    ///   the database throws when it can't be asked.
    public func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        let now = request.now
        guard let verified = await verify(token, at: now),
            let session = try await sessions.find(SessionPlace(verified.session, of: verified.principal.user))
        else { throw Problem.unauthenticated }
        var principal = verified.principal
        principal.assurance = session.assurance
        return principal
    }

    /// The same caller, as long as its session or its key counts.
    ///
    /// - Throws: as `principal`.
    public func current(_ principal: Principal) async throws -> Principal {
        if let key = principal.key.flatMap({ ID<APIKey>(wire: $0) }) {
            guard try await signatures.keys.find(key) != nil else { throw Problem.unauthenticated }
            return principal
        }
        guard let id = principal.sessionID.flatMap({ ID<Session>(uuid: $0) }) else { return principal }
        guard let session = try await sessions.find(SessionPlace(id, of: principal.user)) else {
            throw Problem.unauthenticated
        }
        var fresh = principal
        fresh.assurance = session.assurance
        return fresh
    }

    /// The same caller, with its session read anew: a step-up in another process counts at once.
    ///
    /// - Throws: as `principal`.
    public func refreshed(_ principal: Principal) async throws -> Principal {
        if let id = principal.sessionID.flatMap({ ID<Session>(uuid: $0) }) {
            await sessions.forget(SessionPlace(id, of: principal.user))
        }
        return try await current(principal)
    }

    private func verify(_ token: String, at now: Timestamp) async -> AccessTokens.Verified? {
        guard token.utf8.count <= AccessTokens.bytesMax else { return nil }
        let digest = SHA256Digest.of(Array(token.utf8))
        if let known = verified.value(for: digest, at: now) { return known }
        let mark = verified.mark()
        guard let new = await tokens.verify(token, at: now) else { return nil }
        verified.insert(new, for: digest, from: now, until: new.expiresAt, readAt: mark)
        return new
    }
}
