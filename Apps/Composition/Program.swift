import Compliance
import Cryptography
import DataProtection
import DomainKit
import Fees
import HTTP
import Identity
import KYC
import Kernel
import Logging
import Messaging
import Migrations
import Observability
import OutboundHTTP
import PostgreSQL
import Projections
import Redis
import Settings
import Streams

/// The whole program, put together: what `serve` and `worker` run, and what commands work on.
struct Program: Sendable {
    let settings: Settings
    let logger: Logger
    let clock: any WallClock
    let ids: IDGenerator
    let databases: Databases
    let platform: DomainRuntime
    let domainRuntimes: [Schema: DomainRuntime]
    let personalData: PersonalValues
    let identity: Identity
    let domains: [any Domain]
    let redis: RedisClient?
    let streams: StreamOutlet
    let fees: FeeCatalogCache
    let cursors: CursorSigner
    let projections: Projections
    let vendors: VendorWebhooks

    init(_ settings: Settings, logger: Logger, clock: any WallClock = SystemClock()) async throws {
        let ids = IDGenerator(clock: clock)
        let databases = Databases(settings: settings.database)
        func runtime(_ schema: Schema) -> DomainRuntime {
            DomainRuntime(schema: schema, pool: databases.pool(of: schema), ids, settings.writes, logger)
        }
        let platform = runtime(.platform)
        let masters = try KeyPlaces(settings: settings).masters()
        let personalData = PersonalValues(pool: platform.pool, masters: masters, ids: ids, clock: clock)
        let cursorKey = Program.cursorKey(settings)
        let handOver = HandOver(key: cursorKey)
        let redis = try settings.redisURL.map { try RedisClient(url: $0.reveal(), logger: logger) }
        let identity = try await Program.identity(settings, platform, personalData, redis, handOver, ids, clock)
        let schedules = FeeSchedules(platform.pool)
        let fees = FeeCatalogCache(clock: clock) { try await schedules.catalog() }
        let cursors = CursorSigner(key: cursorKey)
        let streams = StreamOutlet()
        let services = PlatformServices(
            settings: settings,
            clock: clock,
            ids: ids,
            users: identity.directory,
            signIn: identity.provenSignIn,
            compliance: ComplianceGate(pool: platform.pool, data: personalData, ids: ids, clock: clock),
            staffReads: StaffReads(pool: platform.pool, ids: ids, clock: clock),
            fees: fees,
            outbound: Program.outbound(settings, logger),
            cursors: cursors,
            handOver: handOver,
            streams: streams,
            redis: redis,
            logger: logger
        )
        var runtimes: [Schema: DomainRuntime] = [:]
        var domains: [any Domain] = []
        for type in domainTypes {
            let runtime = runtime(type.schema)
            runtimes[type.schema] = runtime
            domains.append(try await type.init(runtime, services))
        }
        (self.settings, self.logger, self.clock, self.ids) = (settings, logger, clock, ids)
        (self.databases, self.platform, self.domainRuntimes) = (databases, platform, runtimes)
        (self.identity, self.domains, self.fees, self.cursors) = (identity, domains, fees, cursors)
        (self.redis, self.streams, self.personalData) = (redis, streams, personalData)
        let sources = domains.compactMap { domain -> ProjectionSource? in
            let schema = type(of: domain).schema
            return runtimes[schema].map {
                ProjectionSource(schema: schema, pool: $0.pool, transactions: domain.export)
            }
        }
        vendors = try VendorWebhooks(
            persona: settings.providers.personaWebhookSecrets.map { $0.reveal() },
            sumsub: settings.providers.sumsubWebhookSecrets.map { $0.reveal() },
            inbox: platform.inbox
        )
        projections = Projections(pool: platform.pool, inbox: platform.inbox, sources: sources, logger: logger)
    }

    private static func identity(
        _ settings: Settings,
        _ platform: DomainRuntime,
        _ personalData: PersonalValues,
        _ redis: RedisClient?,
        _ handOver: HandOver,
        _ ids: IDGenerator,
        _ clock: any WallClock
    ) async throws -> Identity {
        let threads = WorkerThreads(threads: 2, queuedMax: 256)
        let keys = try await SigningKeys.open(
            directory: settings.keys.jwtDirectory ?? Program.defaultKeyDirectory(settings),
            threads: threads,
            clock: clock
        )
        var policy = IdentityPolicy()
        policy.confirmsAddresses = settings.keys.confirmsAddresses
        policy.verifiesByName = settings.providers.sandboxIsOn
        return Identity(
            pool: platform.pool,
            hasher: PasswordHasher(
                cost: settings.keys.passwordCost,
                threads: threads,
                breached: try settings.keys.breachedPasswordsFile.map { try BreachedPasswords(path: $0) }
            ),
            keys: keys,
            personalData: personalData,
            redis: redis,
            handOver: handOver,
            mail: settings.keys.mailDirectory.map { MailDirectory(path: $0, threads: threads, clock: clock) },
            issuer: settings.http.publicURL,
            policy: policy,
            ids: ids,
            clock: clock,
            outbox: platform.outboxSignal
        )
    }

    private static func outbound(_ settings: Settings, _ logger: Logger) -> HTTPClient {
        var rules = HTTPClientConfiguration()
        rules.allowPrivateAddresses = settings.allowsPrivateAddresses
        rules.allowPlainHTTP = settings.allowsPrivateAddresses
        return HTTPClient(name: "providers", configuration: rules, logger: logger)
    }

    private static func defaultKeyDirectory(_ settings: Settings) -> String { (settings.home ?? ".local") + "/keys" }

    // Commands make no cursors; a process of theirs gets a key that nobody else knows.
    private static func cursorKey(_ settings: Settings) -> [UInt8] {
        settings.keys.cursorSecret.map { SHA256Digest.of(Array($0.reveal().utf8)) } ?? RandomBytes.make(32)
    }
}

extension DomainRuntime {
    /// A runtime with the bounds of the settings.
    fileprivate init(
        schema: Schema,
        pool: Pool,
        _ ids: IDGenerator,
        _ writes: Settings.Writes,
        _ logger: Logger
    ) {
        self.init(
            schema: schema,
            pool: pool,
            ids: ids,
            logger: logger,
            batchMax: writes.batchMax,
            queueMax: writes.queueMax
        )
    }
}
