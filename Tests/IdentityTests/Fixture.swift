import Approvals
import Cryptography
import DataProtection
import Foundation
import HTTP
import Identity
import Kernel
import Logging
import Messaging
import PostgreSQL
import Redis
import Synchronization
import TestSupport
import Testing

/// Identity over a database of its own, behind its routes, on a clock that stands.
struct Fixture: Sendable {
    static let password = "correct horse staple"
    static let email = "ada@example.com"

    let database: TestDatabase
    let pool: Pool
    let clock: ManualClock
    let hasher: CountingHasher
    let keysDirectory: String
    let personalData: PersonalValues
    let identity: Identity
    let api: API
    let mailbox = Mailbox()
    let outbox = WorkSignal(.outbox, of: .platform)

    /// Runs `body` with a fixture; `policy` may change the bounds.
    static func with<Answer: Sendable>(
        policy change: (inout IdentityPolicy) -> Void = { _ in },
        _ body: (Fixture) async throws -> Answer
    ) async throws -> Answer {
        var policy = IdentityPolicy()
        policy.registrationLimit = RateLimitClass("registration", quota: 10_000, windowSeconds: 60, scope: .address)
        policy.signInLimit = RateLimitClass("sign-in", quota: 10_000, windowSeconds: 60, scope: .address)
        policy.refreshLimit = RateLimitClass("refresh", quota: 10_000, windowSeconds: 60, scope: .address)
        policy.verifiesByName = true
        change(&policy)
        let bounds = policy
        let directory = NSTemporaryDirectory() + "keys-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        return try await TestDatabase.with(.migrated) { database in
            try await body(try await Fixture(database, bounds, directory))
        }
    }

    private init(
        _ database: TestDatabase,
        _ policy: IdentityPolicy,
        _ directory: String,
        _ clock: ManualClock = ManualClock(SystemClock().now()),
        redis: RedisClient? = nil
    ) async throws {
        self.database = database
        pool = database.pool(.platform, size: 8)
        // Partitions are made around the present.
        self.clock = clock
        let threads = WorkerThreads(threads: 2, queuedMax: 1_000)
        hasher = CountingHasher(PasswordHasher(cost: 4, threads: threads))
        keysDirectory = directory
        let keys = try await SigningKeys.open(directory: directory, threads: threads, clock: clock)
        let masters = try LocalMasterKeys(ring: [(number: 1, key: Array(repeating: 7, count: 32))])
        personalData = PersonalValues(pool: pool, masters: masters, ids: IDGenerator(clock: clock), clock: clock)
        identity = Identity(
            pool: pool,
            hasher: hasher,
            keys: keys,
            personalData: personalData,
            redis: redis,
            mail: mailbox,
            issuer: "https://api.example.com",
            policy: policy,
            ids: IDGenerator(clock: clock),
            clock: clock,
            outbox: outbox
        )
        let approvals = Approvals(identity.approvalKinds, pool: pool, ids: IDGenerator(clock: clock), clock: clock)
        let cursors = CursorSigner(key: Array(repeating: 9, count: 32))
        api = API(
            identity.routes + ApprovalRoutes(approvals, cursors: cursors).routes + [Fixture.probe, Fixture.echo],
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: identity.authenticator,
                clock: clock,
                ids: IDGenerator(clock: clock),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }

    /// Says who asks.
    private static let probe = Route(
        .get,
        "/v1/probe",
        operationID: "probe",
        summary: "For any user",
        tag: "Test",
        access: .authenticated,
        responses: [200: ResponseShape("You.", .any)],
        rateLimit: nil
    ) { request in
        let principal = try request.requirePrincipal()
        let permissions = principal.permissions.map(\.name).sorted()
        return .ok([
            "user": .string(principal.user.wire), "session": .string(principal.sessionID ?? ""),
            "roles": .array(principal.roles.map { .string($0) }),
            "permissions": .array(permissions.map { .string($0) }),
        ])
    }

    /// Gives back what was sent.
    private static let echo = Route(
        .post,
        "/v1/echo",
        operationID: "echo",
        summary: "For who may trade",
        tag: "Test",
        access: .permission("investing:move"),
        parameters: [.query("x", .integer(0...9), "Any.")],
        body: .json(.object([.optional("text", .text(0...100))])),
        responses: [200: ResponseShape("What you sent.", .any)],
        rateLimit: nil
    ) { request in .ok(request.body) }

    /// Another process over the same database and keys.
    ///
    /// Its clock is its own; with a Redis, which needs clocks that agree, this one's.
    func sibling(redis: RedisClient? = nil) async throws -> Fixture {
        let clock = redis == nil ? ManualClock(SystemClock().now()) : clock
        return try await Fixture(database, IdentityPolicy(), keysDirectory, clock, redis: redis)
    }

    /// Sends a request and answers with status and body.
    @discardableResult
    func send(
        _ method: String,
        _ path: String,
        _ body: JSON? = nil,
        token: String? = nil,
        headers: [(String, String)] = [],
        from address: String = "192.0.2.7"
    ) async throws -> Answer {
        var fields = headers.map { (name: $0.0, value: $0.1) }
        if let token { fields.append(("Authorization", "Bearer " + token)) }
        if body != nil { fields.append(("Content-Type", "application/json")) }
        fields.append(("User-Agent", "tests/1"))
        let response = await api.respond(
            method,
            path,
            headers: Headers(fields),
            body: body?.serialized() ?? [],
            remoteAddress: address
        )
        let json = try response.encodedBody().map { try JSON.parse($0.bytes) } ?? .null
        let answer = Answer(status: response.status, headers: response.headers, json: json)
        expectDeclared(answer, method, path)
        return answer
    }

    /// Every answer is one that its route declares.
    private func expectDeclared(_ answer: Answer, _ method: String, _ path: String) {
        let parts = path.dropFirst().split(separator: "/")
        let route = api.routes.first { route in
            route.method.rawValue == method && route.path.segments.count == parts.count
                && zip(route.path.segments, parts).allSatisfy { segment, part in
                    if case .literal(let text) = segment { text == part } else { true }
                }
        }
        guard let route else { return }
        guard answer.status >= 400 else {
            let shape = route.responses[answer.status]
            #expect(shape != nil, "\(route.operationID) \(answer.status)")
            if let schema = shape?.schema { #expect(schema.faults(in: answer.json).isEmpty, "\(route.operationID)") }
            return
        }
        let code = answer.code ?? ""
        if Fixture.everywhere.contains(code) { return }
        #expect(route.problems[answer.status]?.contains(code) == true, "\(route.operationID) \(answer.status) \(code)")
    }

    /// Problems that follow from a declaration, or from a server that is away.
    private static let everywhere: Set<String> = [
        // What a kind of approval refuses is the kind's.
        "own_account", "role_not_possible",
        "unauthenticated", "forbidden", "two_factor_required", "step_up_required",
        "timestamp_out_of_window", "signature_replayed", "address_not_allowed", "invalid_request", "not_found",
        "precondition_required", "version_mismatch",
        "rate_limited", "database_unavailable",
    ]

    /// Registers a customer.
    @discardableResult
    func register(
        _ username: String = "ada",
        email: String = Fixture.email,
        password: String = Fixture.password
    ) async throws -> Answer {
        try await send(
            "POST",
            "/v1/auth/register",
            ["email": .string(email), "username": .string(username), "password": .string(password)]
        )
    }

    /// Signs in.
    func signIn(_ email: String = Fixture.email, password: String = Fixture.password) async throws -> Answer {
        try await send("POST", "/v1/auth/login", ["email": .string(email), "password": .string(password)])
    }

    /// Registers, signs in and answers with the access token.
    func customer(
        _ username: String = "ada",
        email: String = Fixture.email
    ) async throws -> (token: String, id: ID<User>) {
        let registered = try await register(username, email: email)
        let token = try #require(try await signIn(email).text("access_token"))
        return (token, try #require(registered.text("id").flatMap { ID<User>(wire: $0) }))
    }

    /// Sets up a second factor for a token's user, which steps the session up; answers with the app and the codes.
    @discardableResult
    func enrol(
        _ token: String,
        password: String = Fixture.password
    ) async throws -> (app: AuthenticatorApp, codes: [String]) {
        let begun = try await send("POST", "/v1/me/two-factor", ["password": .string(password)], token: token)
        #expect(begun.status == 201)
        let app = try AuthenticatorApp(uri: try #require(begun.text("uri")))
        let code = app.code(at: clock.now())
        let confirmed = try await send("POST", "/v1/me/two-factor/confirm", ["code": .string(code)], token: token)
        #expect(confirmed.status == 200)
        return (app, confirmed.json["recovery_codes"]?.elements?.compactMap(\.stringValue) ?? [])
    }

    /// An operator's access token and id, with a second factor and stepped up unless told otherwise.
    func `operator`(isSteppedUp: Bool = true) async throws -> (token: String, id: ID<User>) {
        let id = try await identity.createOperator(
            email: "olga@example.com",
            username: "olga",
            password: Fixture.password,
            actor: "operator:root"
        )
        let token = try #require(try await signIn("olga@example.com").text("access_token"))
        if isSteppedUp { try await enrol(token) }
        return (token, id)
    }

    /// One value of the database, by a statement with one column and row.
    func value<Value: SQLDecodable>(_ statement: SQL, as _: Value.Type = Value.self) async throws -> Value {
        try await pool.query(statement)[0][0]
    }

    /// The actions in the audit log, oldest first.
    func actions() async throws -> [String] {
        try await pool.query("select action from platform.audit_log order by batch, place").map { try $0[0] }
    }
}

/// An authenticator app: it knows what stands in the address that a user scans.
struct AuthenticatorApp: Sendable {
    private let totp: TOTP
    let secret: String

    init(uri: String) throws {
        let parts = uri.split(separator: "secret=")
        secret = String(try #require(parts.last?.prefix { $0 != "&" }))
        totp = try #require(TOTP(secretText: secret))
    }

    func code(at now: Timestamp) -> String { totp.code(step: totp.step(at: now)) }
}

/// What a request was answered with.
struct Answer: Sendable {
    let status: Int
    let headers: Headers
    let json: JSON

    func text(_ name: String) -> String? { json[name]?.stringValue }
    /// The problem's code.
    var code: String? { text("code") }
    /// The faults as `pointer code`.
    var faults: [String] {
        json["errors"]?.elements?.map { "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")" } ?? []
    }
}

/// A hasher that counts its work, and refuses it on demand.
final class CountingHasher: PasswordHashing {
    private struct State {
        var hashes = 0
        var verifications = 0
        var isOverloaded = false
    }

    private let hasher: PasswordHasher
    private let state = Mutex(State())

    init(_ hasher: PasswordHasher) { self.hasher = hasher }

    /// How often a stored hash, or none, was worked on.
    var verifications: Int { state.withLock { $0.verifications } }
    /// How many hashes were made.
    var hashes: Int { state.withLock { $0.hashes } }

    func overload(_ isOverloaded: Bool) { state.withLock { $0.isOverloaded = isOverloaded } }

    private func count(_ change: (inout State) -> Void) throws(PasswordError) {
        let isOverloaded = state.withLock { state in
            change(&state)
            return state.isOverloaded
        }
        if isOverloaded { throw .overloaded }
    }

    func hash(_ password: Password) async throws(PasswordError) -> String {
        try count { $0.hashes += 1 }
        return try await hasher.hash(password)
    }

    func verify(_ text: String, against hash: String) async throws(PasswordError) -> Bool {
        try count { $0.verifications += 1 }
        return try await hasher.verify(text, against: hash)
    }

    func verifyNothing() async throws(PasswordError) {
        try count { $0.verifications += 1 }
        try await hasher.verifyNothing()
    }

    func needsRehash(_ hash: String) -> Bool { hasher.needsRehash(hash) }
    func checkStrength(_ password: Password) async throws(PasswordError) { try await hasher.checkStrength(password) }
}

/// Keeps mail until somebody reads it.
final class Mailbox: MailTransport {
    private struct State {
        var mails: [Mail] = []
        var readers: [CheckedContinuation<Mail, Never>] = []
    }

    private let state = Mutex(State())

    func deliver(_ mail: Mail) async {
        let reader = state.withLock { state -> CheckedContinuation<Mail, Never>? in
            if state.readers.isEmpty {
                state.mails.append(mail)
                return nil
            }
            return state.readers.removeFirst()
        }
        reader?.resume(returning: mail)
    }

    /// The next mail, as soon as it is there.
    func next() async -> Mail {
        await withCheckedContinuation { reader in
            let mail = state.withLock { state -> Mail? in
                if state.mails.isEmpty {
                    state.readers.append(reader)
                    return nil
                }
                return state.mails.removeFirst()
            }
            if let mail { reader.resume(returning: mail) }
        }
    }

    /// How many wait to be read.
    var count: Int { state.withLock { $0.mails.count } }
}
