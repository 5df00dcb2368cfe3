public import Cryptography
public import DataProtection
public import HTTP
public import Kernel
public import Messaging
public import PostgreSQL

/// Who the users are, what they may do, and how they prove it: everything of it for one process.
public struct Identity: Sendable {
    /// Who the users are, for domains that move their money.
    public let directory: UserDirectory
    /// What turns access tokens into callers.
    public let authenticator: TokenAuthenticator
    let services: IdentityServices

    /// Identity over the platform's pool.
    ///
    /// `hasher` is a `PasswordHasher` with the cost of new hashes; older ones are renewed at sign-in. `issuer` is the
    /// URL under which clients reach us. `sealing` are the master keys for secrets of users, which a process that
    /// serves requests needs. `outbox` is raised after events of users are committed.
    public init(
        pool: Pool,
        hasher: any PasswordHashing,
        keys: SigningKeys,
        sealing: SealingKeys?,
        issuer: String,
        policy: IdentityPolicy = IdentityPolicy(),
        ids: IDGenerator = IDGenerator(),
        clock: any WallClock = SystemClock(),
        outbox: WorkSignal? = nil
    ) {
        let tokens = AccessTokens(keys: keys, issuer: issuer, lifetimeSeconds: policy.accessTokenSeconds)
        let sessions = LiveSessions(pool: pool, clock: clock, stalenessSeconds: policy.stalenessSeconds)
        directory = UserDirectory(pool: pool, clock: clock, stalenessSeconds: policy.stalenessSeconds)
        authenticator = TokenAuthenticator(tokens: tokens, sessions: sessions)
        services = IdentityServices(
            pool: pool,
            users: Users(pool: pool),
            attempts: LoginAttempts(pool: pool, policy: policy.lockout),
            passwords: Passwords(hasher: hasher),
            tokens: tokens,
            sessions: sessions,
            directory: directory,
            journal: IdentityJournal(ids: ids),
            sealer: SecretSealer(keys: sealing),
            policy: policy,
            ids: ids,
            clock: clock,
            outbox: outbox,
            signIns: SignInMetrics()
        )
    }

    /// `/v1/auth/…`, `/v1/me…`, `/v1/operator/users/…` and `/.well-known/jwks.json`.
    public var routes: [Route] {
        AuthenticationRoutes(services: services).routes + MeRoutes(services: services).routes
            + SecondFactorRoutes(services: services).routes + OperatorRoutes(services: services).routes
    }

    /// What is stored about users, for their export and erasure.
    public var userRecords: any UserRecords { IdentityRecords(services: services) }

    /// Begins sessions for users whom somebody else has proof of.
    public var provenSignIn: ProvenSignIn { ProvenSignIn(services: services) }

    /// Makes a user who looks after customers and their money; no route can.
    ///
    /// `actor` is who makes them, for the audit log: `operator:NAME`.
    /// - Returns: the new user's id.
    /// - Throws: an `IdentityProblem` (`emailTaken`, `usernameTaken`, `weakPassword`, …), or 400 for an address,
    ///   username or password that isn't one.
    public func createOperator(
        email: String,
        username: String,
        password: String,
        name: String? = nil,
        actor: String
    ) async throws -> ID<User> {
        guard let address = Email(email) else { throw Problem.malformed("bad_format", in: "/email") }
        guard Username.isPossible(username) else { throw Problem.malformed("bad_format", in: "/username") }
        let application = Registration.Application(
            email: address,
            username: username,
            password: password,
            name: name,
            role: .operator
        )
        let origin = Origin(system: actor, correlation: services.ids.next(Session.self).value)
        return try await Registration(services: services).register(application, by: origin).id
    }

    /// Makes a new key for access tokens when the newest is older than some days, and removes keys whose last tokens
    /// have ended.
    ///
    /// Idempotent.
    ///
    /// - Throws: a `KeyDirectoryError`.
    public func renewKeys(afterDays days: Int) async throws -> KeyRenewal {
        precondition(days > 0, "keys that are always too old")
        return try await services.tokens.keys.renew(
            lifetimeSeconds: Int64(days) * 86_400,
            tokenSeconds: services.policy.accessTokenSeconds
        )
    }

    /// Deletes sessions that ended so many days ago, with their refresh tokens, and forgotten sign-in attempts.
    ///
    /// At most `limit` of each, so that it can be repeated until nothing is left.
    /// - Returns: how many rows were deleted.
    public func sweep(retentionDays: Int = 30, limit: Int = 1_000) async throws -> Int {
        try await Sessions(services: services).sweep(retentionDays: retentionDays, limit: limit)
    }
}
