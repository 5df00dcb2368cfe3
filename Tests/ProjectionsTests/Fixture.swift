import DomainKit
import HTTP
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL
import Projections
import ServiceLifecycle
import TestSupport
import Testing

/// One domain whose ledger moves, and the platform that hears of it; nothing is carried but by a test.
struct Fixture: Sendable {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let domain: DomainRuntime
    let platform: Pool
    let inbox: Inbox
    let projections: Projections
    let ids = IDGenerator()
    let house: ID<LedgerAccount>

    /// Runs `body` with a database of its own, the ledger and the projections' store running.
    static func with(_ body: @Sendable (Fixture) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let fixture = try await Fixture(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fixture.domain.ledger.run() }
                let store = try #require(fixture.projections.services.first)
                group.addTask { try await store.run() }
                defer { group.cancelAll() }
                try await body(fixture)
            }
        }
    }

    private init(_ database: TestDatabase) async throws {
        let ids = IDGenerator()
        domain = DomainRuntime(schema: .investing, pool: database.pool(.investing), ids: ids, logger: Fixture.quiet)
        platform = database.pool(.platform)
        inbox = Inbox(pool: platform, schema: .platform, ids: ids, logger: Fixture.quiet)
        let pool = domain.pool
        let source = ProjectionSource(schema: .investing, pool: pool) { after, limit in
            // What the tests' events tell of transactions is what the domain knows of them.
            try await pool.query(
                """
                select distinct on (aggregate_id) aggregate_id, version, recorded_at, payload
                from investing.outbox_events
                where aggregate_type = 'transaction' and aggregate_id > \(after)
                order by aggregate_id, version desc
                limit \(limit)
                """
            ).map { (try $0[0], try $0[1], try $0[2], try $0[3]) }
        }
        projections = Projections(pool: platform, inbox: inbox, sources: [source], logger: Fixture.quiet)
        house = try await domain.accounts.open(AccountKey(house: "test_source", .usd), mayGoNegative: true)
    }

    // MARK: The domain

    func account(_ user: ID<User>, _ kind: String = "trading") async throws -> ID<LedgerAccount> {
        try await domain.accounts.open(AccountKey(user, kind, .usd))
    }

    /// Does commands as a transaction of the domain, whose event tells of the accounts.
    func act(
        _ user: ID<User>,
        _ commands: [LedgerCommand],
        transaction: ID<User>? = nil,
        version: Int64 = 1,
        status: String = "completed"
    ) async throws {
        let item = item(user, commands, transaction: transaction, version: version, status: status)
        guard case .done = try await domain.ledger.submit(item) else { throw Refused() }
    }

    /// What `act` submits.
    func item(
        _ user: ID<User>,
        _ commands: [LedgerCommand],
        transaction: ID<User>? = nil,
        version: Int64 = 1,
        status: String = "completed"
    ) -> LedgerItem {
        let transaction: ID<User> = transaction ?? ids.next()
        return LedgerItem(operation: transaction.cast(), commands: commands) { decision, _ in
            guard case .success(let receipt) = decision else { return LedgerItem.Finish() }
            let payload: JSON = [
                "user": .string(user.wire), "kind": "transfer", "status": .string(status), "asset": "USD",
                "amount": "5.00", "fee": "0.10", "counterparty": .null, "other_domain": "banking",
                "direction": "in", "balances": BalanceSnapshot.json(receipt),
            ]
            let event = OutboxEvent(
                id: ids.next(),
                aggregateType: "transaction",
                aggregate: transaction,
                version: version,
                type: "investing.transaction.\(status)",
                payload: payload
            )
            return LedgerItem.Finish(rows: [event])
        }
    }

    func credit(_ account: ID<LedgerAccount>, _ amount: Int128) -> LedgerCommand {
        .transfer(NewTransfer(id: ids.next(), debit: house, credit: account, amount: amount, code: "test"))
    }

    func reserve(
        _ account: ID<LedgerAccount>,
        _ amount: Int128,
        id: ID<Reservation>? = nil,
        lifetime: NewReservation.Lifetime = .unlimited
    ) -> LedgerCommand {
        .reserve(
            NewReservation(id: id ?? ids.next(), account: account, amount: amount, kind: "test", lifetime: lifetime)
        )
    }

    // MARK: The way to the platform

    /// Delivers the domain's events to the platform's inbox.
    func relay() async throws {
        let bus = InProcessBus(from: .investing, to: [Subscription(inbox: inbox, isOrdered: false)])
        _ = try await OutboxRelay(
            pool: domain.pool,
            schema: .investing,
            transports: [bus],
            signal: domain.outboxSignal,
            logger: Fixture.quiet
        ).drain()
    }

    /// Handles what is in the platform's inbox, that many events at once.
    func handle(atOnce lanesMax: Int = InboxWorker.lanesMax) async throws {
        try await InboxWorker(
            inbox: inbox,
            handlers: projections.inboxHandlers,
            signal: WorkSignal(.inbox, of: .platform),
            schedule: RetrySchedule(firstSeconds: 0.000_001, capSeconds: 0.000_001),
            lanesMax: lanesMax,
            logger: Fixture.quiet
        ).drain()
    }

    func settle() async throws {
        try await relay()
        try await handle()
    }

    // MARK: What is projected

    struct Shown: Hashable {
        let kind: String
        let available: Int128
        let reserved: Int128
    }

    func shown(_ user: ID<User>) async throws -> [Shown] {
        try await platform.query(
            "select kind, available, reserved from platform.user_balances where user_id = \(user) order by kind"
        ).map { Shown(kind: try $0[0], available: try $0[1], reserved: try $0[2]) }
    }

    /// Every row of the projection is what the domain's ledger has.
    func expectTrue(_ location: SourceLocation = #_sourceLocation) async throws {
        let truth = try await domain.pool.query(
            """
            select id::text || ' ' || (posted - reserved) || ' ' || reserved from investing.ledger_accounts
            where owner <> \(AccountKey.house) and version > 0 order by id
            """
        ).map { try $0[0] as String }
        let told = try await platform.query(
            "select account::text || ' ' || available || ' ' || reserved from platform.user_balances order by account"
        ).map { try $0[0] as String }
        #expect(told == truth, sourceLocation: location)
    }

    struct Refused: Error {}
}
