import Compliance
import Cryptography
import DataProtection
import DomainKit
import Fees
import HTTP
import Identity
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
    let personalData: PersonalData
    let identity: Identity
    let domains: [any Domain]
    let redis: RedisClient?
    let streams: StreamOutlet
    let fees: FeeCatalogCache
    let cursors: CursorSigner
    let projections: Projections

    init(_ settings: Settings, logger: Logger, clock: any WallClock = SystemClock()) async throws {
        let ids = IDGenerator(clock: clock)
        let databases = Databases(settings: settings.database)
        func runtime(_ schema: Schema) -> DomainRuntime {
            DomainRuntime(
                schema: schema,
                pool: databases.pool(of: schema),
                ids: ids,
                logger: logger,
                batchMax: settings.writes.batchMax,
                queueMax: settings.writes.queueMax
            )
        }
        let platform = runtime(.platform)
        let masters = try KeyPlaces(settings: settings).masters()
        let personalData = PersonalData(pool: platform.pool, masters: masters, ids: ids, clock: clock)
        let cursorKey = Program.cursorKey(settings)
        let identity = try await Program.identity(settings, platform, HandOver(key: cursorKey), ids, clock)
        let schedules = FeeSchedules(platform.pool)
        let fees = FeeCatalogCache(clock: clock) { try await schedules.catalog() }
        let cursors = CursorSigner(key: cursorKey)
        let redis = try settings.redisURL.map { try RedisClient(url: $0.reveal(), logger: logger) }
        let streams = StreamOutlet()
        let services = PlatformServices(
            settings: settings,
            clock: clock,
            ids: ids,
            users: identity.directory,
            signIn: identity.provenSignIn,
            compliance: ComplianceGate(pool: platform.pool, ids: ids, clock: clock),
            fees: fees,
            outbound: Program.outbound(settings, logger),
            cursors: cursors,
            handOver: HandOver(key: cursorKey),
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
        projections = Projections(pool: platform.pool, inbox: platform.inbox, sources: sources, logger: logger)
    }

    private static func identity(
        _ settings: Settings,
        _ platform: DomainRuntime,
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
        return Identity(
            pool: platform.pool,
            hasher: PasswordHasher(cost: settings.keys.passwordCost, threads: threads),
            keys: keys,
            sealing: try Program.masterKeys(settings),
            handOver: handOver,
            mail: settings.keys.mailDirectory.map { MailDirectory(path: $0, threads: threads, clock: clock) },
            issuer: settings.http.publicURL,
            ids: ids,
            clock: clock,
            outbox: platform.outboxSignal
        )
    }

    /// The ring of the master keys; nil where none are set, as for most commands.
    private static func masterKeys(_ settings: Settings) throws -> SealingKeys? {
        let keys = settings.keys.masterKeys.map { (id: $0.id, key: Hex.decode($0.hex.reveal()) ?? []) }
        guard let current = keys.first else { return nil }
        return try SealingKeys(current: current, previous: Array(keys.dropFirst()))
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
