public import Approvals
public import DataProtection
public import HTTP
public import Kernel
public import Logging
public import Messaging
public import PostgreSQL
public import Redis

/// Who the users are, what they may do, and how they prove it: everything of it for one process.
public struct Identity: Sendable {
    /// Who the users are, for domains that move their money.
    public let directory: UserDirectory
    /// What turns access tokens into callers.
    public let authenticator: TokenAuthenticator
    let services: IdentityServices
    private let mail: (any MailTransport)?

    /// Identity over the platform's pool.
    ///
    /// `hasher` is a `PasswordHasher` with the cost of new hashes; older ones are renewed at sign-in. `issuer` is the
    /// URL under which clients reach us. `personalData` keeps secrets of users. `handOver` is known to all processes
    /// that hand requests on to each other. Sessions are shared in `redis`, if there is one. `outbox` is raised after
    /// events of users are committed.
    public init(
        pool: Pool,
        hasher: any PasswordHashing,
        keys: SigningKeys,
        personalData: PersonalValues,
        redis: RedisClient? = nil,
        handOver: HandOver = HandOver(),
        mail: (any MailTransport)? = nil,
        issuer: String,
        policy: IdentityPolicy = IdentityPolicy(),
        ids: IDGenerator = IDGenerator(),
        clock: any WallClock = SystemClock(),
        outbox: WorkSignal? = nil
    ) {
        let tokens = AccessTokens(keys: keys, issuer: issuer, lifetimeSeconds: policy.accessTokenSeconds)
        let sessions = LiveSessions(
            pool: pool,
            shared: SharedSessions(redis: redis),
            clock: clock,
            stalenessSeconds: policy.stalenessSeconds
        )
        self.mail = mail
        directory = UserDirectory(pool: pool, clock: clock, stalenessSeconds: policy.stalenessSeconds)
        let live = LiveKeys(
            pool: pool,
            secrets: personalData,
            clock: clock,
            stalenessSeconds: policy.stalenessSeconds
        )
        let signatures = KeyAuthenticator(
            keys: live,
            requests: SignedRequests(pool: pool, lifetimeSeconds: policy.receiveWindowSeconds * 4),
            windowSeconds: policy.receiveWindowSeconds,
            handOver: handOver
        )
        authenticator = TokenAuthenticator(tokens: tokens, sessions: sessions, signatures: signatures)
        services = IdentityServices(
            pool: pool,
            users: Users(pool: pool),
            attempts: LoginAttempts(pool: pool, policy: policy.lockout),
            passwords: Passwords(hasher: hasher),
            tokens: tokens,
            sessions: sessions,
            keys: live,
            directory: directory,
            journal: IdentityJournal(ids: ids),
            personalData: personalData,
            letters: LetterBox(isOpen: mail != nil),
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
            + SecondFactorRoutes(services: services).routes + APIKeyRoutes(services: services).routes
            + EmailRoutes(services: services).routes + SessionRoutes(services: services).routes
            + OperatorRoutes(services: services).routes
    }

    /// What is stored about users, for their export and erasure.
    public var userRecords: any UserRecords { IdentityRecords(services: services) }

    /// Begins sessions for users whom somebody else has proof of.
    public var provenSignIn: ProvenSignIn { ProvenSignIn(services: services) }

    /// What writes letters to users, in each process that serves requests; nil without a transport for mail.
    public func letterWriter(logger: Logger) -> LetterWriter? {
        mail.map { LetterWriter(services: services, transport: $0, logger: logger) }
    }

    /// What takes two people: giving and taking roles of staff.
    public var approvalKinds: [ApprovalKind] { RoleGrants(services: services).kinds }

    /// Refuses routes that ask for a permission that no role can have, so that a misspelt one isn't served.
    ///
    /// - Throws: `UndeclaredPermissions`, or what the database throws.
    public func check(_ routes: [Route]) async throws {
        let rows = try await services.pool.query("select name from platform.permissions")
        let declared = Set(try rows.map { row in try row[0] as String })
        let missing = Set(routes.compactMap(\.access.permission?.name)).subtracting(declared)
        guard missing.isEmpty else { throw UndeclaredPermissions(names: missing.sorted()) }
    }

    /// A member of staff by username, for commands that act in their name; it has proven nothing.
    ///
    /// - Throws: 404 for who isn't an active member of staff.
    public func staff(named username: String) async throws -> Principal {
        guard let id = try await directory.find(payee: "@" + username) else { throw Problem.notFound }
        let grants = try await services.users.grants(id)
        guard Role.staff.contains(where: { grants.roles.contains($0.rawValue) }) else { throw Problem.notFound }
        return Principal(
            user: id,
            permissions: Set(grants.permissions.map { Permission($0) }),
            roles: grants.roles
        )
    }

    /// Makes a member of staff, by default one who looks after customers and their money; no route can.
    ///
    /// It goes around the agreement of two that a role takes otherwise, which is how the first admin comes about; the
    /// audit log has it as `break_glass`. `actor` is who makes them: `operator:NAME`.
    /// - Returns: the new user's id.
    /// - Throws: an `IdentityProblem` (`emailTaken`, `usernameTaken`, `weakPassword`, …), or 400 for an address,
    ///   username or password that isn't one.
    public func createOperator(
        email: String,
        username: String,
        password: String,
        name: String? = nil,
        role: Role = .operator,
        actor: String
    ) async throws -> ID<User> {
        guard let address = Email(email) else { throw Problem.malformed("bad_format", in: "/email") }
        guard Username.isPossible(username) else { throw Problem.malformed("bad_format", in: "/username") }
        let application = Registration.Application(
            email: address,
            username: username,
            password: password,
            name: name,
            role: role
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

    /// Deletes sessions that ended so many days ago, with their refresh tokens, and forgotten sign-in attempts, and
    /// sets usernames free that were asked for with an address that nobody has confirmed.
    ///
    /// At most `limit` of each, so that it can be repeated until nothing is left.
    /// - Returns: how many rows were deleted.
    public func sweep(retentionDays: Int = 30, limit: Int = 1_000) async throws -> Int {
        try await Sessions(services: services).sweep(retentionDays: retentionDays, limit: limit)
    }
}

/// Routes ask for permissions that no migration declares.
public struct UndeclaredPermissions: Error, Sendable, Hashable, CustomStringConvertible {
    /// The permissions.
    public let names: [String]
    /// For people.
    public var description: String { "No role can have what routes ask for: \(names.joined(separator: ", "))." }
}
