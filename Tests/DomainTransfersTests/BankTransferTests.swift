import Compliance
import DomainKit
import DomainTransfers
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// Banking's own book: limits, and a transaction beside each transfer.
@Suite struct BankTransferTests {
    /// Banking with its real book on the platform's schema, beside the other two with a test's.
    private func with(
        _ body: @Sendable (World, Bank) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let ids = IDGenerator()
            let bank = try await Bank(database, ids)
            let books: [Schema: any TransferBook] = [.banking: bank.book]
            let pools = Dictionary(uniqueKeysWithValues: World.schemas.map { ($0, database.pool($0)) })
            try await World.with(ids: ids, pools: pools, books: books) { world in try await body(world, bank) }
        }
    }

    @Test func `a transfer out is a transaction that is completed with it`() async throws {
        try await with { world, bank in
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .banking)
            let response = try await world.send(
                bank.user,
                Money(minorUnits: 4_000, .usd),
                from: .banking,
                to: .investing
            )
            let id = try #require(response.json["id"]?.stringValue.flatMap { ID<DomainTransfer>(wire: $0) })
            let transaction = id.cast(to: BankTransaction.self)
            #expect(response.json["transaction"]?.stringValue == transaction.wire)
            let sent = try #require(try await bank.transactions.find(transaction))
            #expect(sent.status == .inTransit)
            #expect(sent.otherDomain == "investing")
            #expect(sent.amount == Money(minorUnits: 4_000, .usd))
            try await world.settle()
            #expect(try await bank.transactions.find(transaction)?.status == .completed)
            #expect(try await bank.used(world) == 4_000)
            try await world.expectSettled()
        }
    }

    @Test func `a returned transfer gives back what it used of the limits`() async throws {
        try await with { world, bank in
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .banking)
            let id = try await world.sent(bank.user, Money(minorUnits: 4_000, .usd), from: .banking, to: .defi)
            #expect(try await bank.used(world) == 4_000)
            try await world.settle()
            let transaction = try #require(try await bank.transactions.find(id.cast()))
            #expect(transaction.status == .returned)
            #expect(transaction.reason == "asset_not_supported")
            #expect(try await bank.used(world) == 0)
            #expect(try await world.balance(bank.user, .usd, in: .banking) == 10_000)
            try await world.expectSettled()
        }
    }

    @Test func `a transfer in is a completed transaction`() async throws {
        try await with { world, bank in
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .investing)
            let id = try await world.sent(bank.user, Money(minorUnits: 4_000, .usd), from: .investing, to: .banking)
            try await world.settle()
            let transaction = try #require(try await bank.transactions.find(id.cast()))
            #expect(transaction.status == .completed)
            #expect(transaction.otherDomain == "investing")
            #expect(try await world.balance(bank.user, .usd, in: .banking) == 4_000)
            try await world.expectSettled()
        }
    }

    @Test func `a closed account takes no money`() async throws {
        try await with { world, bank in
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .investing)
            _ = try await bank.accounts.list(of: bank.user)
            _ = try await world.member(.banking).runtime.pool.query(
                "update banking.accounts set status = 'closed' where type = 'checking' and user_id = \(bank.user)"
            )
            let id = try await world.sent(bank.user, Money(minorUnits: 4_000, .usd), from: .investing, to: .banking)
            try await world.settle()
            #expect(try await world.transfer(id, of: bank.user, in: .investing).json["reason"] == "account_closed")
            #expect(try await world.balance(bank.user, .usd, in: .investing) == 10_000)
            try await world.expectSettled()
        }
    }

    @Test func `what the customer owes is paid from money that comes in`() async throws {
        try await with { world, bank in
            let runtime = try world.member(.banking).runtime
            let receivable = try await runtime.accounts.open(
                AccountKey(bank.user, "receivable", .usd),
                mayGoNegative: true
            )
            let house = try await runtime.accounts.open(AccountKey(house: "test_source", .usd), mayGoNegative: true)
            let owed = NewTransfer(id: world.ids.next(), debit: receivable, credit: house, amount: 1_500, code: "test")
            _ = try await runtime.ledger.submit(LedgerItem(operation: world.ids.next(), commands: [.transfer(owed)]))
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .investing)
            _ = try await world.sent(bank.user, Money(minorUnits: 4_000, .usd), from: .investing, to: .banking)
            try await world.settle()
            let balances = try await runtime.accounts.balances(of: bank.user.value)
            #expect(balances.first { $0.kind == "checking" }?.available.minorUnits == 2_500)
            #expect(balances.first { $0.kind == "receivable" }?.total.minorUnits == 0)
            try await world.expectSettled()
        }
    }

    @Test func `more than the limit of one transfer is refused`() async throws {
        try await with { world, bank in
            let response = try await world.send(
                bank.user,
                Money(minorUnits: 10_000_001, .usd),
                from: .banking,
                to: .investing
            )
            #expect(response.status == 422)
            #expect(response.json["code"] == "limit_exceeded")
        }
    }

    @Test(arguments: [ComplianceCases.Decision.released, .confirmed])
    func `a transfer of a customer whose case is open waits for two officers`(
        _ decision: ComplianceCases.Decision
    ) async throws {
        try await with { world, bank in
            try await world.fund(bank.user, Money(minorUnits: 10_000, .usd), in: .banking)
            let opened = try await bank.openCase()
            let id = try await world.sent(bank.user, Money(minorUnits: 4_000, .usd), from: .banking, to: .investing)
            let held = try #require(try await bank.transactions.find(id.cast()))
            #expect(held.status == .inReview && held.reservation != nil)
            #expect(try await world.status(of: id, bank.user, in: .banking) == "in_review")
            let transfers = try world.member(.banking).transfers
            #expect(try await transfers.lookAtHeld() == 0)
            #expect(try await bank.used(world) == 4_000)
            try await bank.decide(opened, decision)
            #expect(try await transfers.lookAtHeld() == 1)
            try await world.settle()
            let isReleased = decision == .released
            let ended = try #require(try await bank.transactions.find(id.cast()))
            #expect(ended.status == (isReleased ? .completed : .failed))
            #expect(ended.reason == (isReleased ? nil : "refused"))
            #expect(try await bank.used(world) == (isReleased ? 4_000 : 0))
            #expect(try await world.balance(bank.user, .usd, in: .investing) == (isReleased ? 4_000 : 0))
            #expect(try await world.balance(bank.user, .usd, in: .banking) == (isReleased ? 6_000 : 10_000))
            try await world.expectSettled()
        }
    }

    @Test func `an unknown user may not move money`() async throws {
        try await with { world, _ in
            let response = try await world.send(
                world.ids.next(),
                Money(minorUnits: 100, .usd),
                from: .banking,
                to: .investing
            )
            #expect(response.json["code"] == "user_not_active")
        }
    }
}

