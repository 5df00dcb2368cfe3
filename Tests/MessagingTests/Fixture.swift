import Kernel
import Logging
import Messaging
import PostgreSQL
import Synchronization
import TestSupport

/// Banking's schema on a database of the test's own, with a table that counts effects.
struct Fixture {
    let database: TestDatabase
    let pool: Pool
    let ids = IDGenerator()
    let schema = Schema.banking

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs `body` on a fixture of its own.
    static func with(poolSize: Int = 8, _ body: (Fixture) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let fixture = Fixture(database: database, pool: database.pool(size: poolSize))
            _ = try await fixture.pool.query(
                "create table banking.effects (place bigserial primary key, event uuid not null, note text not null)"
            )
            try await body(fixture)
        }
    }

    var inbox: Inbox { Inbox(pool: pool, schema: schema, ids: ids, logger: Fixture.quiet) }
    var outbox: Outbox { Outbox(pool: pool, schema: schema) }

    /// Commits rows as a batch does.
    func commit(_ rows: [any StoredRow]) async throws {
        try await pool.withTransaction { transaction in
            let at: Timestamp = try await transaction.query("select clock_timestamp()")[0][0]
            _ = try await transaction.pipeline(rows.statements(in: schema, at: at))
        }
    }

    /// The notes of all effects, in the order of their commits' statements.
    func effects() async throws -> [String] {
        try await pool.query("select note from banking.effects order by place").map { try $0[0] }
    }

    /// A single value of a query.
    func value<Value: SQLDecodable>(_ sql: SQL) async throws -> Value {
        try await pool.query(sql)[0][0]
    }

    /// How many rows the inbox has.
    func inboxRows() async throws -> Int { try await value("select count(*) from banking.inbox") }

    func worker(
        _ handler: any InboxHandler,
        source: String = "stripe",
        signal: WorkSignal? = nil,
        schedule: RetrySchedule = Fixture.soon,
        lanesMax: Int = 32
    ) -> InboxWorker {
        InboxWorker(
            inbox: inbox,
            handlers: [source: handler],
            signal: signal ?? WorkSignal(.inbox, of: schema),
            schedule: schedule,
            lanesMax: lanesMax,
            logger: Fixture.quiet
        )
    }

    /// A schedule on which a failed attempt is due again at once.
    static let soon = RetrySchedule(firstSeconds: 0.000_001, capSeconds: 0.000_001)

    func arrival(
        _ eventID: String,
        object: String? = nil,
        sequence: Int64? = nil,
        type: String = "paid",
        body: String = "{}",
        source: String = "stripe"
    ) -> InboxArrival {
        InboxArrival(
            source: source,
            eventID: eventID,
            type: type,
            objectID: object,
            sequence: sequence,
            headers: ["h": "v"],
            body: Array(body.utf8),
            origin: .webhook
        )
    }
}

/// The effect of an event: a row that counts.
struct Effect: StoredRow {
    let event: UInt128
    let note: String

    static func store(_ rows: [Effect], in schema: Schema, at: Timestamp) -> [SQL] {
        [
            """
            insert into \(schema).effects (event, note)
            select * from unnest(\(rows.map(\.event)), \(rows.map(\.note)))
            returning 1
            """
        ]
    }
}

/// A handler made of a closure.
struct Handler: InboxHandler {
    var attempts = 3
    let body: @Sendable (InboxEvent) async throws -> InboxDisposition

    func handle(_ event: InboxEvent) async throws -> InboxDisposition { try await body(event) }
    func attemptsMax(for type: String) -> Int { attempts }
}

/// Waits until a condition holds; false when it doesn't within the time.
func eventually(seconds: Double = 120, _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// A value behind a lock, for handlers and transports.
final class Box<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }

    var current: Value { value.withLock { $0 } }
    @discardableResult
    func change<Answer: Sendable>(_ body: @Sendable (inout Value) -> Answer) -> Answer { value.withLock { body(&$0) } }
}
