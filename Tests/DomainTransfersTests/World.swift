import DomainKit
import DomainTransfers
import HTTP
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL
import TestSupport
import Testing

/// Three domains that pass money to each other, driven by hand: nothing moves but what a test moves.
struct World: Sendable {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    static let cursors = CursorSigner(key: [UInt8](repeating: 7, count: 32))
    static let schemas: [Schema] = [.banking, .investing, .defi]
    static let assets: [Schema: Set<Asset>] = [
        .banking: [.usd, .eur, .usdc, .usdt], .investing: Set(Asset.all),
        .defi: [.usdc, .usdt, .btc, .eth, .sol, .sui],
    ]

    let ids: IDGenerator
    let members: [Schema: Member]
    let trouble: Trouble

    /// Runs `body` in a world whose domains share a database of its own; those in `pools` are elsewhere.
    static func with(
        books: [Schema: TestBook] = [:],
        pools: [Schema: Pool] = [:],
        _ body: @Sendable (World) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let pools = Dictionary(uniqueKeysWithValues: schemas.map { ($0, pools[$0] ?? database.pool($0)) })
            try await with(ids: IDGenerator(), pools: pools, books: books, body)
        }
    }

    /// Runs `body` in a world on these pools; a domain without a book has one that approves everything.
    static func with(
        ids: IDGenerator,
        pools: [Schema: Pool],
        books: [Schema: any TransferBook],
        _ body: @Sendable (World) async throws -> Void
    ) async throws {
        let world = World(ids: ids, pools: pools, books: books)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in world.members.values { group.addTask { try await member.runtime.ledger.run() } }
            defer { group.cancelAll() }
            try await body(world)
        }
    }

    private init(
        ids: IDGenerator,
        pools: [Schema: Pool],
        books: [Schema: any TransferBook]
    ) {
        let trouble = Trouble()
        var members: [Schema: Member] = [:]
        for (schema, pool) in pools {
            members[schema] = Member(schema, pool, books[schema] ?? TestBook(schema: schema, ids: ids), ids, trouble)
        }
        (self.ids, self.members, self.trouble) = (ids, members, trouble)
    }

    func member(_ schema: Schema) throws -> Member { try #require(members[schema]) }

    // MARK: What moves

    /// Gives a user money out of nothing, in one domain.
    func fund(_ user: ID<User>, _ amount: Money, in schema: Schema) async throws {
        let member = try member(schema)
        let house = try await member.runtime.accounts.open(
            AccountKey(house: "test_source", amount.asset),
            mayGoNegative: true
        )
        let account = try await member.runtime.accounts.open(AccountKey(user, member.account, amount.asset))
        let transfer = NewTransfer(
            id: ids.next(),
            debit: house,
            credit: account,
            amount: amount.minorUnits,
            code: "test"
        )
        let outcome = try await member.runtime.ledger.submit(
            LedgerItem(operation: ids.next(), commands: [.transfer(transfer)])
        )
        guard case .done = outcome else { throw Unexpected("\(outcome)") }
    }

    /// Asks a domain to send money; the answer as it is.
    func send(
        _ user: ID<User>,
        _ amount: Money,
        from: Schema,
        to: Schema,
        key: String? = nil
    ) async throws -> APIResponse {
        let body: JSON = [
            "amount": .string(amount.wire), "asset": .string(amount.asset.code), "to": .string(to.name),
        ]
        return try await post(user, body, to: from, key: key)
    }

    func post(
        _ user: ID<User>,
        _ body: JSON,
        to domain: Schema,
        key: String? = nil
    ) async throws -> APIResponse {
        let key = key ?? ids.next(User.self).description
        return try await member(domain).api.respond(
            "POST",
            "/v1/\(domain)/transfers",
            headers: [
                "Authorization": "Bearer \(user.wire)", "Content-Type": "application/json", "Idempotency-Key": key,
            ],
            body: body.serialized()
        )
    }

    /// Sends money, which must be accepted, and answers with the transfer's id.
    func sent(
        _ user: ID<User>,
        _ amount: Money,
        from: Schema,
        to: Schema
    ) async throws -> ID<DomainTransfer> {
        let response = try await send(user, amount, from: from, to: to)
        #expect(response.status == 202, "\(response.json)")
        return try #require(response.json["id"]?.stringValue.flatMap { ID<DomainTransfer>(wire: $0) })
    }

    /// Carries all events to where they go and handles them, until nothing is left to do.
    func settle() async throws {
        for _ in 0..<100 {
            var moved = 0
            for schema in World.schemas { moved += try await member(schema).relay().drain() }
            for schema in World.schemas { try await member(schema).worker().drain() }
            if moved == 0 { return }
        }
        throw Unexpected("events go round and round")
    }

    // MARK: What is there

    func transfer(
        _ id: ID<DomainTransfer>,
        of user: ID<User>,
        in domain: Schema
    ) async throws -> APIResponse {
        try await member(domain).api.respond(
            "GET",
            "/v1/\(domain)/transfers/\(id.wire)",
            headers: ["Authorization": "Bearer \(user.wire)"]
        )
    }

    func status(of id: ID<DomainTransfer>, _ user: ID<User>, in domain: Schema) async throws -> String? {
        try await transfer(id, of: user, in: domain).json["status"]?.stringValue
    }

    /// What a user has of an asset in a domain.
    func balance(_ user: ID<User>, _ asset: Asset, in schema: Schema) async throws -> Int128 {
        try await member(schema).runtime.accounts.balances(of: user.value)
            .filter { $0.total.asset == asset }.reduce(0) { $0 + $1.available.minorUnits }
    }

    /// Both sides cancel out, nothing is in transit, every ledger adds up, and no event was given up.
    func expectSettled(_ location: SourceLocation = #_sourceLocation) async throws {
        let all = try World.schemas.map { try member($0) }
        #expect(try await TransitCheck.differences(all.map(\.transfers)).isEmpty, sourceLocation: location)
        for member in all {
            let (schema, pool) = (member.runtime.schema, member.runtime.pool)
            #expect(try await member.transfers.oldestInTransitSeconds().isEmpty, sourceLocation: location)
            #expect(try await LedgerVerifier(schema: schema, pool: pool).verify().isEmpty, sourceLocation: location)
            let dead: Int = try await pool.query(
                "select count(*) from \(schema).inbox where status not in ('processed', 'ignored')"
            )[0][0]
            #expect(dead == 0, "unhandled events in \(schema)", sourceLocation: location)
        }
    }
}

/// Something that a test didn't count on.
struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

extension APIResponse {
    /// The body as JSON; null for none.
    var json: JSON {
        guard let body = encodedBody(), let json = try? JSON.parse(body.bytes) else { return .null }
        return json
    }
}
