import DomainKit
import EmbeddedServers
import Foundation
import HTTP
import Kernel
import Ledger
import PostgreSQL
import Randomness
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// A Bitcoin of its own, the domain that follows it, and users with wallets: nothing moves but what a test moves.
struct BitcoinWorld: AskingWorld {
    /// Somebody with a proven wallet, whose key only the test has.
    struct Person: Customer {
        let user: ID<User>
        let wallet: ID<Wallet>
        let address: String
        let signer: Signer
        let form: BitcoinScript.SingleKey
    }

    /// Whom blocks are mined for.
    static let miner = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    static let feeCeiling = 100

    let rpc: JSONRPC
    let url: String
    let chain: BitcoinChain
    let pool: Pool
    /// The database's owner.
    let owner: Pool
    let runtime: DomainRuntime
    let parts: PaymentParts
    let api: API
    var home: (chain: Chain, name: String) { (.bitcoin, chain.name) }
    let ids: IDGenerator
    let screening: StubScreening

    var payments: Payments { parts.books.store }
    var node: BitcoinNode { chain.first }

    /// Runs `body` in a world of its own.
    static func with(confirmations: Int = 6, _ body: @Sendable (BitcoinWorld) async throws -> Void) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
            .standardized.path
        let chain = try await EmbeddedChain.startTemporary(
            .bitcoin,
            EmbeddedChain.Programs(
                python: root + "/.build/chains/bin/python",
                directory: root + "/Tests/DevChains"
            )
        )
        do {
            try await TestDatabase.with { database in
                let ready = try JSON.parse(Array(chain.ready.utf8))
                let world = try BitcoinWorld(try #require(ready["rpc"]?.stringValue), database, confirmations)
                try await world.parts.follower.blocks.declare()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await world.runtime.ledger.run() }
                    defer { group.cancelAll() }
                    try await world.follow()
                    try await body(world)
                }
            }
            await chain.stop()
        } catch {
            await chain.stop()
            throw error
        }
    }

    private init(_ url: String, _ database: TestDatabase, _ confirmations: Int) throws {
        (pool, ids, self.url) = (database.pool(.defi, size: 8), IDGenerator(), url)
        owner = database.pool()
        rpc = JSONRPC(url: url, http: .loopback(), deadlineSeconds: 60)
        screening = StubScreening()
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: .quiet)
        chain = try Self.chain([url], confirmations, runtime)
        (parts, api) = Self.parts(runtime, chain, ids, screening)
    }

    private init(_ other: BitcoinWorld, _ chain: BitcoinChain) {
        (rpc, url, pool, ids, screening) = (other.rpc, other.url, other.pool, other.ids, other.screening)
        owner = other.owner
        (runtime, self.chain) = (other.runtime, chain)
        (parts, api) = Self.parts(runtime, chain, ids, screening)
    }

    /// The chain as the program follows it; a deadline of its own makes faults quick.
    static func chain(_ urls: [String], _ confirmations: Int, _ runtime: DomainRuntime) throws -> BitcoinChain {
        let network = try #require(ChainNetwork.all.first { $0.chain == .bitcoin && $0.kind == .local })
        return BitcoinChain(
            nodes: urls.map { BitcoinNode(url: $0, http: .loopback(), deadlineSeconds: 5, network) },
            network: network,
            confirmations: confirmations,
            feeCeiling: feeCeiling,
            runtime
        )
    }

    /// The same chain and database as another process sees them, once the last one has been silent for long enough.
    func restarted() async throws -> BitcoinWorld {
        _ = try await pool.query("update defi.chains set lease_until = '-infinity'")
        return BitcoinWorld(self, chain)
    }

    /// The same followed by two nodes, the second of which is `second`.
    func followedByTwo() async throws -> BitcoinWorld { try await followed(by: [url, second.url]) }

    /// The same followed by other nodes.
    func followed(by urls: [String]) async throws -> BitcoinWorld {
        _ = try await pool.query("update defi.chains set lease_until = '-infinity'")
        return BitcoinWorld(self, try Self.chain(urls, Int(chain.confirmations), runtime))
    }

    /// Another node of the same chain, with faults of its own.
    var second: JSONRPC { JSONRPC(url: url + "/second", http: .loopback(), deadlineSeconds: 60) }

    private static func parts(
        _ runtime: DomainRuntime,
        _ chain: BitcoinChain,
        _ ids: IDGenerator,
        _ screening: StubScreening
    ) -> (PaymentParts, API) {
        let parts = PaymentParts(runtime, chain, ids: ids, logger: .quiet, missingAfterSeconds: 0)
        let routes = IntentRoutes(
            runtime,
            nil,
            payments: [parts],
            book: AddressBook(
                runtime: runtime,
                ids: ids,
                wallets: Wallets(schema: .defi, pool: runtime.pool),
                screening: screening
            ),
            ids: ids,
            clock: SystemClock(),
            cursors: CursorSigner(key: [UInt8](repeating: 7, count: 32))
        )
        let api = API(
            routes.routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: AnyUser(), rateLimiter: Unlimited())
        )
        return (parts, api)
    }

    // MARK: What people do

    /// Somebody with a wallet of a form, which has so many coins of these amounts in satoshi.
    func person(
        _ form: BitcoinScript.SingleKey = .p2wpkh,
        _ coins: [Int] = [],
        seed: UInt64 = .random(in: 0 ... .max)
    ) async throws -> Person {
        var random = SeededRandom(seed)
        let signer = try Signer(&random)
        let address = try #require(BitcoinAddress(form, key: signer.key, network: .regtest)).description
        let person = Person(user: ids.next(), wallet: ids.next(), address: address, signer: signer, form: form)
        try await link(person)
        try await know(address, by: person)
        for coin in coins { try await fund(address, coin) }
        try await mine()
        try await follow()
        return person
    }

    /// Proves somebody's wallet.
    func link(_ person: Person) async throws { try await prove(person.wallet, at: person.address, of: person) }

    /// Revokes somebody's wallet and links another one of the same user, at the same address unless another is given.
    func relinked(_ person: Person, _ other: Person? = nil) async throws -> Person {
        _ = try await pool.query(
            """
            update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
            where id = \(person.wallet)
            """
        )
        _ = try await pool.query("update defi.wallet_reads set is_due = true where wallet = \(person.wallet)")
        let keys = other ?? person
        let next = Person(
            user: person.user,
            wallet: ids.next(),
            address: keys.address,
            signer: keys.signer,
            form: keys.form
        )
        try await link(next)
        return next
    }

    /// Asks for a payment.
    func order(
        _ amount: String,
        to address: String,
        by person: Person,
        speed: String = "normal"
    ) async throws -> (status: Int, json: JSON) {
        try await ask(
            "POST",
            "/v1/defi/intents",
            by: person,
            [
                "wallet": .string(person.wallet.wire), "to": .string(address), "asset": "BTC",
                "amount": .string(amount), "speed": .string(speed),
            ]
        )
    }

    /// Builds a payment.
    func pay(_ amount: String, to address: String, by person: Person) async throws -> Payment {
        let answer = try await order(amount, to: address, by: person)
        #expect(answer.status == 201, "\(answer.json)")
        return try await payment(answer.json)
    }

    /// A payment of an answer as it is stored now.
    func payment(_ json: JSON) async throws -> Payment {
        let id = try #require(json["id"]?.stringValue.flatMap { ID<Intent>(wire: $0) }, "\(json)")
        return try #require(try await payments.find(id))
    }

    func now(_ payment: Payment) async throws -> Payment { try #require(try await payments.find(payment.id)) }

    /// What a payment's wallet gives back.
    func signed(_ payment: Payment, by person: Person) throws -> PSBT {
        try person.signer.sign(try PSBT(base64: payment.unsigned.text), form: person.form)
    }

    /// Gives something back for a payment.
    func give(_ text: String, for payment: Payment, by person: Person) async throws -> (status: Int, json: JSON) {
        try await ask(
            "POST",
            "/v1/defi/intents/\(payment.id.wire)/submit",
            by: person,
            ["signed_transaction": .string(text)]
        )
    }

    /// Signs and gives back what was built.
    @discardableResult
    func submit(_ payment: Payment, by person: Person) async throws -> Payment {
        let answer = try await give(try signed(payment, by: person).base64, for: payment, by: person)
        #expect(answer.status == 202, "\(answer.json)")
        return try await now(payment)
    }

    /// Builds what takes a payment's place.
    func replace(_ payment: Payment, _ action: String, by person: Person) async throws -> Payment {
        let answer = try await ask(
            "POST",
            "/v1/defi/intents/\(payment.id.wire)/replace",
            by: person,
            ["action": .string(action), "speed": "fast"]
        )
        #expect(answer.status == 201, "\(answer.json)")
        return try await self.payment(answer.json)
    }

    // MARK: What the chain does

    func fund(_ address: String, _ satoshi: Int) async throws {
        _ = try await rpc.call("dev_fund", .string(address), .integer(satoshi))
    }

    func mine(_ blocks: Int = 1) async throws {
        _ = try await rpc.call("generatetoaddress", .integer(blocks), .string(Self.miner))
    }

    /// Replaces so many blocks by one more; what was in them comes again with the first, or is forgotten.
    func reorganise(depth: Int, keeping: Bool) async throws {
        let head = try await node.head()
        let hash = try await rpc.call("getblockhash", .integer(head - Int64(depth) + 1))
        _ = try await rpc.call("invalidateblock", hash)
        if !keeping {
            for id in try await rpc.call("getrawmempool").elements ?? [] { _ = try await rpc.call("dev_forget", id) }
        }
        try await mine(depth + 1)
    }

    func fault(_ fault: DevChain.Fault, on method: String, count: Int = 1) async throws {
        _ = try await rpc.call(
            "dev_fault",
            [
                "method": .string(method), "kind": .string(fault.rawValue), "count": .integer(count),
                "seconds": .number("0.05"),
            ]
        )
    }

    /// Follows all blocks that there are.
    func follow() async throws { while try await parts.follower.step() > 0 {} }

    /// Mines as many blocks as make everything final, and follows them.
    func finalise() async throws {
        try await mine(Int(chain.confirmations))
        try await follow()
    }

    /// Lets everything that waits to be sent be due.
    func makeDue() async throws {
        _ = try await pool.query("update defi.payments set next_at = now() where next_at is not null")
    }

    // MARK: What is there

    /// What the chain says that an address has, in satoshi.
    func holding(_ address: String) async throws -> Int128 {
        try await node.scan([address]).coins.reduce(0) { $0 + $1.1.amount }
    }

    /// What the books say that somebody's wallet has, in satoshi.
    func held(by person: Person) async throws -> Int128 {
        let kind = WalletBooks.account(person.user, chain.name, .btc).kind
        return try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind }?.total.minorUnits ?? 0
    }

    func fees() async throws -> Int128 {
        try await runtime.accounts.balances(of: AccountKey.house)
            .first { $0.kind == "network_gas" && $0.total.asset == .btc }?.total.minorUnits ?? 0
    }

    /// Expects the books to be the chain.
    func expectBooks(of people: [Person], _ note: String = "") async throws {
        for person in people {
            let (books, chain) = (try await held(by: person), try await holding(person.address))
            #expect(books == chain, "\(note)")
        }
        let sums = try await pool.query(
            "select count(*) from (select 1 from defi.ledger_accounts group by asset having sum(posted) <> 0) s"
        )
        #expect(try sums[0][0] == 0, "\(note)")
    }
}

extension BitcoinWorld.Person {
    /// A transaction of these coins, with this wallet's signatures.
    func signs(_ transaction: BitcoinTransaction, spending spent: [BitcoinTransaction.Output]) throws -> PSBT {
        let psbt = PSBT(signing: transaction, spending: spent.map { PSBT.Spent(output: $0) })
        return try signer.sign(try #require(psbt), form: form)
    }
}
