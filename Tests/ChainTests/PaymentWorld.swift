import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// A chain of payments, the domain that follows it, and users with wallets: nothing moves but what a test moves.
struct PaymentWorld: AskingWorld {
    /// Somebody with a proven wallet, whose key only the test has.
    struct Person: Customer {
        let user: ID<User>
        let wallet: ID<Wallet>
        let address: String
        let signer: TestWallet
    }

    let chain: any PaymentChain
    let pool: Pool
    let runtime: DomainRuntime
    let parts: PaymentParts
    let payments: Payments
    let ids: IDGenerator
    let api: API
    var home: (chain: Chain, name: String) { (chain.network.chain, chain.name) }

    /// Runs `body` in a world of its own on a chain.
    static func with(
        _ chain: any PaymentChain,
        _ body: @Sendable (PaymentWorld) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let world = PaymentWorld(chain, database.pool(.defi, size: 8), IDGenerator())
            try await world.parts.follower.blocks.declare()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.runtime.ledger.run() }
                defer { group.cancelAll() }
                try await world.follow()
                try await body(world)
            }
        }
    }

    private init(_ chain: any PaymentChain, _ pool: Pool, _ ids: IDGenerator, _ runtime: DomainRuntime? = nil) {
        self.runtime = runtime ?? DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: .quiet)
        (self.chain, self.pool, self.ids) = (chain, pool, ids)
        parts = PaymentParts(self.runtime, chain, ids: ids, logger: .quiet, missingAfterSeconds: 0)
        payments = Payments(schema: .defi, pool: pool)
        let routes = IntentRoutes(
            self.runtime,
            nil,
            payments: [parts],
            book: AddressBook(
                runtime: self.runtime,
                ids: ids,
                wallets: Wallets(schema: .defi, pool: pool),
                screening: StubScreening()
            ),
            ids: ids,
            clock: SystemClock(),
            cursors: CursorSigner(key: [UInt8](repeating: 7, count: 32))
        )
        api = API(
            routes.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: AnyUser(), rateLimiter: Unlimited())
        )
    }

    /// The same database as another process sees it, once the last one has been silent for long enough.
    func restarted(_ other: (any PaymentChain)? = nil) async throws -> PaymentWorld {
        _ = try await pool.query("update defi.chains set lease_until = '-infinity'")
        return PaymentWorld(other ?? chain, pool, ids, runtime)
    }

    // MARK: What people do

    /// Somebody with a new wallet on the chain.
    func person(_ random: inout some RandomNumberGenerator) async throws -> Person {
        let signer = try TestWallet.make(chain.network.chain.rawValue, &random)
        let address = try #require(AccountID(signer.account)).address
        let person = Person(user: ids.next(), wallet: ids.next(), address: address, signer: signer)
        try await prove(person.wallet, at: address, of: person)
        return person
    }

    /// Somebody whose key is random.
    func person() async throws -> Person {
        var random = SystemRandomNumberGenerator()
        return try await person(&random)
    }

    /// What building a payment answers.
    func offer(_ amount: String, _ asset: String, to address: String, by person: Person) async throws -> Answer {
        try await ask(
            "POST",
            "/v1/defi/intents",
            by: person,
            [
                "wallet": .string(person.wallet.wire), "to": .string(address), "asset": .string(asset),
                "amount": .string(amount),
            ]
        )
    }

    /// Builds a payment to somebody who is known.
    func build(_ amount: String, _ asset: String, to other: String, by person: Person) async throws -> Payment {
        let answer = try await offer(amount, asset, to: other, by: person)
        #expect(answer.status == 201, "\(answer.json)")
        let id = try #require(answer.json["id"]?.stringValue.flatMap { ID<Intent>(wire: $0) })
        return try #require(try await payments.find(id))
    }

    /// Gives something back for a payment; what was answered.
    func submit(
        _ returned: (transaction: String, signature: String?),
        for payment: Payment,
        by person: Person
    ) async throws -> Answer {
        var body: [JSON.Member] = [.init("signed_transaction", .string(returned.transaction))]
        if let signature = returned.signature { body.append(.init("signature", .string(signature))) }
        return try await ask("POST", "/v1/defi/intents/\(payment.id.wire)/submit", by: person, .object(body))
    }

    /// Signs a payment and gives it back.
    @discardableResult func submit(_ payment: Payment, by person: Person) async throws -> Answer {
        try await submit(try person.signer.sign(transaction: payment.unsigned.text), for: payment, by: person)
    }

    /// Builds, signs and gives back.
    func pay(_ amount: String, _ asset: String, to other: String, by person: Person) async throws -> Payment {
        let payment = try await build(amount, asset, to: other, by: person)
        let answer = try await submit(payment, by: person)
        #expect(answer.status == 202, "\(answer.json)")
        return try await now(payment)
    }

    // MARK: What is there

    func follow() async throws { while try await parts.follower.step() > 0 {} }

    /// Sends what waits to be sent, whenever it is due.
    func sendDue() async throws {
        _ = try await pool.query("update defi.payments set next_at = now() where next_at is not null")
        try await parts.sender.round()
    }

    /// Lets the time for signing pass.
    func expireUnsigned() async throws {
        _ = try await pool.query("update defi.payments set expires_at = now() where state = 'built'")
    }

    func now(_ payment: Payment) async throws -> Payment { try #require(try await payments.find(payment.id)) }

    /// What the books say that a wallet has, in minor units.
    func booked(_ asset: Asset, of person: Person) async throws -> Int128 {
        let key = WalletBooks.account(person.user, chain.name, asset)
        return try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == key.kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What the books say that was paid to the network.
    func fees() async throws -> Int128 {
        try await runtime.accounts.balances(of: AccountKey.house)
            .first { $0.kind == IntentBooks.gas && $0.total.asset == chain.coin }?.total.minorUnits ?? 0
    }

    /// What came to a wallet and left it so far.
    func totals(_ asset: Asset, of person: Person) async throws -> WalletFlow {
        let rows = try await pool.query(
            """
            select received, sent from defi.wallet_totals where wallet = \(person.wallet) and asset = \(asset.code)
            """
        )
        guard let row = rows.first else { return WalletFlow() }
        return WalletFlow(received: try row["received"], sent: try row["sent"])
    }
}
