import Compliance
import Kernel
import PostgreSQL
import Screening
import TestSupport

/// Compliance over a database of its own, on a clock that stands until it is moved.
struct ComplianceWorld: Sendable {
    let database: TestDatabase
    let pool: Pool
    let clock: ManualClock
    let ids: IDGenerator
    let lists: SanctionsLists
    let customers: CustomerScreening
    let cases: ComplianceCases
    let gate: ComplianceGate

    static func with<Answer: Sendable>(_ body: (ComplianceWorld) async throws -> Answer) async throws -> Answer {
        try await TestDatabase.with { database in try await body(ComplianceWorld(database)) }
    }

    private init(_ database: TestDatabase) {
        self.database = database
        pool = database.pool(.platform)
        clock = ManualClock(SystemClock().now())
        ids = IDGenerator(clock: clock)
        lists = SanctionsLists(pool: pool, ids: ids, clock: clock)
        customers = CustomerScreening(pool: pool, ids: ids, clock: clock)
        cases = ComplianceCases(pool: pool, ids: ids, clock: clock)
        gate = ComplianceGate(pool: pool, ids: ids, clock: clock)
    }

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
