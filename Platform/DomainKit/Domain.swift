public import Compliance
public import DataProtection
public import HTTP
public import Kernel
public import Messaging
public import PostgreSQL
public import ServiceLifecycle
public import Streams

/// A page of a domain's transactions, after an id, of at most so many.
public typealias TransactionExport =
    @Sendable (_ after: UInt128, _ limit: Int) async throws
    -> [(id: UInt128, version: Int64, at: Timestamp, payload: JSON)]

/// A domain, as what it hands to the program: routes, background work, and what it wants to hear from other domains.
///
/// The list of domains is `Apps/Composition/Domains.swift`; nothing else names one.
public protocol Domain: Sendable {
    /// The schema that it owns; also its folder in `migrations/`, its role and the name in settings.
    static var schema: Schema { get }

    /// The types of events (without version) that it wants of other schemas.
    static var subscriptions: [Schema: Set<String>] { get }

    /// A domain on its own database and the platform's services.
    init(_ runtime: DomainRuntime, _ platform: PlatformServices) async throws

    /// What it serves.
    var routes: [Route] { get }

    /// What its routes hand their work to; runs wherever requests are served.
    var servingServices: [any Service] { get }

    /// What it does in the background, beside what every domain's runtime does.
    var services: [any Service] { get }

    /// What of its own it wants tidied now and then, beside what every schema has.
    var chores: [Chore] { get }

    /// Its transactions as projections want them, for their rebuilding: pages in the order of ids.
    var export: TransactionExport { get }

    /// The channels that it publishes on, through the outlet of its services.
    var streams: [StreamFamily] { get }

    /// What it stores about users beside its ledger, for their export and erasure.
    var userRecords: [any UserRecords] { get }

    /// Who of its customers keeps an address on a chain; nil where none are kept.
    var addressKeeper: (any AddressKeeper)? { get }

    /// Where there is one, its inbox is worked where requests are served, and only while this says so.
    var inboxGate: (@Sendable () -> Bool)? { get }

    /// What handles the events of its inbox, by source: a provider's name or another domain's schema.
    var inboxHandlers: [String: any InboxHandler] { get }
}

extension Domain {
    /// None.
    public var servingServices: [any Service] { [] }

    /// None.
    public var chores: [Chore] { [] }

    /// None.
    public var streams: [StreamFamily] { [] }

    /// None.
    public var userRecords: [any UserRecords] { [] }

    /// Nobody.
    public var addressKeeper: (any AddressKeeper)? { nil }

    /// None: its inbox is worked wherever background work runs.
    public var inboxGate: (@Sendable () -> Bool)? { nil }
}
