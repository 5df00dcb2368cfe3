import DomainKit
import HTTP
import Kernel
import Ledger
import Metrics
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// The closing of a linked bank account beside a movement that names it: one of them comes first, and the other one
/// sees it.
@Suite struct ClosedDestinationTests {
    /// Every token is a user's id.
    private struct Customers: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            return Principal(user: user, permissions: ["banking:move", "banking:withdraw"], assurance: .signature)
        }
    }

    /// How a withdrawal or deposit and a closing came out.
    private enum End: Sendable, Hashable {
        case asked(Int, code: String?)
        case closed(code: String?)
    }

    enum Movement: String, CaseIterable {
        case withdrawals, deposits
    }

    private let by = Initiator(system: "test", correlation: 1)

    private func accounts(_ world: BankWorld) -> BankAccounts {
        BankAccounts(schema: .banking, pool: world.pool, ids: world.ids, clock: SystemClock())
    }

    /// An identified customer with a bank account elsewhere.
    private func prepare(_ world: BankWorld) async throws -> BankAccount {
        try await accounts(world).link(
            .wire,
            label: "Bank",
            token: "tok",
            lastDigits: "1234",
            verification: .verified,
            for: world.user
        )
    }

    private func ask(_ movement: Movement, _ linked: BankAccount, _ world: BankWorld) async throws -> End {
        let (runtime, accounts) = (world.runtime, accounts(world))
        let withdrawals = Withdrawals(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: accounts,
            assets: BankAssets(schema: .banking, pool: world.pool),
            checks: world.checks,
            journal: world.journal
        )
        let deposits = Deposits(
            ledger: runtime.ledger,
            accounts: runtime.accounts,
            bankAccounts: accounts,
            checks: world.checks,
            journal: world.journal,
            calls: world.calls
        )
        let api = API(
            withdrawals.routes(defaultProvider: "sandbox", providers: ["sandbox"])
                + deposits.routes(defaultProvider: "sandbox", providers: ["sandbox"]),
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Customers(),
                clock: SystemClock(),
                logger: .quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
        let end = movement == .withdrawals ? "destination" : "source"
        let body: JSON = .object([
            .init("amount", "100.00"), .init("asset", "USD"), .init(end, .string(linked.id.wire)),
        ])
        let answer = await api.respond(
            "POST",
            "/v1/banking/\(movement)",
            headers: [
                "Authorization": "Bearer \(world.user.wire)", "Content-Type": "application/json",
                "Idempotency-Key": "ask",
            ],
            body: body.serialized()
        )
        let json = try JSON.parse(try #require(answer.encodedBody()).bytes)
        return .asked(answer.status, code: json["code"]?.stringValue)
    }

    private func close(_ linked: BankAccount, _ world: BankWorld) async throws -> End {
        let statuses = AccountStatuses(
            runtime: world.runtime,
            ids: world.ids,
            accounts: accounts(world),
            assets: BankAssets(schema: .banking, pool: world.pool)
        )
        do {
            _ = try await statuses.close(linked, by: by)
            return .closed(code: nil)
        } catch let problem as Problem {
            return .closed(code: problem.code)
        }
    }

    /// Begins the first, has the second begin while a transaction is open that keeps one of them from its end, and lets
    /// both go on; what came of each.
    private func race(
        _ world: BankWorld,
        holding statement: SQL,
        _ bodies: [@Sendable () async throws -> End]
    ) async throws -> Set<End> {
        world.provider.answer(.accepted(reference: "r1", action: nil))
        return try await withThrowingTaskGroup(of: End?.self) { group in
            group.addTask {
                try await world.runtime.ledger.run()
                return nil
            }
            try await world.database.pool().withTransaction { holder in
                _ = try await holder.query(statement)
                for (place, body) in bodies.enumerated() {
                    group.addTask { try await body() }
                    try await world.database.untilWaiting(place + 1)
                }
            }
            var ends: Set<End> = []
            while ends.count < bodies.count, let end = try await group.next() { if let end { ends.insert(end) } }
            group.cancelAll()
            return ends
        }
    }

    @Test(arguments: Movement.allCases)
    func `what names an account that is being closed is refused`(_ movement: Movement) async throws {
        try await BankWorld.with { world in
            let linked = try await prepare(world)
            let closing: SQL = """
                update banking.accounts set status = 'closed', version = version + 1 where id = \(linked.id)
                """
            let ends = try await race(world, holding: closing, [{ try await ask(movement, linked, world) }])
            #expect(ends == [.asked(422, code: "account_closed")])
            #expect(try await world.pool.query("select 1 from banking.transactions").isEmpty)
            #expect(try await world.available() == 100_000)
        }
    }

    @Test(arguments: Movement.allCases)
    func `an account isn't closed that something names which is being stored`(_ movement: Movement) async throws {
        try await BankWorld.with { world in
            let linked = try await prepare(world)
            // The movement has the account when it comes to this table.
            let ends = try await race(
                world,
                holding: "lock table banking.transactions in share mode",
                [{ try await ask(movement, linked, world) }, { try await close(linked, world) }]
            )
            #expect(ends == [.asked(202, code: nil), .closed(code: "account_in_use")])
            #expect(try await accounts(world).get(linked.id).status == .open)
        }
    }
}
