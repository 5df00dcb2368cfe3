import Compliance
import DomainKit
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import Banking

/// Banking's settlement and calls over a database of its own, with a customer and a provider that does as it is told.
struct BankWorld: Sendable {
    let database: TestDatabase
    let pool: Pool
    let platform: Pool
    let runtime: DomainRuntime
    let compliance: ComplianceGate
    let checks: MovementChecks
    let settlement: Settlement
    let calls: ProviderCalls
    let transactions: Transactions
    let journal: TransactionJournal
    let provider = ObedientProvider()
    let user: ID<User>
    let ids = IDGenerator()

    static func with(_ body: (BankWorld) async throws -> Void) async throws {
        try await TestDatabase.with { database in try await body(try await BankWorld(database)) }
    }

    private init(_ database: TestDatabase) async throws {
        let (schema, clock) = (Schema.banking, SystemClock())
        self.database = database
        platform = database.pool(.platform)
        compliance = ComplianceGate(pool: platform, ids: ids, clock: clock)
        pool = database.pool(.banking)
        user = ids.next()
        runtime = DomainRuntime(schema: schema, pool: pool, ids: ids, logger: .quiet)
        transactions = Transactions(schema: schema, pool: pool)
        journal = TransactionJournal(ids: ids)
        checks = MovementChecks(
            users: UserDirectory(pool: platform),
            compliance: compliance,
            fees: FeeCatalogCache { [platform] in try await FeeSchedules(platform).catalog() },
            limits: Limits(schema: schema, pool: pool, clock: clock),
            ids: ids,
            clock: clock
        )
        settlement = Settlement(
            commit: { [runtime] in try await runtime.ledger.submit(batch: [$0])[0] },
            ids: ids,
            accounts: runtime.accounts,
            transactions: transactions,
            fees: TransactionFees(schema: schema, pool: pool),
            journal: journal,
            checks: checks,
            clock: clock,
            logger: .quiet
        )
        calls = ProviderCalls(
            schema: schema,
            pool: pool,
            transactions: transactions,
            accounts: BankAccounts(schema: schema, pool: pool, ids: ids, clock: clock),
            providers: [provider.name: provider],
            settlement: settlement,
            logger: .quiet
        )
        try await register(user, "Ann Lee", as: "ann")
        try await fund()
    }

    /// Somebody who is identified.
    func register(_ user: ID<User>, _ name: String, as username: String) async throws {
        _ = try await platform.query(
            """
            insert into platform.users (id, email, username, name, password_hash, kyc_status, created_at, updated_at)
            values (\(user), \(username) || '@example.com', \(username), \(name), '$2b$10$' || repeat('a', 53),
                'approved', now(), now())
            """
        )
    }

    var checking: AccountKey { AccountKey(user, "checking", .usd) }

    /// What waits for a person.
    var held: HeldMovements { held {} }

    /// What waits for a person, where something happens between the last look at it and what is stored of it.
    func held(_ meanwhile: @escaping @Sendable () async throws -> Void) -> HeldMovements {
        let settlement = Settlement(
            commit: { [runtime] item in
                try await meanwhile()
                return try await runtime.ledger.submit(batch: [item])[0]
            },
            ids: ids,
            accounts: runtime.accounts,
            transactions: transactions,
            fees: TransactionFees(schema: .banking, pool: pool),
            journal: journal,
            checks: checks,
            clock: SystemClock(),
            logger: .quiet
        )
        return HeldMovements(
            transactions: transactions,
            fees: TransactionFees(schema: .banking, pool: pool),
            accounts: runtime.accounts,
            checks: checks,
            settlement: settlement,
            ids: ids,
            logger: .quiet
        )
    }

    /// A thousand dollars on the customer's account.
    private func fund() async throws {
        let house = AccountKey(house: "provider_clearing:sandbox", .usd)
        let found = try await MovementAccounts(customers: [checking], house: [house], runtime.accounts)
        let transfer = NewTransfer(
            id: ids.next(),
            debit: try found[house],
            credit: try found[checking],
            amount: 100_000,
            code: "test"
        )
        _ = try await runtime.ledger.submit(
            batch: [LedgerItem(operation: ids.next(), commands: [.transfer(transfer)])]
        )
    }

    /// What the customer may spend, in cents.
    func available() async throws -> Int128 {
        let balances = try await runtime.accounts.balances(of: user.value)
        return balances.first { $0.kind == "checking" }?.available.minorUnits ?? 0
    }

