import BenchServers
import Compliance
import Cryptography
import DataProtection
import DomainKit
import Fees
import HTTP
import Identity
import Investing
import Kernel
import Ledger
import Logging
import Measuring
import Migrations
import OutboundHTTP
import PostgreSQL
import ServiceLifecycle
import Settings
import Streams

/// Investing put together as the program does it, with callers in this process: everything but sockets and sign-in.
struct Venue: Sendable {
    static let symbol = "BTC-USDC"
    /// How long the writer may take to lead with its books in memory.
    private static let patienceSeconds = 120.0
    private static let pauseMilliseconds = 5

    let server: BenchServer
    let pool: Pool
    let ids: IDGenerator
    let domain: InvestingDomain
    let api: API
    let logger: Logger

    /// A token is the wire form of a user's id.
    private struct Tokens: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            return Principal(user: user, permissions: ["investing:read", "investing:move"])
        }
    }

    /// Callers here are few and call as fast as they can.
    private struct Unlimited: RateLimiter {
        func count(_: String, in _: RateLimitClass, at _: Timestamp) async -> RateLimitDecision {
            RateLimitDecision(isAllowed: true, remaining: .max, resetSeconds: 0)
        }
    }

    /// Puts it together on a server's database.
    init(on server: BenchServer, logger: Logger) async throws {
        let (ids, clock) = (IDGenerator(), SystemClock())
        let pool = Venue.pool(.investing, server)
        let platform = Venue.pool(.platform, server)
        let secret = Hex.encode(RandomBytes.make(32))
        let settings = try Settings(
            environment: [
                "DATABASE_URL": server.url, "DIBOAS_CURSOR_SECRET": secret, "DIBOAS_MASTER_KEYS": "1:" + secret,
                "DIBOAS_JWT_KEYS_DIRECTORY": server.directory + "/keys",
            ],
            for: .serve
        )
        let threads = WorkerThreads(threads: 1, queuedMax: 8)
        let identity = Identity(
            pool: platform,
            hasher: PasswordHasher(cost: 10, threads: threads),
            keys: try await SigningKeys.open(directory: server.directory + "/keys", threads: threads),
            personalData: PersonalValues(
                pool: platform,
                masters: try LocalMasterKeys(ring: [(1, RandomBytes.make(32))])
            ),
            issuer: "http://127.0.0.1",
            ids: ids
        )
        let services = PlatformServices(
            settings: settings,
            clock: clock,
            ids: ids,
            users: identity.directory,
            signIn: identity.provenSignIn,
            compliance: ComplianceGate(pool: platform, ids: ids, clock: clock),
            staffReads: StaffReads(pool: platform, ids: ids, clock: clock),
            fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
            outbound: HTTPClient(name: "bench", logger: logger),
            cursors: CursorSigner(key: RandomBytes.make(32)),
            streams: StreamOutlet(),
            redis: nil,
            logger: logger
        )
        domain = try await InvestingDomain(
            DomainRuntime(schema: .investing, pool: pool, ids: ids, logger: logger),
            services
        )
        api = API(
            domain.routes,
            description: APIDescription(title: "Bench", version: "1", text: ""),
            services: API.Services(
                authenticator: Tokens(),
                rateLimiter: Unlimited(),
                clock: clock,
                ids: ids,
                logger: logger
            )
        )
        (self.server, self.pool, self.ids, self.logger) = (server, pool, ids, logger)
    }

    private static func pool(_ schema: Schema, _ server: BenchServer) -> Pool {
        var options = ConnectionOptions(
            url: server.url,
            applicationName: "trading-bench",
            role: Roles.role(of: schema)
        )
        // What follows millions of seeded rows may be slow, and is to be seen in the figures.
        options.statementTimeoutSeconds = 300
        return Pool(options, size: 16)
    }

    /// Runs `body` while this process writes Investing; how many seconds the writer took to lead is given to it.
    func withWriter<Answer: Sendable>(_ body: @Sendable (Double) async throws -> Answer) async throws -> Answer {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in domain.servingServices { group.addTask { try await service.run() } }
            defer { group.cancelAll() }
            return try await body(try await lead())
        }
    }

    /// Waits until the writer answers; the seconds that took.
    private func lead() async throws -> Double {
        let start = ContinuousClock.now
        while (ContinuousClock.now - start).inSeconds < Venue.patienceSeconds {
            let path = "/v1/investing/markets/\(Venue.symbol)/depth?limit=1"
            let isWriter = domain.inboxGate?() ?? true
            if isWriter, await respond("GET", path, as: ids.next()).status == 200 { break }
            try await Task.sleep(for: .milliseconds(Venue.pauseMilliseconds))
        }
        return (ContinuousClock.now - start).inSeconds
    }

    /// Opens the market: a tick of a cent and a lot of a ten-thousandth.
    func openMarket() async throws {
        let description: JSON = [
            "symbol": .string(Venue.symbol), "tick_size": "0.01", "lot_size": "0.0001", "notional_min": "1",
        ]
        _ = try await domain.operations.createMarket(description, by: "bench")
    }

    /// Asks as a user would, and insists on an answer.
    ///
    /// - Throws: `Refused` for another status.
    @discardableResult
    func ask(
        _ method: String,
        _ target: String,
        as user: ID<User>,
        _ body: JSON? = nil,
        key: String? = nil,
        expecting status: Int
    ) async throws -> JSON {
        let response = await respond(method, target, as: user, body, key: key)
        guard response.status == status else {
            let text = String(decoding: response.encodedBody()?.bytes ?? [], as: UTF8.self)
            throw Refused(target: target, status: response.status, body: text)
        }
        return try response.encodedBody().map { try JSON.parse($0.bytes) } ?? .null
    }

    /// Asks as a user would.
    func respond(
        _ method: String,
        _ target: String,
        as user: ID<User>,
        _ body: JSON? = nil,
        key: String? = nil
    ) async -> APIResponse {
        var headers: Headers = ["Authorization": "Bearer " + user.wire]
        if body != nil { headers.append("Content-Type", "application/json") }
        if let key { headers.append("Idempotency-Key", key) }
        return await api.respond(method, target, headers: headers, body: body?.serialized() ?? [])
    }

    /// An answer that wasn't expected.
    struct Refused: Error {
        let target: String
        let status: Int
        let body: String
    }
}
