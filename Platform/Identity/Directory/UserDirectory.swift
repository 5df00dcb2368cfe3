public import Kernel
public import PostgreSQL

/// Who the users are, for domains that move their money: in memory, at most a few seconds old.
///
/// A change that this process makes (a lock, a verification, a username) counts at once; one that another process makes
/// counts within `stalenessSeconds`. So for that time a user who was locked elsewhere can still move money, and money
/// for a username that changed hands goes to its former owner. Concurrent questions become one query.
public final class UserDirectory: Sendable {
    /// Users that are kept in memory at most.
    private static let usersMax = 100_000

    private let profiles: CachedReads<ID<User>, UserProfile>
    private let payees: CachedReads<String, ID<User>>
    private let lookups = PayeeLookups()
    private let clock: any WallClock

    /// A directory over the platform's pool.
    public init(pool: Pool, clock: any WallClock = SystemClock(), stalenessSeconds: Int64 = 5) {
        self.clock = clock
        profiles = CachedReads(
            entriesMax: Self.usersMax,
            ageMaxSeconds: stalenessSeconds,
            clock: clock
        ) { try await Self.readProfiles($0, pool) }
        payees = CachedReads(
            entriesMax: Self.usersMax,
            ageMaxSeconds: stalenessSeconds,
            clock: clock
        ) { try await Self.readPayees($0, pool) }
    }

    /// A user's profile; nil for an id that no user has.
    ///
    /// - Throws: what the pool throws, or 429 when too many questions wait.
    public func profile(_ id: ID<User>) async throws -> UserProfile? { try await profiles.value(for: id) }

    /// The user whom a payer means by `usr_…`, an e-mail address or `@username`, in either case of letters.
    ///
    /// Nil when there is none, or the user is locked or closed. It tells who has an account, so that a payer may ask
    /// for 100 different names in ten minutes, in each process.
    /// - Throws: as `profile`; 429 for one name too many.
    public func find(payee: String, for payer: ID<User>) async throws -> ID<User>? {
        // An id can't be guessed.
        if ID<User>(wire: payee) == nil { try lookups.admit(payee.lowercased(), by: payer, at: clock.now()) }
        return try await find(payee: payee)
    }

    /// The same for commands, without a bound.
    ///
    /// - Throws: as `profile`.
    func find(payee: String) async throws -> ID<User>? {
        guard let id = try await user(named: payee), try await profile(id)?.isActive == true else { return nil }
        return id
    }

    /// Has the next question about a user read anew; the routes of identity do so by themselves.
    public func forget(_ id: ID<User>) { profiles.forget([id]) }

    func forget(_ user: UserRecord) {
        profiles.forget([user.id])
        payees.forget([user.username, user.email])
    }

    private func user(named payee: String) async throws -> ID<User>? {
        if let id = ID<User>(wire: payee) { return id }
        if payee.hasPrefix("@") {
            let username = payee.dropFirst().lowercased()
            return Username.isPossible(username) ? try await payees.value(for: username) : nil
        }
        guard let email = Email(payee) else { return nil }
        return try await payees.value(for: email.text)
    }

    private static func readProfiles(_ ids: [ID<User>], _ pool: Pool) async throws -> [ID<User>: UserProfile] {
        let rows = try await pool.query(
            """
            select id, username, fee_tier, kyc_status, status
            from platform.users
            where id = any(\(ids))
            """
        )
        var profiles: [ID<User>: UserProfile] = [:]
        for row in rows {
            let (status, kycStatus): (UserStatus, KYCStatus) = (try row["status"], try row["kyc_status"])
            let profile = UserProfile(
                id: try row["id"],
                username: try row["username"],
                feeTier: try row["fee_tier"],
                identification: kycStatus.identification,
                isActive: status == .active
            )
            profiles[profile.id] = profile
        }
        return profiles
    }

    /// Users by address or username; every address has an `@` and no username has one, so the two can't be confused.
    private static func readPayees(_ names: [String], _ pool: Pool) async throws -> [String: ID<User>] {
        let rows = try await pool.query(
            """
            select email as name, id from platform.users where email = any(\(names))
            union all
            select username, id from platform.users where username = any(\(names))
            """
        )
        var users: [String: ID<User>] = [:]
        for row in rows { users[try row["name"]] = try row["id"] }
        return users
    }
}
