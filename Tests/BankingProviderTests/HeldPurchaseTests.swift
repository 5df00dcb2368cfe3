import Compliance
import DomainKit
import HTTP
import Kernel
import Ledger
import Metrics
import PostgreSQL
import TestSupport
import Testing

@testable import Banking

/// Purchases and sales that a person must look at, from the request to what two officers decide.
@Suite struct HeldPurchaseTests {
    /// Every token is a user's id.
    private struct Customers: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            return Principal(user: user, permissions: ["banking:move", "banking:withdraw"], assurance: .signature)
        }
    }

    private let wallet: ID<OwnWallet> = IDGenerator().next()

    /// A customer who has a wallet, and bought or sold twice today just below the amount that is
    /// flagged.
    private func prepare(_ world: BankWorld, _ kind: BankTransaction.Kind) async throws {
        for dollars: Int128 in [9_000, 9_500] {
            _ = try await world.platform.query(
                """
                insert into platform.transaction_facts (domain, transaction, user_id, type, status, asset, amount, fee,
                    version, created_at, as_of, generation)
                values ('banking', \(world.ids.next(User.self)), \(world.user), \(kind), 'completed', 'USDC',
                    \(dollars * 1_000_000), 0, 1, now(), now(), 1)
                """
            )
        }
        _ = try await world.pool.query(
            """
            insert into banking.own_wallets values (\(wallet), \(world.user),
                'eip155:1:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045', true, 1)
            """
        )
    }

    /// Buys or sells 9,900 USDC; the transaction that is answered.
    private func ask(_ kind: BankTransaction.Kind, _ world: BankWorld) async throws -> BankTransaction {
        let ramps = Ramps(
            ledger: world.runtime.ledger,
            accounts: world.runtime.accounts,
            wallets: OwnWallets(schema: .banking, pool: world.pool, clock: SystemClock(), others: nil),
            checks: world.checks,
            journal: world.journal,
            calls: world.calls
        )
        let api = API(
            ramps.routes(defaultProvider: "sandbox", providers: ["sandbox"]),
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Customers(),
                clock: SystemClock(),
                logger: .quiet,
                metrics: NOOPMetricsHandler.instance
            )
        )
        let body: JSON = ["amount": "9900", "asset": "USDC", "wallet": .string(wallet.wire)]
        let answer = await api.respond(
            "POST",
            "/v1/banking/\(kind.rawValue)s",
            headers: [
                "Authorization": "Bearer \(world.user.wire)", "Content-Type": "application/json",
                "Idempotency-Key": "ask",
            ],
            body: body.serialized()
        )
        let json = try JSON.parse(try #require(answer.encodedBody()).bytes)
        #expect(answer.status == 202, "\(json)")
        let id = try #require(json["id"]?.stringValue.flatMap { ID<BankTransaction>(wire: $0) })
        return try await world.transaction(id)
    }

    /// Two officers decide on the customer's case.
    private func decide(_ decision: ComplianceCases.Decision, _ world: BankWorld) async throws {
        let cases = ComplianceCases(pool: world.platform, ids: world.ids, clock: SystemClock())
        let found = try #require(try await cases.queue().first?["id"]?.stringValue)
        let id = try #require(ID<ComplianceCase>(wire: found))
        try await cases.propose(id, decision, by: "ada")
        try await cases.decide(id, agrees: true, by: "bob")
        world.compliance.forget()
    }

    @Test(arguments: [BankTransaction.Kind.purchase, .sale], [ComplianceCases.Decision.released, .confirmed])
    func `what is looked at waits, and goes to the provider or ends`(
        _ kind: BankTransaction.Kind,
        _ decision: ComplianceCases.Decision
    ) async throws {
        try await BankWorld.with { world in
            try await prepare(world, kind)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.runtime.ledger.run() }
                defer { group.cancelAll() }
                world.provider.answer(.accepted(reference: "p1", action: ["type": "redirect"]))
                let held = try await ask(kind, world)
                #expect(held.status == .inReview && held.providerAction == nil)
                #expect(try await world.held.round() == 0)
                #expect(try await world.calls.round() == 0 && world.provider.asked == 0)
                try await decide(decision, world)
                #expect(try await world.held.round() == 1)
                let isReleased = decision == .released
                #expect(try await world.calls.round() == (isReleased ? 1 : 0))
                #expect(world.provider.asked == (isReleased ? 1 : 0))
                let ended = try await world.transaction(held.id)
                #expect(ended.status == (isReleased ? .providerProcessing : .failed))
                #expect(ended.reason == (isReleased ? nil : "refused"))
                #expect((ended.providerAction != nil) == isReleased)
                let used: Int128 = try await world.pool.query(
                    """
                    select coalesce(sum(used), 0)::numeric(38,0) from banking.account_usage
                    where counter = \(kind) and span = 'day'
                    """
                )[0][0]
                #expect(used == (isReleased ? 9_900_000_000 : 0))
            }
        }
    }
}
