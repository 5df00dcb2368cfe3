import DomainKit
import DomainTransfers
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL

/// A domain of a test's world.
struct Member: Sendable {
    let runtime: DomainRuntime
    let transfers: DomainTransfers
    let api: API
    let account: String
    private let trouble: Trouble
    private let subscribers: Subscribers

    init(_ schema: Schema, _ pool: Pool, _ book: any TransferBook, _ ids: IDGenerator, _ trouble: Trouble) {
        let accounts: [Schema: String] = [.banking: "checking", .investing: "trading", .defi: "positions"]
        account = accounts[schema] ?? "other"
        runtime = DomainRuntime(schema: schema, pool: pool, ids: ids, logger: World.quiet)
        let mount = DomainTransfers.Mount(
            others: World.schemas.filter { $0 != schema },
            account: account,
            assets: World.assets[schema] ?? []
        )
        transfers = DomainTransfers(runtime, mount, book: book, ids: ids, cursors: World.cursors, logger: World.quiet)
        api = API(
            transfers.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: AnyUser(), rateLimiter: Unlimited())
        )
        self.trouble = trouble
        subscribers = trouble.subscribers
        subscribers.add(runtime.inbox, of: schema)
    }

    /// A relay to the inboxes of the other domains, by way of the world's trouble.
    func relay() -> OutboxRelay {
        let bus = InProcessBus(from: runtime.schema, to: subscribers.others(than: runtime.schema))
        return OutboxRelay(
            pool: runtime.pool,
            schema: runtime.schema,
            transports: [ShakyTransport(transport: bus, origin: runtime.schema, trouble: trouble)],
            signal: runtime.outboxSignal,
            logger: World.quiet
        )
    }

    /// A worker of the domain's inbox, by way of the world's trouble; failed events are due at once.
    func worker() -> InboxWorker {
        let handlers = transfers.inboxHandlers.mapValues {
            ShakyHandler(handler: $0, runtime: runtime, trouble: trouble) as any InboxHandler
        }
        return InboxWorker(
            inbox: runtime.inbox,
            handlers: handlers,
            signal: runtime.inboxSignal,
            schedule: RetrySchedule(firstSeconds: 0.000_001, capSeconds: 0.000_001),
            lanesMax: 8,
            logger: World.quiet
        )
    }
}

/// Every token is a user's id, who may do everything.
struct AnyUser: Authenticator {
    func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
        let names = World.schemas.flatMap { ["\($0):read", "\($0):move"] }
        return Principal(user: user, permissions: Set(names.map { Permission($0) }))
    }
}

/// Nobody is stopped.
struct Unlimited: RateLimiter {
    func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> RateLimitDecision {
        RateLimitDecision(isAllowed: true, remaining: 1, resetSeconds: 1)
    }
}
