import Approvals
import Compliance
import DataProtection
import DeFi
import DomainKit
import HTTP
import Identity
import KYC
import Kernel
import Logging
import Messaging
import Observability
import PostgreSQL
import Projections
import ServiceLifecycle
import Settings
import Streams

extension Program {
    /// What a process runs that answers requests: the API, and what its handlers hand their work to.
    var servingServices: [any Service] {
        let hub = StreamHub(
            domains.flatMap(\.streams),
            relay: redis.map { RedisStreamRelay($0, logger: logger) },
            clock: clock,
            logger: logger
        )
        streams.attach(hub)
        let api = API(
            routes + [hub.route()],
            description: APIDescription(
                title: "diBoaS",
                version: "1",
                text: "One customer, three kinds of money.",
                serverURL: settings.http.publicURL
            ),
            operations: Operations(checks: readinessChecks, metrics: { PrometheusRegistry.shared.text() }),
            services: API.Services(
                authenticator: identity.authenticator,
                rateLimiter: rateLimiter,
                clock: clock,
                ids: ids,
                logger: logger,
                privateMaterial: PrivateMaterialScreen()
            )
        )
        let server = APIServer(
            api,
            at: .host(settings.http.host, port: settings.http.port),
            certificate: settings.http.certificate,
            trustedProxies: settings.http.trustedProxies,
            logger: logger
        )
        let letters: [any Service] = identity.letterWriter(logger: logger).map { [$0] } ?? []
        return sharedServices + [hub] + letters + domains.flatMap(\.servingServices) + gatedInboxWorkers + [server]
    }

    /// Every route but the stream.
    var routes: [Route] {
        identity.routes + ApprovalRoutes(approvals, cursors: cursors).routes + complianceRoutes + kycRoutes
            + projections.routes + domains.flatMap(\.routes) + PlatformRoutes(program: self).routes
            + DataProtectionRoutes(personalData, erasure, cursors: cursors).routes
    }

    /// The inboxes that are worked where requests are served.
    private var gatedInboxWorkers: [any Service] {
        domains.compactMap { domain in
            guard domain.inboxGate != nil, let runtime = domainRuntimes[type(of: domain).schema] else { return nil }
            return inboxWorker(of: domain, runtime)
        }
    }

    private func inboxWorker(of domain: any Domain, _ runtime: DomainRuntime) -> InboxWorker {
        InboxWorker(
            inbox: runtime.inbox,
            handlers: domain.inboxHandlers,
            signal: runtime.inboxSignal,
            logger: logger,
            isOpen: domain.inboxGate ?? { true }
        )
    }

    /// What every process runs: ledgers, signals, Redis.
    var sharedServices: [any Service] {
        var services: [any Service] = everyRuntime.map(\.ledger)
        if let redis { services.append(redis) }
        services.append(FeeScheduleListener(options: databases.options(of: .platform), fees: fees, logger: logger))
        for runtime in everyRuntime {
            let signals = [runtime.inboxSignal, runtime.outboxSignal]
            services.append(WorkSignalNotifier(pool: runtime.pool, signals: signals, logger: logger))
            services.append(
                WorkSignalListener(databases.options(of: runtime.schema), signals: signals, logger: logger)
            )
        }
        return services
    }

    /// The background work: inboxes, outboxes, sweepers, partitions, and what each domain adds.
    var workingServices: [any Service] {
        var services: [any Service] = domains.flatMap(\.services) + projections.services
        services.append(
            InboxWorker(
                inbox: platform.inbox,
                handlers: projections.inboxHandlers.merging(vendors.handlers(applications)) { first, _ in first },
                signal: platform.inboxSignal,
                logger: logger
            )
        )
        for domain in domains {
            guard let runtime = domainRuntimes[type(of: domain).schema] else { continue }
            if domain.inboxGate == nil { services.append(inboxWorker(of: domain, runtime)) }
            services.append(SweeperService(runtime, logger: logger))
        }
        for runtime in everyRuntime {
            services.append(
                OutboxRelay(
                    pool: runtime.pool,
                    schema: runtime.schema,
                    transports: transports(of: runtime.schema),
                    signal: runtime.outboxSignal,
                    logger: logger
                )
            )
            services.append(LedgerCheck(runtime: runtime, pauseSeconds: settings.writes.checkSeconds, logger: logger))
        }
        services += complianceServices
        services.append(Housekeeping(chores: chores, logger: logger))
        return services
    }

    /// The platform's runtime and the domains'.
    var everyRuntime: [DomainRuntime] { [platform] + domains.compactMap { domainRuntimes[type(of: $0).schema] } }

    /// Where a schema's events go: to the domains that subscribed to them, and to Redis.
    private func transports(of schema: Schema) -> [any EventTransport] {
        let subscriptions = domains.compactMap { domain -> Subscription? in
            guard let types = type(of: domain).subscriptions[schema],
                let runtime = domainRuntimes[type(of: domain).schema]
            else { return nil }
            return Subscription(inbox: runtime.inbox, types: types, signal: runtime.inboxSignal)
        }
        // The platform's projections hear everything, and take it in any order.
        let everything = Subscription(inbox: platform.inbox, signal: platform.inboxSignal, isOrdered: false)
        let bus = InProcessBus(from: schema, to: subscriptions + (schema == .platform ? [] : [everything]))
        guard let redis else { return [bus] }
        return [bus, RedisStreamTransport(client: redis, schema: schema)]
    }

    private var readinessChecks: [Operations.ReadinessCheck] {
        everyRuntime.map { runtime in
            Operations.ReadinessCheck("postgresql_\(runtime.schema)") { _ = try await runtime.pool.query("select 1") }
        }
    }

    private var rateLimiter: any RateLimiter { redis.map { SharedRateLimiter($0, clock: clock) } ?? LocalRateLimiter() }
}

extension Settings.HTTP {
    /// What the server proves itself with; nil for plain HTTP.
    fileprivate var certificate: APIServer.Certificate? {
        guard let certificateFile, let certificateKeyFile else { return nil }
        return APIServer.Certificate(chainFile: certificateFile, keyFile: certificateKeyFile)
    }
}
