import Cryptography
import DataProtection
import HTTP
import Kernel
import PostgreSQL

/// Keys of programs: made and revoked by their users.
struct APIKeys: Sendable {
    /// Bytes of an HMAC's secret.
    private static let secretBytes = 32

    /// A key that was just made.
    struct Made: Sendable {
        let key: APIKeyRecord
        /// The secret of an HMAC.
        let secret: [UInt8]?
    }

    let services: IdentityServices

    /// Makes a key; the secret of an HMAC is answered this once.
    ///
    /// - Throws: `keyTerms`, `tooManyKeys`.
    func create(
        _ terms: APIKey.Terms,
        for user: ID<User>,
        by origin: Origin
    ) async throws -> Made {
        try APIKeys.check(terms)
        let id: ID<APIKey> = services.ids.next()
        let secret = terms.algorithm == .hmacSHA256 ? RandomBytes.make(APIKeys.secretBytes) : nil
        let now = services.clock.now()
        let insert = APIKeys.insert(id, user, terms, at: now)
        let sealed = secret.map { [PersonalValue(.apiKey, item: id.value, bytes: $0)] } ?? []
        let key = try await services.personalData.store(sealed, of: user) { transaction in
            // The user's row is what keys made at the same time are counted under.
            let owner = try await services.users.lock(user, in: transaction)
            guard owner != nil else { throw Problem.notFound }
            let live: Int = try await transaction.query(APIKeys.count(of: user, at: now))[0][0]
            guard live < services.policy.apiKeysMax else { throw IdentityProblem.tooManyKeys }
            let rows = try await transaction.query(insert)
            let key = try APIKeyRecord(rows[0])
            let entry = services.journal.audit("api_key.made", user: user, by: origin, after: key.json)
            return services.closing(key, [], [entry], at: now)
        }
        return Made(key: key, secret: secret)
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
        let revoke: SQL = """
            update platform.api_keys
            set revoked_at = \(now)
            where id = \(id) and user_id = \(user) and revoked_at is null
            returning 1
            """
        let entry = services.journal.audit("api_key.revoked", user: user, by: origin, after: ["key": .string(id.wire)])
        try await services.pool.transact { transaction in
            guard try await transaction.query(revoke).count == 1 else { throw Problem.notFound }
            let forget = PersonalValues.removal(of: .apiKey, item: id.value, of: user)
            return services.closing((), [forget], [entry], at: now)
        }
        services.keys.forget([id])
    }

    private static func count(of user: ID<User>, at now: Timestamp) -> SQL {
        """
        select count(*) from platform.api_keys
        where user_id = \(user) and revoked_at is null and expires_at > \(now)
        """
    }

    private static func insert(
        _ id: ID<APIKey>,
        _ user: ID<User>,
        _ terms: APIKey.Terms,
        at now: Timestamp
    ) -> SQL {
        """
        insert into platform.api_keys
            (id, user_id, label, algorithm, public_key, scopes, addresses, created_at, expires_at)
        values (\(id), \(user), \(terms.label), \(terms.algorithm), \(terms.publicKey.map { Bytes($0) }),
            \(terms.scopes), \(terms.addresses.map(\.text)), \(now), \(now.adding(seconds: Int64(terms.days) * 86_400)))
        returning \(APIKeyRecord.columns)
        """
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
