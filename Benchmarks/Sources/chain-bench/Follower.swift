import BenchServers
import Compliance
import Cryptography
import DataProtection
import DeFi
import DomainKit
import Fees
import Foundation
import HTTP
import Identity
import Kernel
import Ledger
import Logging
import Migrations
import OutboundHTTP
import PostgreSQL
import ServiceLifecycle
import Settings
import Streams

/// DeFi put together as the program does it, following a chain in this process.
struct Follower: Sendable {
    /// Between two looks at the chain's newest block; the least that the program takes.
    static let pollMilliseconds = 50

    let chain: SyntheticChain
    let server: BenchServer
    let pool: Pool
    let ids = IDGenerator()
    let runtime: DomainRuntime
    private let domain: DeFiDomain

    /// Puts it together on a server's database, with a chain that is asked at a URL.
    init(on server: BenchServer, of chain: SyntheticChain, at url: String, logger: Logger) async throws {
        (self.server, self.chain) = (server, chain)
        let platform = Self.pool(.platform, server)
        pool = Self.pool(.defi, server)
        let services = try await Self.services(server, platform, url, ids, logger)
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: logger)
        domain = try await DeFiDomain(runtime, services)
    }

    private static func services(
        _ server: BenchServer,
        _ platform: Pool,
        _ url: String,
        _ ids: IDGenerator,
        _ logger: Logger
    ) async throws -> PlatformServices {
        let clock = SystemClock()
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
        var outbound = HTTPClientConfiguration()
        (outbound.allowPlainHTTP, outbound.allowPrivateAddresses) = (true, true)
        return PlatformServices(
            settings: try settings(server, url),
            clock: clock,
            ids: ids,
            users: identity.directory,
            signIn: identity.provenSignIn,
            compliance: ComplianceGate(pool: platform, ids: ids, clock: clock),
            staffReads: StaffReads(pool: platform, ids: ids, clock: clock),
            fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
            outbound: HTTPClient(name: "bench", configuration: outbound, logger: logger),
            cursors: CursorSigner(key: RandomBytes.make(32)),
            streams: StreamOutlet(),
            redis: nil,
            logger: logger
        )
    }

    private static func settings(_ server: BenchServer, _ url: String) throws -> Settings {
        let deployment = server.directory + "/deployment.json"
        try Data(SyntheticChain.deployment.serialized()).write(to: URL(fileURLWithPath: deployment))
        let secret = Hex.encode(RandomBytes.make(32))
        return try Settings(
            environment: [
                "DATABASE_URL": server.url, "DIBOAS_CURSOR_SECRET": secret, "DIBOAS_MASTER_KEYS": "1:" + secret,
                "DIBOAS_JWT_KEYS_DIRECTORY": server.directory + "/keys", "DIBOAS_ALLOW_PRIVATE_ADDRESSES": "on",
                "DIBOAS_ETHEREUM_NODES": url, "DIBOAS_ETHEREUM_DEPLOYMENT": deployment,
                "DIBOAS_CHAIN_POLL_MILLISECONDS": String(pollMilliseconds),
            ],
            for: .serve
        )
    }

    private static func pool(_ schema: Schema, _ server: BenchServer) -> Pool {
        var options = ConnectionOptions(url: server.url, applicationName: "chain-bench", role: Roles.role(of: schema))
        options.statementTimeoutSeconds = 300
        return Pool(options, size: 16)
    }

    /// Runs `body` while the chain is followed.
    func following<Answer: Sendable>(_ body: @Sendable () async throws -> Answer) async throws -> Answer {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runtime.ledger.run() }
            for service in domain.services { group.addTask { try await service.run() } }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Something that didn't come about in time.
    struct Missing: Error, Sendable {
        let what: String
        let seconds: Double
    }

    private static let pauseMilliseconds = 2

    /// Looks again and again until something is so, for so many seconds at most.
    ///
    /// - Throws: `Missing`, which says what was waited for.
    func wait(for what: String, seconds: Double, until isSo: () async throws -> Bool) async throws {
        let start = ContinuousClock.now
        while try await !isSo() {
            guard (ContinuousClock.now - start) < .seconds(seconds) else { throw Missing(what: what, seconds: seconds) }
            try await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
        }
    }
}
