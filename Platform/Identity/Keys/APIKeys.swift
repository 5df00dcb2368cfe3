import Cryptography
import HTTP
import Kernel
import PostgreSQL

/// Keys of programs: made and revoked by their users.
struct APIKeys: Sendable {
    /// Bytes of an HMAC's secret.
    private static let secretBytes = 32

    let services: IdentityServices

    /// Makes a key; the secret of an HMAC is answered this once.
    ///
    /// - Throws: `keyTerms`, `tooManyKeys`.
    func create(
        _ terms: APIKey.Terms,
        for user: ID<User>,
        by origin: Origin
    ) async throws -> (key: APIKeyRecord, secret: [UInt8]?) {
        try APIKeys.check(terms)
        let id: ID<APIKey> = services.ids.next()
        let secret = terms.algorithm == .hmacSHA256 ? RandomBytes.make(APIKeys.secretBytes) : nil
        let material = try secret.map { try services.sealer.seal($0, for: .apiKey, of: id.value) }
        let (now, max) = (services.clock.now(), services.policy.apiKeysMax)
        let key = try await services.pool.transact { transaction in
            // The user's row is what keys made at the same time are counted under.
            guard try await services.users.lock(user, in: transaction) != nil else { throw Problem.notFound }
            let live: Int = try await transaction.query(
                """
                select count(*) from platform.api_keys
                where user_id = \(user) and revoked_at is null and expires_at > \(now)
                """
            )[0][0]
            guard live < max else { throw IdentityProblem.tooManyKeys }
            let stored = try await transaction.query(
                """
                insert into platform.api_keys
                    (id, user_id, label, algorithm, material, scopes, addresses, created_at, expires_at)
                values (\(id), \(user), \(terms.label), \(terms.algorithm),
                    \(material ?? Bytes(terms.publicKey ?? [])), \(terms.scopes), \(terms.addresses.map(\.text)),
                    \(now), \(now.adding(seconds: Int64(terms.days) * 86_400)))
                returning \(APIKeyRecord.columns)
                """
            )
            let key = try APIKeyRecord(stored[0])
            let entry = services.journal.audit("api_key.made", user: user, by: origin, after: key.json)
            return services.closing(key, [], [entry], at: now)
        }
        return (key, secret)
    }

    /// A user's keys that count, the newest first.
    func list(of user: ID<User>) async throws -> [APIKeyRecord] {
        try await services.pool.query(
            """
            select \(APIKeyRecord.columns)
            from platform.api_keys
            where user_id = \(user) and revoked_at is null and expires_at > \(services.clock.now())
            order by created_at desc, id desc
            limit \(services.policy.apiKeysMax)
            """
        ).map { row in try APIKeyRecord(row) }
    }

    /// Ends a key of a user.
    ///
    /// - Throws: 404 for one that isn't the user's, or has ended.
    func revoke(_ id: ID<APIKey>, of user: ID<User>, by origin: Origin) async throws {
        let now = services.clock.now()
        try await services.pool.transact { transaction in
            let ended = try await transaction.query(
                """
                update platform.api_keys
                set revoked_at = \(now)
                where id = \(id) and user_id = \(user) and revoked_at is null
                returning 1
                """
            )
            guard !ended.isEmpty else { throw Problem.notFound }
            let entry = services.journal.audit(
                "api_key.revoked",
                user: user,
                by: origin,
                after: ["key": .string(id.wire)]
            )
            return services.closing((), [], [entry], at: now)
        }
        services.keys.forget([id])
    }

    private static func check(_ terms: APIKey.Terms) throws(IdentityProblem) {
        switch (terms.algorithm, terms.publicKey) {
        case (.hmacSHA256, .some): throw .keyTerms(pointer: "/public_key", code: "unexpected")
        case (.ed25519, nil): throw .keyTerms(pointer: "/public_key", code: "missing")
        case (.ed25519, let key?) where !Ed25519.isUsable(publicKey: key) || !Ed25519.isOnCurve(key):
            throw .keyTerms(pointer: "/public_key", code: "no_public_key")
        default: break
        }
        guard Set(terms.scopes).count == terms.scopes.count else { throw .keyTerms(pointer: "/scopes", code: "twice") }
        guard !terms.scopes.contains(.withdraw) || !terms.addresses.isEmpty else {
            throw .keyTerms(pointer: "/addresses", code: "needed_to_withdraw")
        }
    }
}
