public import Compliance
public import DataProtection
public import Fees
public import HTTP
public import Identity
public import Kernel
public import Logging
public import OutboundHTTP
public import Redis
public import Settings
public import Streams

/// What the platform gives to every domain.
public struct PlatformServices: Sendable {
    /// The program's settings.
    public let settings: Settings
    /// The program's clock.
    public let clock: any WallClock
    /// What mints ids.
    public let ids: IDGenerator
    /// Who the users are.
    public let users: UserDirectory
    /// Begins sessions for users whom a domain has proof of.
    public let signIn: ProvenSignIn
    /// What is asked before money moves.
    public let compliance: ComplianceGate
    /// Where it is noted what staff read of users.
    public let staffReads: StaffReads
    /// The fee schedules in force.
    public let fees: FeeCatalogCache
    /// The one way to other servers.
    public let outbound: HTTPClient
    /// What makes cursors opaque.
    public let cursors: CursorSigner
    /// What a process marks requests with that it hands on to another one of ours.
    public let handOver: HandOver
    /// Where what is committed is published.
    public let streams: StreamOutlet
    /// A cache that can vanish at any time; nil where there is none.
    public let redis: RedisClient?
    /// Where log lines go.
    public let logger: Logger

    /// The services.
    public init(
        settings: Settings,
        clock: any WallClock,
        ids: IDGenerator,
        users: UserDirectory,
        signIn: ProvenSignIn,
        compliance: ComplianceGate,
        staffReads: StaffReads,
        fees: FeeCatalogCache,
        outbound: HTTPClient,
        cursors: CursorSigner,
        handOver: HandOver = HandOver(),
        streams: StreamOutlet,
        redis: RedisClient?,
        logger: Logger
    ) {
        (self.settings, self.clock, self.ids, self.users) = (settings, clock, ids, users)
        (self.signIn, self.staffReads) = (signIn, staffReads)
        (self.compliance, self.fees, self.outbound) = (compliance, fees, outbound)
        (self.cursors, self.handOver, self.streams) = (cursors, handOver, streams)
        (self.redis, self.logger) = (redis, logger)
    }
}
