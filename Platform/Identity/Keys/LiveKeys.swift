import DataProtection
import HTTP
import Kernel
import PostgreSQL

/// A key that counts, with what is needed to hold a request against it.
struct LiveKey: Sendable {
    let id: ID<APIKey>
    let user: ID<User>
    let algorithm: APIKey.Algorithm
    /// The HMAC's secret or the public key.
    let material: [UInt8]
    let addresses: [AddressRange]
    let expiresAt: Timestamp
    let principal: Principal
}

/// Which keys of programs count, in memory, at most a few seconds old.
///
/// A key that this process revokes is refused at once; one that another process revokes, within `stalenessSeconds`.
final class LiveKeys: Sendable {
    /// Keys that are kept in memory at most.
    private static let keysMax = 50_000
    /// How old `last_used_at` may be, in seconds.
    private static let noteSeconds: Int64 = 60

    private let pool: Pool
    private let clock: any WallClock
    private let keys: CachedReads<ID<APIKey>, LiveKey>
    private let noted = AgingCache<ID<APIKey>, Bool>(entriesMax: LiveKeys.keysMax)

    init(pool: Pool, secrets: PersonalValues, clock: any WallClock, stalenessSeconds: Int64) {
        (self.pool, self.clock) = (pool, clock)
        keys = CachedReads(entriesMax: Self.keysMax, ageMaxSeconds: stalenessSeconds, clock: clock) { ids in
            try await Self.read(ids, pool, secrets, at: clock.now())
        }
    }

    /// A key that is there, neither revoked nor over, of a user who is active and has a second factor; else nil.
    func find(_ id: ID<APIKey>) async throws -> LiveKey? { try await keys.value(for: id) }

    /// Has the next question about a key read anew; to be called once its end is committed.
    func forget(_ ids: some Sequence<ID<APIKey>>) { keys.forget(ids) }

    /// Notes that a key was used, at most once a minute.
    func note(_ id: ID<APIKey>) async throws {
        let now = clock.now()
        guard noted.value(for: id, at: now) == nil else { return }
        let mark = noted.mark()
        noted.insert(true, for: id, from: now, until: now.adding(seconds: LiveKeys.noteSeconds), readAt: mark)
        _ = try await pool.query(
            """
            update platform.api_keys
            set last_used_at = \(now)
            where id = \(id) and (last_used_at is null or last_used_at < \(now.adding(seconds: -LiveKeys.noteSeconds)))
            """
        )
    }

    /// What a key may do is what its scopes and its user's roles both permit.
    private static func read(
        _ ids: [ID<APIKey>],
        _ pool: Pool,
        _ secrets: PersonalValues,
        at now: Timestamp
    ) async throws -> [ID<APIKey>: LiveKey] {
        let rows = try await pool.query(
            """
            select k.id, k.user_id, k.algorithm, k.public_key, k.addresses, k.expires_at,
                (select coalesce(array_agg(distinct p.permission), '{}')
                from platform.user_roles r
                join platform.role_permissions p on p.role = r.role
                join platform.api_scopes s on s.permission = p.permission
                where r.user_id = k.user_id and s.scope = any(k.scopes)) as permissions
            from platform.api_keys k
            join platform.users u on u.id = k.user_id
            join platform.second_factors f on f.user_id = k.user_id
            where k.id = any(\(ids)) and k.revoked_at is null and k.expires_at > \(now) and u.status = 'active'
                and f.confirmed_at is not null
            """
        )
        let places = try rows.map { row in PersonalValues.Place(try row[1], item: (try row[0] as ID<APIKey>).value) }
        let sealed = try await secrets.secrets(.apiKey, at: places)
        var keys: [ID<APIKey>: LiveKey] = [:]
        for (row, place) in zip(rows, places) {
            let (id, user): (ID<APIKey>, ID<User>) = (try row[0], try row[1])
            let (algorithm, publicKey): (APIKey.Algorithm, Bytes?) = (try row[2], try row[3])
            let (addresses, permissions): ([String], [String]) = (try row[4], try row[6])
            // One that was revoked between the two statements has no secret any more.
            guard let material = publicKey?.array ?? sealed[place] else { continue }
            keys[id] = LiveKey(
                id: id,
                user: user,
                algorithm: algorithm,
                material: material,
                addresses: addresses.compactMap { AddressRange($0) },
                expiresAt: try row[5],
                principal: Principal(
                    user: user,
                    permissions: Set(permissions.map { Permission($0) }),
                    key: id.wire,
                    assurance: .signature
                )
            )
        }
        return keys
    }
}
