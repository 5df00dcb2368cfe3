import Compliance
import DataProtection
import Kernel
import Logging
import PostgreSQL
import Screening
import TestSupport

/// Compliance over a database of its own, on a clock that stands until it is moved.
struct ComplianceWorld: Sendable {
    let database: TestDatabase
    let pool: Pool
    let clock: ManualClock
    let ids: IDGenerator
    let data: PersonalValues
    let lists: SanctionsLists
    let customers: CustomerScreening
    let cases: ComplianceCases
    let gate: ComplianceGate
    let monitor: MovementMonitor

    static func with<Answer: Sendable>(_ body: (ComplianceWorld) async throws -> Answer) async throws -> Answer {
        try await TestDatabase.with { database in try await body(try ComplianceWorld(database)) }
    }

    private init(_ database: TestDatabase) throws {
        self.database = database
        pool = database.pool(.platform)
        clock = ManualClock(SystemClock().now())
        ids = IDGenerator(clock: clock)
        lists = SanctionsLists(pool: pool, ids: ids, clock: clock)
        let masters = try LocalMasterKeys(ring: [(number: 1, key: Array(repeating: 7, count: 32))])
        data = PersonalValues(pool: pool, masters: masters, ids: ids, clock: clock)
        customers = CustomerScreening(pool: pool, data: data, ids: ids, clock: clock)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
        gate = ComplianceGate(pool: pool, data: data, ids: ids, clock: clock)
        monitor = MovementMonitor(pool: pool, data: data, ids: ids, clock: clock, logger: Logger(label: "test"))
    }

    /// What compares customers with what came in with lists.
    func listSweep(_ keepers: [any AddressKeeper] = []) -> ListSweep {
        ListSweep(
            pool: pool,
            data: data,
            ids: ids,
            clock: clock,
            keepers: keepers,
            logger: Logger(label: "test")
        )
    }

    /// A user by name, registered now.
    func user(_ name: String?) async throws -> ID<User> {
        let id: ID<User> = ids.next()
        let (address, hash) = ("\(id)@example.com", "$2b$04$" + String(repeating: "a", count: 53))
        let username = "u" + String(id.value, radix: 36).suffix(12)
        _ = try await pool.query(
            """
            insert into platform.users (id, email, username, name, password_hash, kyc_status, preferences, version,
                event_version, created_at, updated_at)
            values (\(id), \(address), \(username), \(name), \(hash), 'approved', '{}', 1, 0,
                \(clock.now()), \(clock.now()))
            """
        )
        return id
    }

    /// A movement of so many dollars that the projections have heard of.
    func happened(
        _ type: String,
        _ dollars: Int128,
        to user: ID<User>,
        id: UInt128? = nil,
        payee: ID<User>? = nil
    ) async throws {
        clock.advance(seconds: 1)
        let fact = ID<User>(id ?? ids.next(User.self).value)
        _ = try await pool.query(
            """
            insert into platform.transaction_facts (domain, transaction, user_id, type, status, asset, amount, fee,
                counterparty, version, created_at, as_of, generation)
            values ('banking', \(fact), \(user), \(type), 'completed', 'USD', \(dollars * 100), 0, \(payee), 1,
                \(clock.now()), \(clock.now()), 1)
            """
        )
    }

    /// Puts other rules in force: what is changed of the usual ones.
    func rules(_ change: (inout PolicyParameters) -> Void) async throws {
        var parameters = PolicyParameters()
        change(&parameters)
        let sets = RuleSets(pool: pool, clock: clock)
        try await sets.use(try await sets.draft(parameters, reason: "test", by: "test"), as: .active)
        gate.forget()
    }

    /// Another process that asks the same database.
    func anotherGate() -> ComplianceGate { ComplianceGate(pool: pool, data: data, ids: ids, clock: clock) }

    /// Loads a list of persons by key and name.
    @discardableResult
    func load(_ names: [(key: String, name: String)], checksum: UInt8) async throws -> SanctionsLists.Report {
        var list = ReadList()
        list.parties = names.map { key, name in
            ListedParty(key: key, kind: .person, names: [ListedParty.Name(name)], births: [.years(1960...1960)])
        }
        return try await lists.load(list, of: .un, checksum: [UInt8](repeating: checksum, count: 32), by: "test")
    }

    /// A movement of so many dollars.
    func movement(_ kind: MoneyMovement.Kind, _ dollars: Int128, of user: ID<User>) -> MoneyMovement {
        MoneyMovement(
            subject: ids.next(User.self).value,
            user: user,
            kind: kind,
            amount: Money(minorUnits: dollars * 100, Asset(code: "USD") ?? .usd),
            identification: .approved
        )
    }

    func count(_ statement: SQL) async throws -> Int { try await pool.query(statement)[0][0] }
}