    /// A withdrawal of 400 dollars whose money is held, and the call that is to be made for it.
    func withdrawal(to linked: ID<BankAccount>? = nil) async throws -> ID<BankTransaction> {
        let id: ID<BankTransaction> = ids.next()
        let call = NewProviderCallRow(id: ids.next(), transaction: id, provider: provider.name, step: .createPayout)
        try await store(
            .withdrawal,
            id,
            .sentToProvider,
            linked: linked,
            lifetime: NewReservation.usualLifetime,
            [call]
        )
        return id
    }

    /// A payment or withdrawal of 400 dollars whose money is held until a person has looked at it.
    func inReview(_ kind: BankTransaction.Kind, to payee: ID<User>) async throws -> ID<BankTransaction> {
        let id: ID<BankTransaction> = ids.next()
        try await store(kind, id, .inReview, payee: kind == .payment ? payee : nil, lifetime: .unlimited, [])
        return id
    }

    private func store(
        _ kind: BankTransaction.Kind,
        _ id: ID<BankTransaction>,
        _ status: TransactionStatus,
        payee: ID<User>? = nil,
        linked: ID<BankAccount>? = nil,
        lifetime: NewReservation.Lifetime,
        _ more: [any StoredRow]
    ) async throws {
        let reservation: ID<Reservation> = ids.next()
        var made = BankTransaction(
            id: id,
            user: user,
            kind: kind,
            amount: Money(minorUnits: 40_000, .usd),
            fee: .zero(.usd),
            account: "checking",
            counterparty: payee,
            linkedAccount: linked,
            provider: kind == .payment ? nil : provider.name,
            quote: [:],
            at: SystemClock().now()
        )
        made.reservation = reservation
        made.follow([.init(.validating), .init(.balanceReserved), .init(status)])
        let held = NewReservation(
            id: reservation,
            account: try await runtime.accounts.open(checking),
            amount: 40_000,
            kind: kind.rawValue,
            lifetime: lifetime
        )
        let by = Initiator(system: "test", correlation: id.value)
        let stored = made
        let item = LedgerItem(operation: made.operation, commands: [.reserve(held)]) { [journal] decision, instant in
            let rows = journal.rows(stored, receipt: try? decision.get(), at: instant, by: by)
            return LedgerItem.Finish(rows: rows + more)
        }
        guard case .done = try await runtime.ledger.submit(batch: [item])[0] else {
            throw Problem(500, "internal_error", "The test's transaction was refused.")
        }
    }

    func transaction(_ id: ID<BankTransaction>) async throws -> BankTransaction {
        try #require(try await transactions.find(id))
    }

    /// How the call for a transaction stands.
    func callStatus(_ id: ID<BankTransaction>) async throws -> String {
        try await pool.query("select status from banking.provider_calls where transaction = \(id)")[0][0]
    }

    /// Has an operator stop the customer's outgoing money, or let it go again.
    func freeze(because reason: String?) async throws {
        let account = try await runtime.accounts.open(checking)
        let item = LedgerItem(operation: ids.next(), commands: [.freeze(account, because: reason)])
        guard case .done = try await runtime.ledger.submit(batch: [item])[0] else {
            throw Problem(500, "internal_error", "The test's freeze was refused.")
        }
    }

    /// Lets the time till the next attempt pass.
    func nextAttempt() async throws {
        _ = try await pool.query("update banking.provider_calls set next_at = clock_timestamp()")
        #expect(try await calls.round() == 1)
    }
}

/// A provider that answers as it is told, and counts what it is asked.
final class ObedientProvider: PaymentProvider {
    let name = "sandbox"
    private let state = Mutex<(answer: ProviderAnswer, asked: Int)>((.unavailable("away"), 0))

    /// How often it was asked.
    var asked: Int { state.withLock { $0.asked } }

    func answer(_ answer: ProviderAnswer) { state.withLock { $0.answer = answer } }

    private func reply() -> ProviderAnswer {
        state.withLock { state in
            state.asked += 1
            return state.answer
        }
    }

    func createDeposit(_ intent: ProviderIntent) async -> ProviderAnswer { reply() }
    func createPayout(_ intent: ProviderIntent) async -> ProviderAnswer { reply() }
    func createPurchase(_ intent: ProviderIntent) async -> ProviderAnswer { reply() }
    func createSale(_ intent: ProviderIntent) async -> ProviderAnswer { reply() }
    func refund(_ intent: ProviderIntent, of reference: String) async -> ProviderAnswer { reply() }
    func event(_ body: JSON) throws(ProviderEventError) -> ProviderEvent { throw .malformed("id") }
    func events(since: Timestamp) async throws -> [JSON] { [] }
}
