public import HTTP
import Kernel
public import Logging
public import Messaging
public import PostgreSQL
public import ServiceLifecycle

/// What Platform knows of all domains, built from the events that they send.
///
/// Each row is replaced by newer states only, whatever order events come in, and carries the generation of the rebuild
/// that it belongs to.
public struct Projections: Sendable {
    /// Rows of one page of a rebuild.
    static let pageMax = 1_000
    /// Waiting events that are looked at for the oldest.
    private static let oldestMax = 100

    let schema: Schema
    let pool: Pool
    let sources: [ProjectionSource]
    let logger: Logger
    private let inbox: Inbox
    private let store: GroupCommit<ProjectionStore>
    private let watch: ProjectionWatch
    private let refreshSeconds: Double

    /// Projections in the platform's schema, of some domains.
    ///
    /// `pool` and `inbox` are the platform's; the worker of that inbox gets `inboxHandlers`. The summaries are
    /// refreshed every `refreshSeconds`.
    public init(
        schema: Schema = .platform,
        pool: Pool,
        inbox: Inbox,
        sources: [ProjectionSource],
        refreshSeconds: Double = 60,
        logger: Logger
    ) {
        (self.schema, self.pool, self.inbox, self.sources) = (schema, pool, inbox, sources)
        (self.refreshSeconds, self.logger) = (refreshSeconds, logger)
        store = GroupCommit(ProjectionStore(pool: pool, schema: schema), label: "projections")
        watch = ProjectionWatch()
    }

    /// What handles the domains' events in the platform's inbox: each domain's subscription has no filter of types.
    public var inboxHandlers: [String: any InboxHandler] {
        Dictionary(
            sources.map { ($0.schema.name, ProjectionHandler(domain: $0.schema.name, store: store)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// What stores events, refreshes the summaries, and watches the age of it all; the inbox's worker needs the first.
    public var services: [any Service] {
        [
            store, SummaryRefresher(projections: self, pauseSeconds: refreshSeconds),
            ProjectionAges(projections: self, watch: watch),
        ]
    }

    /// `GET /v1/balances`.
    public var routes: [Route] { [BalanceRoutes(schema: schema, pool: pool, watch: watch).list] }

    /// How far the projections of each domain have come, in the order of the sources.
    public func status() async throws -> [ProjectionStatus] {
        var statuses: [ProjectionStatus] = []
        for source in sources {
            let asOf = try await asOf(source)
            let rows = try await pool.query(
                """
                select (select count(*) from \(schema).user_balances where domain = \(source.schema.name)) as balances,
                    (select count(*) from \(schema).transaction_facts
                        where domain = \(source.schema.name)) as transactions,
                    (select rebuilt_at from \(schema).projections where domain = \(source.schema.name)) as rebuilt_at
                """
            )
            statuses.append(
                ProjectionStatus(
                    domain: source.schema.name,
                    asOf: asOf.instant,
                    ageSeconds: asOf.ageSeconds,
                    balances: try rows[0]["balances"],
                    transactions: try rows[0]["transactions"],
                    rebuiltAt: try rows[0]["rebuilt_at"]
                )
            )
        }
        return statuses
    }

    /// The instant up to which everything that a domain recorded is in the projections.
    ///
    /// The outbox is looked at first: what leaves it meanwhile is found in the inbox, or no more because it is done.
    func asOf(_ source: ProjectionSource) async throws -> (instant: Timestamp, ageSeconds: Double) {
        let now: Timestamp = try await pool.query("select clock_timestamp()")[0][0]
        let undelivered = try await source.undeliveredSeconds()
        // An event's own time stands in its envelope; the oldest are among the first that came.
        let rows = try await pool.query(
            """
            select coalesce(extract(epoch from clock_timestamp() - min(least(received_at,
                substring(encode(body, 'escape')
                    from '"time":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9.]{2,9}Z)"')::timestamptz))),
                0)::double precision
            from (
                select received_at, body
                from (
                    select received_at, body from \(schema).inbox
                    where due_at is not null and source = \(source.schema.name)
                    union all
                    select received_at, body from \(schema).inbox
                    where status = 'dead' and source = \(source.schema.name)
                ) open
                order by received_at
                limit \(Projections.oldestMax)
            ) waiting
            """
        )
        let age = max(undelivered, try rows[0][0] as Double, 0)
        return (Timestamp(microseconds: now.microseconds - Int64(age * 1e6)), age)
    }
}
