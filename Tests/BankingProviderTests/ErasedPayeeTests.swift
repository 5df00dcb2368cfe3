import DataProtection
import DomainKit
import HTTP
import Identity
import Kernel
import Ledger
import Metrics
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// What becomes of money for a user who is being erased.
@Suite struct ErasedPayeeTests {
    /// Every token is a user's id.
    private struct Customers: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            return Principal(user: user, permissions: ["banking:move"], assurance: .signature)
        }
    }

    private static let operators = Requester(actor: "operator:olga")

    private func payee(_ world: BankWorld) async throws -> ID<User> {
        let bob: ID<User> = world.ids.next()
        try await world.register(bob, "Bob Ray", as: "bob")
        return bob
    }

    /// Pays somebody 100 dollars in a process that knows users from `directory`.
    private func pay(
        _ payee: ID<User>,
        by directory: UserDirectory,
        _ world: BankWorld
    ) async throws -> (status: Int, code: String?) {
        let payments = Payments(
            ledger: world.runtime.ledger,
            accounts: world.runtime.accounts,
            users: directory,
            checks: world.checks,
            journal: world.journal
        )
        let api = API(
            payments.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Customers(),
                clock: SystemClock(),
                logger: .quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
        let body: JSON = ["amount": "100", "asset": "USD", "payee": .string(payee.wire)]
        let answer = await api.respond(
            "POST",
            "/v1/banking/payments",
            headers: [
                "Authorization": "Bearer \(world.user.wire)", "Content-Type": "application/json",
                "Idempotency-Key": .init(world.ids.next(User.self).description),
            ],
            body: body.serialized()
        )
        let json = try JSON.parse(try #require(answer.encodedBody()).bytes)
        return (answer.status, json["code"]?.stringValue)
    }

    private func closed(_ user: ID<User>, _ world: BankWorld) async throws -> [Bool] {
        try await world.pool.query(
            "select is_closed from banking.ledger_accounts where owner = \(user) order by kind, asset"
        ).map { try $0[0] }
    }

    @Test func `a process that takes an erased user for an active one posts nothing to them`() async throws {
        try await BankWorld.with { world in
            let bob = try await payee(world)
            // Another process, which has read of them just before, and won't again so soon.
            let directory = UserDirectory(pool: world.platform, stalenessSeconds: 86_400)
            #expect(try await directory.profile(bob)?.isActive == true)
            _ = try await world.platform.query("update platform.users set status = 'closed' where id = \(bob)")
            let records = BankRecords(runtime: world.runtime, ids: world.ids)
            // Done again, it does no harm.
            for _ in 0..<2 { try await records.close(bob, by: Self.operators) }
            // Checking and savings in every asset, none of which was opened before.
            let assets = try await world.pool.query("select 1 from banking.assets").count
            let areClosed = try await closed(bob, world)
            #expect(areClosed.count == 2 * assets && areClosed.allSatisfy(\.self))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.runtime.ledger.run() }
                defer { group.cancelAll() }
                let refused = try await pay(bob, by: directory, world)
                #expect(refused.status == 422 && refused.code == "payee_account_closed")
            }
            #expect(try await LedgerRecords(world.runtime).obstacles(to: bob).isEmpty)
            #expect(try await world.available() == 100_000)
        }
    }

    @Test func `what was paid just before stands against the erasure`() async throws {
        try await BankWorld.with { world in
            let bob = try await payee(world)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.runtime.ledger.run() }
                defer { group.cancelAll() }
                let paid = try await pay(bob, by: UserDirectory(pool: world.platform), world)
                #expect(paid.status == 201)
            }
            let records = BankRecords(runtime: world.runtime, ids: world.ids)
            try await records.close(bob, by: Self.operators)
            #expect(try await closed(bob, world).filter { !$0 }.count == 1)
            #expect(try await LedgerRecords(world.runtime).obstacles(to: bob).map(\.code) == ["balance_left"])
        }
    }
}
