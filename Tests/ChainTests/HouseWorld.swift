import Compliance
import DomainKit
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// A chain of payments with a custodian, the domain that follows it, and users with wallets: nothing moves but what a
/// test moves.
struct HouseWorld: AskingWorld {
    /// Somebody with a wallet, whose key only the test has.
    ///
    /// A class, for Swift 6.3 crashes in asynchronous functions that take 128-bit integers behind other arguments.
    final class Person: Customer {
        let user: ID<User>
        let address: String
        let signer: TestWallet

        init(user: ID<User>, address: String, signer: TestWallet) {
            (self.user, self.address, self.signer) = (user, address, signer)
        }
    }

    let dev: HouseChain
    let chain: any PaymentChain
    let database: TestDatabase
    let pool: Pool
    let platform: Pool
    let runtime: DomainRuntime
    let custody: CustodyParts
    let parts: PaymentParts
    let api: API
    var home: (chain: Chain, name: String) { (chain.network.chain, chain.name) }
    let ids: IDGenerator
    let screening: SaidScreening

    var asset: Asset { chain.coin }

    /// Runs `body` in a world of its own.
    static func with(
        _ kind: HouseChain.Kind,
        confirmations: Int = 3,
        _ body: @Sendable (HouseWorld) async throws -> Void
    ) async throws {
        try await HouseChain.with(kind) { dev in
            try await TestDatabase.with { database in
                let (pool, ids) = (database.pool(.defi, size: 8), IDGenerator())
                let runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: .quiet)
                let chain = try dev.followed(confirmations: confirmations, runtime)
                let world = try HouseWorld(dev, chain, database, runtime, ids, SaidScreening())
                try await world.parts.follower.blocks.declare()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await world.runtime.ledger.run() }
                    defer { group.cancelAll() }
                    try await dev.mine()
                    try await world.follow()
                    try await body(world)
                }
            }
        }
    }

    /// The same chain and database as another process sees them, which takes the lease over.
    func restarted() async throws -> HouseWorld {
        try await parts.follower.blocks.release()
        return try HouseWorld(dev, chain, database, runtime, ids, screening)
    }

    private init(
        _ dev: HouseChain,
        _ chain: any PaymentChain,
        _ database: TestDatabase,
        _ runtime: DomainRuntime,
        _ ids: IDGenerator,
        _ screening: SaidScreening
    ) throws {
        (self.dev, self.chain, self.database, self.ids, self.screening) = (dev, chain, database, ids, screening)
        (self.runtime, pool, platform) = (runtime, runtime.pool, database.pool(.platform))
        let (platform, clock, cursors) = (platform, SystemClock(), CursorSigner(key: Array(repeating: 7, count: 32)))
        let kept = try #require(try PaymentCustody(chain, CustodyWithdrawals(schema: .defi, pool: runtime.pool)))
        custody = CustodyParts(
            runtime,
            kept,
            kept: [chain.coin],
            checks: CustodyChecks(
                users: UserDirectory(pool: platform, stalenessSeconds: 0),
                compliance: ComplianceGate(pool: platform, ids: ids, clock: clock),
                fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
                screening: screening,
                ids: ids,
                clock: clock
            ),
            book: AddressBook(
                runtime: runtime,
                ids: ids,
                wallets: Wallets(schema: .defi, pool: runtime.pool),
                screening: screening
            ),
            ids: ids,
            logger: .quiet
        )
        parts = PaymentParts(
            runtime,
            chain,
            ids: ids,
            logger: .quiet,
            custody: custody,
            missingAfterSeconds: 0
        )
        api = API(
            CustodyRoutes([custody], signer: cursors)?.routes ?? [],
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: SteppedUp(), rateLimiter: Unlimited())
        )
    }

    // MARK: People

    /// Somebody identified with a wallet that has so many coins of these amounts; `isLinked` proves it.
    func person(_ coins: [Int], isLinked: Bool = true) async throws -> Person {
        let (signer, user): (TestWallet, ID<User>) = (
            try TestWallet.make(dev.kind.rawValue).on(chain.name), ids.next()
        )
        let address = try #require(AccountID(signer.account)).address
        let person = Person(user: user, address: address, signer: signer)
        let name = "u" + user.description.replacing("-", with: "").suffix(20)
        _ = try await platform.query(
            """
            insert into platform.users (id, email, username, name, password_hash, kyc_status, created_at, updated_at)
            values (\(user), \(name + "@example.com"), \(name), 'Ada Byron', '$2b$10$' || repeat('a', 53),
                'approved', now(), now())
            """
        )
        if isLinked { try await link(person) }
        for coin in coins { try await dev.fund(address, coin) }
        try await dev.mine(Int(chain.confirmations) + 1)
        try await follow()
        return person
    }

    /// Proves somebody's wallet, and opens its entry in the address book.
    func link(_ person: Person) async throws {
        try await prove(ids.next(), at: person.address, of: person)
        try await know(person.address, by: person)
    }

    /// Somebody who has deposited, finally.
    func depositor(_ amount: String) async throws -> Person {
        let units = Int(try Money(wire: amount, asset).minorUnits)
        let person = try await person([units * 2])
        try await send(amount, from: person)
        try await finalise()
        #expect(try await held(by: person) == Int128(units))
        return person
    }

    // MARK: What people do

    /// Sends something from a person's wallet to the custodian, on the chain alone; whether a node took it.
    @discardableResult func send(_ amount: String, from person: Person) async throws -> Bool {
        let order = PaymentOrder(
            wallet: PayingWallet(id: ids.next(), user: person.user, address: person.address),
            recipient: custody.chain.account,
            amount: try Money(wire: amount, asset),
            speed: .normal
        )
        let built = try await chain.build(ofHouse: order) { _ in [] }
        let given = try person.signer.sign(transaction: built.text)
        let signed = try chain.read(ReturnedPayment(transaction: given.transaction), for: built, of: order)
        return await chain.send(signed) == .accepted
    }

    /// Asks for a withdrawal to the person's own wallet, or elsewhere.
    func withdraw(
        _ amount: String,
        to recipient: String? = nil,
        by person: Person
    ) async throws -> (status: Int, json: JSON) {
        try await ask(
            "POST",
            "/v1/defi/custody/withdrawals",
            by: person,
            [
                "asset": .string(asset.code), "amount": .string(amount),
                "to": .string(recipient ?? person.address),
            ]
        )
    }

    // MARK: What time does

    /// Follows all blocks that there are.
    func follow() async throws { while try await parts.follower.step() > 0 {} }

    /// Mines as many blocks as make everything final, and follows them.
    func finalise() async throws {
        try await dev.mine(Int(chain.confirmations))
        try await follow()
    }

    /// Everything that waits for its time is due.
    func makeDue() async throws {
        _ = try await pool.query("update defi.custody_withdrawals set next_at = now() where next_at is not null")
        _ = try await pool.query("update defi.custody_deposits set look_at = now() where look_at is not null")
        _ = try await pool.query("update defi.custody_blocks set next_at = now()")
        _ = try await pool.query("update defi.custody_faults set next_at = now()")
    }

    // MARK: What is there

    /// What somebody's account of a kind holds, in minor units.
    func held(by person: Person, kind: String = CustodyBooks.customer) async throws -> Int128 {
        try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What somebody may spend, in minor units.
    func available(by person: Person) async throws -> Int128 {
        try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == CustodyBooks.customer && $0.total.asset == asset }?.available.minorUnits ?? 0
    }

    func house(_ kind: String) async throws -> Int128 {
        try await runtime.accounts.balances(of: AccountKey.house)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What the chain says that an address has, in minor units.
    func chain(_ address: String) async throws -> Int128 {
        try await chain.reading(of: [address]).balances[address]?.first { $0.asset == asset }?.minorUnits ?? 0
    }

    /// The newest deposit or withdrawal of somebody, as the API shows it.
    func newest(_ kind: String, of person: Person) async throws -> JSON {
        let answer = try await ask("GET", "/v1/defi/custody/\(kind)", by: person)
        #expect(answer.status == 200, "\(answer.json)")
        return answer.json["data"]?.elements?.first ?? .null
    }

    /// The books are the chain, whose every block is final, and sound in themselves.
    func expectBooksAreChain(_ what: Comment? = nil) async throws {
        let (onChain, booked) = (try await chain(custody.chain.account), try await house(CustodyBooks.custody))
        #expect(onChain + booked == 0, what)
        #expect(try await LedgerVerifier(schema: .defi, pool: pool).verify().isEmpty, what)
    }
}
