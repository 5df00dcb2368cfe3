import BenchServers
import Compliance
import Cryptography
import DataProtection
import DeFi
import DomainKit
import Fees
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
import WalletCrypto

/// DeFi put together as the program does it, following a chain in this process.
struct Follower: Sendable {
    let chain: LocalChain
    let pool: Pool
    let ids = IDGenerator()
    let runtime: DomainRuntime
    private let domain: DeFiDomain

    /// Puts it together on a server's database.
    init(on server: BenchServer, of chain: LocalChain, logger: Logger) async throws {
        let clock = SystemClock()
        let platform = Self.pool(.platform, server)
        pool = Self.pool(.defi, server)
        let secret = Hex.encode(RandomBytes.make(32))
        let settings = try Settings(
            environment: [
                "DATABASE_URL": server.url, "DIBOAS_CURSOR_SECRET": secret, "DIBOAS_MASTER_KEYS": "1:" + secret,
                "DIBOAS_JWT_KEYS_DIRECTORY": server.directory + "/keys", "DIBOAS_ALLOW_PRIVATE_ADDRESSES": "on",
                "DIBOAS_ETHEREUM_NODES": chain.url, "DIBOAS_ETHEREUM_DEPLOYMENT": chain.deployment,
                "DIBOAS_ETHEREUM_CONFIRMATIONS": "2", "DIBOAS_CHAIN_POLL_MILLISECONDS": "50",
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
            outbound: chain.http,
            cursors: CursorSigner(key: RandomBytes.make(32)),
            streams: StreamOutlet(),
            redis: nil,
            logger: logger
        )
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: logger)
        domain = try await DeFiDomain(runtime, services)
        self.chain = chain
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
}
