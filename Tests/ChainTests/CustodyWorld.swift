import Compliance
import DomainKit
import Fees
import HTTP
import Identity
import Kernel
import Ledger
import PostgreSQL
import Synchronization
import TestSupport
import Testing
import WalletCrypto
import WalletSigners

@testable import DeFi

/// A chain with a custodian, the domain that follows it, and users with wallets: nothing moves but what a test moves.
struct CustodyWorld: AskingWorld {
    /// Somebody with a proven wallet, whose key only the test has.
    ///
    /// A class, for Swift 6.3 crashes in asynchronous functions that take 128-bit integers behind other arguments.
    final class Person: Customer {
        let user: ID<User>
        let place: Int
        let address: EthereumAddress

        init(user: ID<User>, place: Int, address: EthereumAddress) {
            (self.user, self.place, self.address) = (user, place, address)
        }
    }

    let dev: DevChain
    let chain: EthereumChain
    let database: TestDatabase
    let pool: Pool
    let platform: Pool
    let runtime: DomainRuntime
    let custody: CustodyParts
    /// The custodian's.
    let account: EthereumAddress
    let parts: ChainParts
    let api: API
    var home: (chain: Chain, name: String) { (.ethereum, chain.name) }
    let ids: IDGenerator
    let screening: SaidScreening