/// Banking's parts that the tests look into, and a customer.
struct Bank: Sendable {
    let user: ID<User>
    let book: BankTransferBook
    let transactions: Transactions
    let accounts: BankAccounts
    let compliance: ComplianceGate
    let cases: ComplianceCases

    init(_ database: TestDatabase, _ ids: IDGenerator) async throws {
        let (pool, platform, clock) = (database.pool(.banking), database.pool(.platform), SystemClock())
        user = ids.next()
        _ = try await platform.query(
            """
            insert into platform.users (id, email, username, password_hash, kyc_status, created_at, updated_at)
            values (\(user), 'ann@example.com', 'ann', '$2b$10$' || repeat('a', 53), 'approved', now(), now())
            """
        )
        let schema = Schema.banking
        transactions = Transactions(schema: schema, pool: pool)
        accounts = BankAccounts(schema: schema, pool: pool, ids: ids, clock: clock)
        compliance = ComplianceGate(pool: platform, ids: ids, clock: clock)
        cases = ComplianceCases(pool: platform, ids: ids, clock: clock)
        let checks = MovementChecks(
            users: UserDirectory(pool: platform),
            compliance: compliance,
            fees: FeeCatalogCache { try FeeCatalog(FeeSchedule.defaults) },
            limits: Limits(schema: schema, pool: pool, clock: clock),
            ids: ids,
            clock: clock
        )
        book = BankTransferBook(
            schema: schema,
            pool: pool,
            accounts: LedgerAccounts(schema: schema, pool: pool, ids: ids),
            checks: checks,
            transactions: transactions,
            journal: TransactionJournal(ids: ids)
        )
    }

    /// Opens a case that holds what leaves the customer.
    func openCase() async throws -> ID<ComplianceCase> {
        let alert = ComplianceCases.Alert(
            user: user,
            kind: .sanctions,
            subject: "a test",
            score: 700,
            explanation: ["a test"]
        )
        let id = try #require(try await cases.raise([alert], evidence: [:]))
        compliance.forget()
        return id
    }

    /// Two officers decide on the customer's case.
    func decide(_ id: ID<ComplianceCase>, _ decision: ComplianceCases.Decision) async throws {
        try await cases.propose(id, decision, by: "ada")
        try await cases.decide(id, agrees: true, by: "bob")
        compliance.forget()
    }

    /// What is used of the day's limit of transfers, in minor units.
    func used(_ world: World) async throws -> Int128 {
        try await world.member(.banking).runtime.pool.query(
            """
            select coalesce(sum(used), 0)::numeric(38,0) from banking.account_usage
            where counter = 'transfer' and span = 'day'
            """
        )[0][0]
    }
}
