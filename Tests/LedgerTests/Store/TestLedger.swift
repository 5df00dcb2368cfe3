import Kernel
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// A ledger on a PostgreSQL database of the test's own, written to as the program does it: as the schema's role.
struct TestLedger: Sendable {
    static let schema = Schema.banking

    let database: TestDatabase
    let pool: Pool
    /// For what the schema's role may not do.
    let owner: Pool
    let ids = IDGenerator()
    /// May go negative: where the test's money comes from.
    let house: ID<LedgerAccount>
    /// What can be spent by a test's customers, one account each.
    let customers: [ID<LedgerAccount>]

    /// Runs `body` with an empty ledger that has `customers` accounts.
    static func with<Answer: Sendable>(
        customers: Int = 4,
        _ body: (TestLedger) async throws -> Answer
    ) async throws -> Answer {
        try await TestDatabase.with { database in
            try await body(try await TestLedger(database, customers: customers))
        }
    }

    private init(_ database: TestDatabase, customers: Int) async throws {
        (self.database, pool, owner) = (database, database.pool(TestLedger.schema), database.pool(size: 2))
        let accounts = LedgerAccounts(schema: TestLedger.schema, pool: pool, ids: ids)
        house = try await accounts.open(AccountKey(house: "test_house", .usd), mayGoNegative: true)
        var opened: [ID<LedgerAccount>] = []
        for _ in 0..<customers {
            opened.append(try await accounts.open(AccountKey(ids.next(User.self), "checking", .usd)))
        }
        self.customers = opened
    }

    var accounts: LedgerAccounts { LedgerAccounts(schema: TestLedger.schema, pool: pool, ids: ids) }
    var history: LedgerHistory { LedgerHistory(schema: TestLedger.schema, pool: pool) }
    var verifier: LedgerVerifier { LedgerVerifier(schema: TestLedger.schema, pool: pool) }

    /// Runs `body` with a ledger that takes items, on a pool of its own as another process has.
    func running<Answer: Sendable>(
        queueMax: Int = 50_000,
        poolSize: Int = 3,
        _ body: @Sendable (Ledger) async throws -> Answer
    ) async throws -> Answer {
        let ledger = Ledger(
            schema: TestLedger.schema,
            pool: database.pool(TestLedger.schema, size: poolSize),
            queueMax: queueMax
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await ledger.run() }
            defer { group.cancelAll() }
            return try await body(ledger)
        }
    }

    /// A sweeper that stores nothing besides.
    func sweeper(_ pool: Pool? = nil) -> ReservationSweeper {
        ReservationSweeper(schema: TestLedger.schema, pool: pool ?? self.pool, events: { _, _ in [] })
    }

    // MARK: Commands

    func item(
        _ commands: LedgerCommand...,
        key: IdempotencyKey? = nil,
        finish: @escaping @Sendable (LedgerItem.Decision, Timestamp) -> LedgerItem.Finish = { _, _ in .init() }
    ) -> LedgerItem {
        LedgerItem(operation: ids.next(), commands: commands, idempotency: key, finish: finish)
    }

    func pay(
        _ amount: Int128,
        from debit: ID<LedgerAccount>,
        to credit: ID<LedgerAccount>,
        _ funding: NewTransfer.Funding = .available
    ) -> LedgerCommand {
        .transfer(
            NewTransfer(id: ids.next(), debit: debit, credit: credit, amount: amount, code: "payment", funding: funding)
        )
    }

    /// Gives each customer so much.
    func fund(_ amount: Int128) async throws {
        let store = LedgerStore(schema: TestLedger.schema, pool: pool, onCommit: {})
        for outcome in try await store.commit(customers.map { item(pay(amount, from: house, to: $0)) }) {
            _ = try outcome.receipt
        }
    }

    /// Makes a reservation that ends at an instant, or never.
    func reserve(
        _ amount: Int128,
        on account: ID<LedgerAccount>,
        until: Timestamp? = nil,
        id: ID<Reservation>? = nil
    ) async throws -> ID<Reservation> {
        let id = id ?? ids.next()
        let store = LedgerStore(schema: TestLedger.schema, pool: pool, onCommit: {})
        let item = item(
            .reserve(
                NewReservation(id: id, account: account, amount: amount, kind: "withdrawal", lifetime: .unlimited)
            ),
            .extend(id, of: account, until: until)
        )
        _ = try await store.commit([item])[0].receipt
        return id
    }

    // MARK: What is stored

    func balance(_ account: ID<LedgerAccount>) async throws -> (posted: Int128, reserved: Int128) {
        let rows = try await pool.query(
            "select posted, reserved from \(TestLedger.schema).ledger_accounts where id = \(account)"
        )
        return (try rows[0]["posted"], try rows[0]["reserved"])
    }

    func phase(_ reservation: ID<Reservation>) async throws -> ReservationState.Phase {
        try await pool.query("select state from \(TestLedger.schema).reservations where id = \(reservation)")[0][0]
    }

    func count(_ statement: SQL) async throws -> Int { try await owner.query(statement)[0][0] }

    func transfers() async throws -> Int {
        try await count("select count(*) from \(TestLedger.schema).ledger_transfers")
    }

    func now() async throws -> Timestamp { try await pool.query("select clock_timestamp()")[0][0] }

    func expectSound(_ location: SourceLocation = #_sourceLocation) async throws {
        let findings = try await verifier.verify()
        #expect(findings.isEmpty, sourceLocation: location)
    }
}

extension LedgerOutcome {
    /// What was done; throws the refusal, or `NotDone` for a replay.
    var receipt: LedgerCore.Receipt {
        get throws {
            switch self {
            case .done(let receipt, _): return receipt
            case .refused(let refusal, _): throw refusal
            case .replayed, .keyReused: throw NotDone()
            }
        }
    }

    /// Why it was refused; nil otherwise.
    var refusal: LedgerRefusal? {
        if case .refused(let refusal, _) = self { refusal } else { nil }
    }

    struct NotDone: Error {}
}