    /// Runs `body` in a world of its own.
    static func with(
        confirmations: Int = 3,
        _ body: @Sendable (CustodyWorld) async throws -> Void
    ) async throws {
        try await DevChain.with { dev in
            try await TestDatabase.with { database in
                let chain = try dev.followed(confirmations: confirmations)
                let world = try CustodyWorld(dev, chain, database, IDGenerator(), SaidScreening())
                try await world.parts.follower.blocks.declare()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await world.runtime.ledger.run() }
                    defer { group.cancelAll() }
                    try await world.follow()
                    try await body(world)
                }
            }
        }
    }

    /// The same chain and database as another process sees them, which takes the lease over.
    func restarted() async throws -> CustodyWorld {
        try await parts.follower.blocks.release()
        return try CustodyWorld(dev, chain, database, ids, screening)
    }

    /// The same with the second node of the chain beside the first.
    func followedByTwo() async throws -> CustodyWorld {
        try await parts.follower.blocks.release()
        let chain = try dev.followed(confirmations: Int(chain.confirmations), second: dev.second.url)
        return try CustodyWorld(dev, chain, database, ids, screening)
    }

    /// The same database, with another chain in the place of the one that was followed.
    func moved(to dev: DevChain) async throws -> CustodyWorld {
        try await parts.follower.blocks.release()
        let chain = try dev.followed(confirmations: Int(chain.confirmations))
        return try CustodyWorld(dev, chain, database, ids, screening)
    }

    private init(
        _ dev: DevChain,
        _ chain: EthereumChain,
        _ database: TestDatabase,
        _ ids: IDGenerator,
        _ screening: SaidScreening
    ) throws {
        (self.dev, self.chain, self.database, self.ids, self.screening) = (dev, chain, database, ids, screening)
        (pool, platform) = (database.pool(.defi, size: 8), database.pool(.platform))
        runtime = DomainRuntime(schema: .defi, pool: pool, ids: ids, logger: .quiet)
        let (platform, clock, cursors) = (platform, SystemClock(), CursorSigner(key: Array(repeating: 7, count: 32)))
        let book = AddressBook(
            runtime: runtime,
            ids: ids,
            wallets: Wallets(schema: .defi, pool: pool),
            screening: screening
        )
        let kept = try #require(try EthereumCustody(chain, CustodyWithdrawals(schema: .defi, pool: pool)))
        account = kept.address
        custody = CustodyParts(
            runtime,
            kept,
            kept: [.eth, .usdc, .usdt],
            checks: CustodyChecks(
                users: UserDirectory(pool: platform, stalenessSeconds: 0),
                compliance: ComplianceGate(pool: platform, ids: ids, clock: clock),
                fees: FeeCatalogCache { try await FeeSchedules(platform).catalog() },
                screening: screening,
                ids: ids,
                clock: clock
            ),
            book: book,
            ids: ids,
            logger: .quiet
        )
        parts = ChainParts(
            runtime,
            chain,
            ids: ids,
            clock: clock,
            cursors: cursors,
            book: book,
            logger: .quiet,
            custody: custody,
            missingAfterSeconds: 0
        )
        api = API(
            parts.routes + (CustodyRoutes([custody], signer: cursors)?.routes ?? []),
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(authenticator: SteppedUp(), rateLimiter: Unlimited())
        )
    }

    /// What operators do with it.
    var operations: CustodyOperations { get throws { try #require(CustodyOperations([custody])) } }

    // MARK: People

    /// Somebody identified, with one of the chain's accounts, from 1 on; `isLinked` proves it, `isOpen` lets payouts go
    /// there.
    func person(_ place: Int, isLinked: Bool = true, isOpen: Bool = true) async throws -> Person {
        let person = Person(user: ids.next(), place: place, address: dev.address(place))
        let name = "u" + person.user.description.replacing("-", with: "").suffix(20)
        _ = try await platform.query(
            """
            insert into platform.users (id, email, username, name, password_hash, kyc_status, created_at, updated_at)
            values (\(person.user), \(name + "@example.com"), \(name), 'Ada Byron', '$2b$10$' || repeat('a', 53),
                'approved', now(), now())
            """
        )
        if isLinked { try await link(person) }
        if isLinked { try await know(person.address, by: person, isOpen: isOpen) }
        return person
    }

    /// Proves somebody's wallet.
    func link(_ person: Person) async throws {
        try await prove(ids.next(), at: person.address.description, of: person)
    }

    // MARK: What people do

    /// Sends something from a person's wallet to the custodian, on the chain alone; its hash.
    @discardableResult
    func send(_ amount: String, _ asset: Asset, from person: Person) async throws -> [UInt8] {
        let call = try deposit(of: amount, asset)
        let hash = try await dev.pay(call.value, to: call.to, data: call.data, from: person.place)
        return hash
    }

    private func deposit(
        of amount: String,
        _ asset: Asset
    ) throws -> (to: EthereumAddress, value: BigUInt, data: [UInt8]) {
        let units = BigUInt(try Money(wire: amount, asset).minorUnits)
        guard let token = chain.deployment.token(asset) else { return (account, units, []) }
        return (token, .zero, try KnownCall.transfer.callData([.address(account), .uint(units)]))
    }

    /// Asks for a withdrawal to the person's own wallet, or elsewhere.
    func withdraw(
        _ amount: String,
        _ asset: String,
        to recipient: EthereumAddress? = nil,
        by person: Person,
        key: String? = nil
    ) async throws -> (status: Int, json: JSON) {
        try await ask(
            "POST",
            "/v1/defi/custody/withdrawals",
            by: person,
            [
                "asset": .string(asset), "amount": .string(amount),
                "to": .string((recipient ?? person.address).description),
            ],
            key: key
        )
    }

    /// Somebody who has deposited, finally.
    func depositor(_ place: Int, _ amount: String = "100", _ asset: Asset = .usdc) async throws -> Person {
        let person = try await person(place)
        try await send(amount, asset, from: person)
        try await follow()
        try await finalise()
        #expect(try await held(asset, by: person) == Money(wire: amount, asset).minorUnits)
        return person
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
    func held(_ asset: Asset, by person: Person, kind: String = CustodyBooks.customer) async throws -> Int128 {
        try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    /// What somebody may spend, in minor units.
    func available(_ asset: Asset, by person: Person) async throws -> Int128 {
        try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == CustodyBooks.customer && $0.total.asset == asset }?.available.minorUnits ?? 0
    }

    func house(_ kind: String, _ asset: Asset) async throws -> Int128 {
        try await runtime.accounts.balances(of: AccountKey.house)
            .first { $0.kind == kind && $0.total.asset == asset }?.total.minorUnits ?? 0
    }

    func tokens(_ asset: Asset, of address: EthereumAddress) async throws -> Int128 {
        guard let token = chain.deployment.token(asset) else {
            return Int128(clamping: try await dev.node.balance(of: address))
        }
        let answer = try await dev.node.views([.balance(of: address, in: token)])
        return Int128(clamping: BigUInt(bigEndian: try #require(answer[0])))
    }

    /// The newest deposit or withdrawal of somebody, as the API shows it.
    func newest(_ kind: String, of person: Person) async throws -> JSON {
        let answer = try await ask("GET", "/v1/defi/custody/\(kind)", by: person)
        #expect(answer.status == 200, "\(answer.json)")
        return answer.json["data"]?.elements?.first ?? .null
    }

    /// The books are the chain as far as it is final, and sound in themselves.
    func expectBooksAreChain(_ what: Comment? = nil) async throws {
        let head = try await dev.node.head()
        for holding in try await custody.reconciliation.holdings.holdings(of: [.eth, .usdc, .usdt], at: head) {
            #expect(holding.difference == 0, "\(holding.asset.code): \(what ?? "")")
        }
        #expect(try await LedgerVerifier(schema: .defi, pool: pool).verify().isEmpty, what)
    }
}

/// Says of addresses what a test has told it.
final class SaidScreening: AddressScreening {
    private let outcomes = Mutex<[String: ComplianceAnswer.Outcome]>([:])

    func say(_ outcome: ComplianceAnswer.Outcome, of account: String) { outcomes.withLock { $0[account] = outcome } }

    /// A payout as its destination's address.
    func screen(_ payout: Payout) async throws -> ComplianceAnswer {
        let account = payout.destination.account
        return try await screen(
            ScreenedAddress(subject: payout.subject, user: payout.user, account: account, use: .payout)
        )
    }

    func screen(_ address: ScreenedAddress) async throws -> ComplianceAnswer {
        let outcome = outcomes.withLock { $0[address.account] } ?? .approve
        return ComplianceAnswer(checks: [
            ComplianceAnswer.Check(kind: .sanctions, outcome: outcome, score: 0, flags: [], rule: "test.v1")
        ])
    }
}

/// Every token is a user's id, who has just proven a second factor; `weak_` before it, who hasn't.
struct SteppedUp: Authenticator {
    func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        let isWeak = token.hasPrefix("weak_")
        guard let user = ID<User>(wire: isWeak ? String(token.dropFirst(5)) : token) else {
            throw Problem.unauthenticated
        }
        return Principal(
            user: user,
            permissions: Set(["defi:read", "defi:move"].map { Permission($0) }),
            assurance: isWeak ? .secondFactorDue : .signature
        )
    }
}

extension DevChain {
    var node: EthereumNode { EthereumNode(rpc: rpc) }

    /// Sends coins, or a call, from one of the chain's accounts; its hash.
    func pay(
        _ value: BigUInt,
        to recipient: EthereumAddress,
        data: [UInt8],
        from place: Int
    ) async throws -> [UInt8] {
        let transaction = try #require(
            EthereumTransaction(
                chainID: 31_337,
                nonce: try await node.nonce(of: address(place), at: .pending),
                fee: .dynamic(
                    maxFeePerGas: BigUInt(100) * BigUInt.powerOfTen(9),
                    maxPriorityFeePerGas: BigUInt.powerOfTen(9)
                ),
                gasLimit: 120_000,
                to: recipient,
                value: value,
                data: data
            )
        )
        let signed = try signers[place].sign(transaction)
        try await deliver(signed.bytes)
        return signed.hash
    }

    /// Sends until the chain has it, whatever faults a test has ordered.
    func deliver(_ raw: [UInt8]) async throws {
        for _ in 0..<20 {
            let reception = await node.send(raw)
            if reception == .accepted { return }
        }
        Issue.record("the chain takes nothing")
    }
}
