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

/// A chain, the domain that follows it, and users with wallets: driven by hand, nothing moves but what a test moves.
struct ChainWorld: AskingWorld {
    /// Somebody with a proven wallet, whose key only the test has.
    struct Person: Customer {
        let user: ID<User>
        let wallet: ID<Wallet>
        let address: EthereumAddress
        let signer: Signer
    }

    let dev: DevChain
    let chain: EthereumChain
    let pool: Pool
    /// May change tables.
    let owner: Pool
    let runtime: DomainRuntime
    let parts: ChainParts
    let api: API
    var home: (chain: Chain, name: String) { (.ethereum, chain.name) }
    let ids: IDGenerator
    let screening: StubScreening

    /// Runs `body` in a world of its own.
    static func with(
        confirmations: Int = 3,
        _ body: @Sendable (ChainWorld) async throws -> Void
    ) async throws {
        try await DevChain.with { dev in
            try await TestDatabase.with { database in
                try await on(dev, database, confirmations: confirmations, body)
            }
        }
    }

    /// Runs `body` in a world on a chain and a database that there may have been one on before.
    static func on<Answer: Sendable>(
        _ dev: DevChain,
        _ database: TestDatabase,
        confirmations: Int = 3,
        _ body: @Sendable (ChainWorld) async throws -> Answer
    ) async throws -> Answer {
        let world = try ChainWorld(dev, database, confirmations: confirmations)
        try await world.parts.follower.blocks.declare()
        try await world.endLease()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await world.runtime.ledger.run() }
            defer { group.cancelAll() }
            try await world.follow()
            return try await body(world)
        }
    }

    /// The same chain and database as another process sees them, once the last one has been silent for long enough.
    func restarted() async throws -> ChainWorld { try await followed(by: chain) }

    /// The same with a second node.
    func followed(by second: String, deadlineSeconds: Double = 20) async throws -> ChainWorld {
        let confirmations = Int(chain.confirmations)
        return try await followed(
            by: try dev.followed(confirmations: confirmations, second: second, deadlineSeconds: deadlineSeconds)
        )
    }

    /// The same as another process follows it.
    func followed(by chain: EthereumChain) async throws -> ChainWorld {
        try await endLease()
        return ChainWorld(self, chain)
    }

    /// Lets whoever comes next follow the chain.
    func endLease() async throws { _ = try await pool.query("update defi.chains set lease_until = '-infinity'") }

    private init(_ dev: DevChain, _ database: TestDatabase, confirmations: Int) throws {
        (self.dev, pool, ids) = (dev, database.pool(.defi, size: 8), IDGenerator())
        owner = database.pool()
        chain = try dev.followed(confirmations: confirmations)
        screening = StubScreening()
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: .quiet)
        (parts, api) = Self.parts(runtime, chain, ids, screening)
    }

    private init(_ other: ChainWorld, _ chain: EthereumChain) {
        (dev, pool, ids, screening, runtime) = (other.dev, other.pool, other.ids, other.screening, other.runtime)
        owner = other.owner
        self.chain = chain
        (parts, api) = Self.parts(runtime, chain, ids, screening)
    }

    private static func parts(
        _ runtime: DomainRuntime,
        _ chain: EthereumChain,
        _ ids: IDGenerator,
        _ screening: StubScreening
    ) -> (ChainParts, API) {
        let parts = ChainParts(
            runtime,
            chain,
            ids: ids,
            clock: SystemClock(),
            cursors: CursorSigner(key: [UInt8](repeating: 7, count: 32)),
            book: AddressBook(
                runtime: runtime,
                ids: ids,
                wallets: Wallets(schema: .defi, pool: runtime.pool),
                screening: screening
            ),
            logger: .quiet,
            missingAfterSeconds: 0
        )
        let api = API(
            parts.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: AnyUser(), rateLimiter: Unlimited())
        )
        return (parts, api)
    }

    // MARK: What people do

    /// Somebody with one of the chain's accounts, from 1 on; somebody new unless said otherwise.
    func person(_ place: Int, of user: ID<User>? = nil) async throws -> Person {
        let person = Person(
            user: user ?? ids.next(),
            wallet: ids.next(),
            address: dev.address(place),
            signer: dev.signers[place]
        )
        try await prove(person.wallet, at: person.address.description, of: person)
        try await know(person.address, by: person)
        return person
    }

    /// A transaction of an answer as it is stored now.
    func intent(_ json: JSON) async throws -> Intent {
        let id = try #require(json["id"]?.stringValue.flatMap { ID<Intent>(wire: $0) }, "\(json)")
        return try #require(try await parts.intents.find(id))
    }

    func now(_ intent: Intent) async throws -> Intent { try #require(try await parts.intents.find(intent.id)) }

    /// Signs and gives back what was built; what was answered.
    @discardableResult
    func submit(_ intent: Intent, by person: Person) async throws -> (status: Int, json: JSON) {
        let signed = try person.signer.sign(intent.transaction)
        return try await ask(
            "POST",
            "/v1/defi/intents/\(intent.id.wire)/submit",
            by: person,
            ["signed_transaction": .string(HexText.encode(signed.bytes))]
        )
    }

    /// Builds a payment.
    func pay(_ amount: String, _ asset: String, to: EthereumAddress, by person: Person) async throws -> Intent {
        let answer = try await ask(
            "POST",
            "/v1/defi/intents",
            by: person,
            [
                "wallet": .string(person.wallet.wire), "to": .string(to.description), "asset": .string(asset),
                "amount": .string(amount),
            ]
        )
        #expect(answer.status == 201, "\(answer.json)")
        return try await intent(answer.json)
    }

    /// Starts a strategy and signs all of its transactions.
    func start(
        _ offer: String,
        _ amount: String,
        by person: Person,
        _ more: [JSON.Member] = []
    ) async throws -> (id: ID<Strategy>, intents: [Intent]) {
        let body = JSON.object(
            [
                .init("wallet", .string(person.wallet.wire)), .init("offer", .string(offer)),
                .init("amount", .string(amount)),
            ] + more
        )
        return try await signAll(try await ask("POST", "/v1/defi/strategies", by: person, body), by: person)
    }

    /// Leaves a strategy and signs all of its transactions.
    @discardableResult
    func stop(_ strategy: ID<Strategy>, _ body: JSON = .object([]), by person: Person) async throws -> [Intent] {
        try await signAll(
            try await ask("POST", "/v1/defi/strategies/\(strategy.wire)/stop", by: person, body),
            by: person
        ).intents
    }

    func signAll(
        _ answer: (status: Int, json: JSON),
        by person: Person
    ) async throws -> (id: ID<Strategy>, intents: [Intent]) {
        #expect(answer.status == 201, "\(answer.json)")
        let id = try #require(answer.json["strategy"]?.stringValue.flatMap { ID<Strategy>(wire: $0) })
        var intents: [Intent] = []
        for json in answer.json["transactions"]?.elements ?? [] {
            let intent = try await intent(json)
            let submitted = try await submit(intent, by: person)
            #expect(submitted.status == 202, "\(submitted.json)")
            intents.append(intent)
        }
        return (id, intents)
    }

    // MARK: What time does

    /// Follows all blocks that there are.
    func follow() async throws { while try await parts.follower.step() > 0 {} }

    /// Mines as many blocks as make everything final, and follows them.
    func finalise() async throws {
        try await dev.mine(Int(chain.confirmations))
        try await follow()
    }

    // MARK: What is there

    func strategy(_ id: ID<Strategy>, of person: Person) async throws -> Strategy {
        try await parts.strategies.get(id, of: person.user)
    }

    /// What a user's account of a kind holds, in minor units.
    func held(_ kind: String, _ asset: Asset, by person: Person) async throws -> Int128 {
        try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What a strategy's own account holds.
    func deployed(_ strategy: Strategy, by person: Person) async throws -> Int128 {
        let key = IntentBooks.deployed(strategy.id, of: person.user, strategy.asset)
        return try await held(key.kind, strategy.asset, by: person)
    }

    func house(_ kind: String, _ asset: Asset) async throws -> Int128 {
        try await runtime.accounts.balances(of: AccountKey.house)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What an account has of a token on the chain.
    func tokens(_ asset: Asset, of address: EthereumAddress) async throws -> Int128 {
        let token = try #require(chain.deployment.token(asset))
        let answer = try await chain.nodes.first.views([.balance(of: address, in: token)])
        return Int128(clamping: BigUInt(bigEndian: try #require(answer[0])))
    }
}

/// Every token is a user's id, who may do everything.
struct AnyUser: Authenticator {
    func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
        let permissions = Set(["defi:read", "defi:move"].map { Permission($0) })
        return Principal(user: user, permissions: permissions, assurance: .signature)
    }
}

/// Nobody is stopped.
struct Unlimited: RateLimiter {
    func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> RateLimitDecision {
        RateLimitDecision(isAllowed: true, remaining: 1, resetSeconds: 1)
    }
}

extension APIResponse {
    /// Its body; null where there is none.
    var json: JSON {
        guard let body = encodedBody(), let json = try? JSON.parse(body.bytes) else { return .null }
        return json
    }
}
