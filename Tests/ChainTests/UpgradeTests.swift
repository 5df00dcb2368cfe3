import Kernel
import Logging
import Migrations
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// A database that was filled before an update is read and goes on after it.
@Suite(.serialized)
struct UpgradeTests {
    /// The migration of the schema that the database was filled with.
    private static let before = 7
    /// Enough for all states to be there at once.
    private static let confirmations = 8

    /// What there was before the update.
    private struct Filled: Sendable {
        let ada: ChainWorld.Person
        /// Whose wallet was never read.
        let unread: ChainWorld.Person
        let vault: ID<Strategy>
        /// By the states that they are in.
        var intents: [String: Intent]
        /// An exit that is built, and whose least amount is forgotten on the way.
        let exit: Intent
    }

    @Test func `a database that was filled before the newest migration is read, and goes on`() async throws {
        try await DevChain.with { dev in
            try await TestDatabase.with { database in
                let filled = try await ChainWorld.on(dev, database, confirmations: Self.confirmations) {
                    try await Self.fill($0)
                }
                let payments = try await Self.migrate(database)
                try await Self.expectDefaults(database.pool(), filled)
                try await dev.heal()
                try await ChainWorld.on(dev, database, confirmations: Self.confirmations) { world in
                    try await Self.expectReadable(world, payments)
                    try await Self.goOn(world, filled)
                }
            }
        }
    }

    // MARK: Before

    private static func fill(_ world: ChainWorld) async throws -> Filled {
        let (ada, bob) = (try await world.person(1), world.dev.address(3))
        try await world.know(bob, by: ada)
        try await world.settle()
        let vault = try await world.started(.vault, by: ada)
        try await world.dev.setAutomine(false)
        var intents = try await over(world, ada, bob)
        intents.merge(try await open(world, ada, bob)) { $1 }
        let path = "/v1/defi/strategies/\(vault.id.wire)/stop"
        let left = try await world.ask("POST", path, by: ada, ["amount": "100"])
        let exit = try await world.intent(try #require(left.json["transactions"]?.elements?.first, "\(left.json)"))
        #expect(exit.kind == .exit && exit.floor != nil)
        intents["built"] = try await world.pay("1", "USDC", to: bob, by: ada)
        for (state, intent) in intents { #expect(try await world.now(intent).state.name == state) }
        #expect(intents.count == 10)
        let unread = try await world.person(2)
        return Filled(ada: ada, unread: unread, vault: vault.id, intents: intents, exit: exit)
    }

    /// What is over for good.
    private static func over(
        _ world: ChainWorld,
        _ ada: ChainWorld.Person,
        _ bob: EthereumAddress
    ) async throws -> [String: Intent] {
        let one = try KnownCall.transfer.callData([.address(bob), .uint(.one)])
        // More than there is, once something else has gone before it.
        let all = try await world.tokens(.usdc, of: ada.address)
        let failing = try await world.pay(Money(minorUnits: all, .usdc).wire, "USDC", to: bob, by: ada)
        let nonce = failing.transaction.nonce
        _ = try await world.pool.query("update defi.intents set nonce = nonce + 1 where id = \(failing.id)")
        try await world.send(elsewhere: one, as: failing, nonce, by: ada)
        try await world.submit(try await world.now(failing), by: ada)
        try await world.dev.mine()
        try await world.finalise()
        let slow = try await world.pay("1", "ETH", to: bob, by: ada)
        try await world.submit(slow, by: ada)
        let path = "/v1/defi/intents/\(slow.id.wire)/replace"
        let answer = try await world.ask("POST", path, by: ada, ["action": "speed_up", "speed": "fast"])
        let faster = try await world.intent(answer.json)
        try await world.submit(faster, by: ada)
        try await world.dev.mine()
        try await world.finalise()
        try await world.finalise()
        let late = try await world.pay("1", "USDC", to: bob, by: ada)
        _ = try await world.pool.query("update defi.intents set expires_at = now() where id = \(late.id)")
        try await world.follow()
        return ["failed": failing, "replaced": slow, "final": faster, "expired": late]
    }

    /// What is on its way.
    private static func open(
        _ world: ChainWorld,
        _ ada: ChainWorld.Person,
        _ bob: EthereumAddress
    ) async throws -> [String: Intent] {
        let one = try KnownCall.transfer.callData([.address(bob), .uint(.one)])
        func pay() async throws -> Intent {
            let intent = try await world.pay("2", "USDC", to: bob, by: ada)
            try await world.submit(intent, by: ada)
            return intent
        }
        let displaced = try await world.pay("2", "USDC", to: bob, by: ada)
        try await world.send(elsewhere: one, as: displaced, displaced.transaction.nonce, by: ada)
        try await world.dev.mine()
        try await world.submit(displaced, by: ada)
        try await world.follow()
        let included = try await pay()
        try await world.dev.mine()
        let dropped = try await pay()
        try await world.dev.mine()
        try await world.follow()
        try await world.dev.reorganise(depth: 1, keeping: false)
        try await world.follow()
        let broadcast = try await pay()
        try await world.dev.fault(.drop, on: "eth_sendRawTransaction")
        let signed = try await pay()
        return [
            "displaced": displaced, "included": included, "dropped": dropped, "broadcast": broadcast, "signed": signed,
        ]
    }

    // MARK: The update

    /// Takes the schema back to what it was, adds what nobody does in this world, and brings it up to date; payments by
    /// the states that they are in.
    private static func migrate(_ database: TestDatabase) async throws -> [String: ID<Intent>] {
        let catalog = try MigrationCatalog(directory: TestDatabase.migrationsDirectory)
        let schemas = catalog.schemas.filter { !catalog[$0].isEmpty }
        let server = MigrationServer(url: database.url, schemas: schemas)
        let migrator = Migrator(catalog: catalog, logger: .quiet)
        try await migrator.down(server, schema: .defi, to: before)
        let owner = database.pool()
        try await addDeposits(owner)
        let payments = try await addPayments(owner)
        try await migrator.up([server])
        return payments
    }

    /// Deposits to custody in each of their states.
    private static func addDeposits(_ pool: Pool) async throws {
        _ = try await pool.query(
            """
            insert into defi.custody_deposits (id, user_id, chain, hash, place, sender, asset, amount, required, state,
                hold, block_number, block_hash, version, created_at, updated_at)
            select gen_random_uuid(), case when s.state = 'confirmed' then w.user_id end, c.name,
                decode(md5(s.place::text) || md5(s.state), 'hex'), s.place, w.address, 'USDC', 5000000, 12, s.state,
                s.hold, case when s.has_block then c.head end, case when s.has_block then c.head_hash end, 1, now(),
                now()
            from (select * from defi.wallets order by id limit 1) w,
                (select * from defi.chains where head is not null) c,
                (values (1, 'pending', null, true), (2, 'pending', null, false), (3, 'confirmed', null, true),
                    (4, 'lost', null, false), (5, 'held', 'sender_unknown', true), (6, 'held', 'in_review', true),
                    (7, 'held', 'address_blocked', true), (8, 'held', 'below_minimum', true))
                as s(place, state, hold, has_block)
            """
        )
    }

    /// Payments on Bitcoin in each of their states.
    private static func addPayments(_ pool: Pool) async throws -> [String: ID<Intent>] {
        let rows = try await pool.query(
            """
            with chain as (
                insert into defi.chains (name) values ('bip122:0f9188f13cb7b2c71f2a335e3a4fc328') returning name),
            wallet as (
                insert into defi.wallets (id, user_id, chain, network, account, address, type, label, created_at,
                    updated_at)
                select gen_random_uuid(), gen_random_uuid(), 'bitcoin', 'local', name || ':bcrt1qsomebody',
                    'bcrt1qsomebody', 'hot', 'Test', now(), now()
                from chain returning *)
            insert into defi.payments (id, user_id, wallet, chain, address, kind, recipient, asset, amount, unsigned,
                inputs, fee, fee_max, details, summary, raw, hash, state, block_number, block_hash, succeeded, fee_paid,
                version, created_at, expires_at, updated_at)
            select gen_random_uuid(), w.user_id, w.id, c.name, w.address, 'transfer', 'bcrt1qother', 'BTC', 5000,
                'AA==', '{}', 100, 100, '{}', '{}', case when s.is_signed then '\\x01'::bytea end,
                case when s.is_signed then decode(md5(s.state) || md5(s.state), 'hex') end, s.state,
                case when s.is_in_block then 7 end,
                case when s.is_in_block then decode(md5('block') || md5('7'), 'hex') end,
                s.succeeded, case when s.succeeded is not null then 100 end, 1, now(), now(), now()
            from chain c, wallet w, (values ('built', false, false, null::boolean), ('signed', true, false, null),
                ('broadcast', true, false, null), ('dropped', true, false, null), ('displaced', true, true, null),
                ('included', true, true, true), ('final', true, true, true), ('failed', true, true, false),
                ('replaced', true, false, null), ('expired', false, false, null))
                as s(state, is_signed, is_in_block, succeeded)
            returning id, state
            """
        )
        var payments: [String: ID<Intent>] = [:]
        for row in rows { payments[try row["state"]] = try row["id"] }
        #expect(payments.count == 10)
        return payments
    }

    // MARK: After

    /// Columns that came with the update are as they should be for rows that were there before.
    private static func expectDefaults(_ pool: Pool, _ filled: Filled) async throws {
        func count(_ condition: SQL) async throws -> Int {
            try await pool.query("select count(*) from \(condition)")[0][0]
        }
        for (state, intent) in filled.intents {
            #expect(try await count("defi.intents where id = \(intent.id) and state = \(state)") == 1, "\(state)")
        }
        #expect(try await count("defi.intents where num_nonnulls(floor_asked, floor_least) <> 0") == 0)
        #expect(try await count("defi.payments where refusals <> 0") == 0)
        #expect(try await count("defi.unclear_transactions") == 0)
        #expect(try await count("pg_constraint where connamespace = 'defi'::regnamespace and not convalidated") == 0)
        // A wallet that was read stays read, so that it isn't read anew.
        #expect(try await count("defi.wallets where id = \(filled.ada.wallet) and is_read") == 1)
        #expect(try await count("defi.wallets where id = \(filled.unread.wallet) and not is_read") == 1)
    }

    private static func expectReadable(_ world: ChainWorld, _ payments: [String: ID<Intent>]) async throws {
        let store = Payments(schema: .defi, pool: world.pool)
        for (state, id) in payments { #expect(try await store.find(id)?.state.name == state) }
        let held = try await CustodyDeposits(schema: .defi, pool: world.pool).held(limit: 10)
        #expect(held.count == 4)
        // Holds that are known since the update can be stored.
        for hold in ["owner_not_active", "refused"] {
            _ = try await world.pool.query(
                "update defi.custody_deposits set hold = \(hold) where id = \(try #require(held.first).id)"
            )
        }
    }

    /// What was open before the update ends as it would have without it.
    private static func goOn(_ world: ChainWorld, _ filled: Filled) async throws {
        for intent in filled.intents.values {
            let read = try await world.now(intent)
            #expect(read.transaction == intent.transaction || intent.id == filled.intents["failed"]?.id)
            #expect(read.floor == nil)
        }
        try await world.settle()
        let kind = "wallet:\(world.chain.name)"
        let tokens = try await world.tokens(.usdc, of: filled.unread.address)
        #expect(try await world.held(kind, .usdc, by: filled.unread) == tokens && tokens > 0)
        // The least that it must give wasn't known then, and isn't asked for.
        let built = try #require(filled.intents["built"])
        for intent in [filled.exit, built] {
            let answer = try await world.submit(try await world.now(intent), by: filled.ada)
            #expect(answer.status == 202, "\(answer.json)")
        }
        for _ in 0..<3 {
            try await world.makeDue()
            try await world.parts.sender.round()
            try await world.dev.mine()
            try await world.finalise()
        }
        for state in ["included", "dropped", "broadcast", "signed", "built"] {
            let intent = try #require(filled.intents[state])
            #expect(try await world.now(intent).state.name == "final", "\(state)")
        }
        #expect(try await world.now(try #require(filled.intents["displaced"])).state == .replaced)
        let exit = try await world.now(filled.exit)
        #expect(exit.state.name == "final")
        try await world.settle()
        let vault = try await world.strategy(filled.vault, of: filled.ada)
        #expect(vault.status == .active && vault.withdrawn > 0)
        #expect(try await world.deployed(vault, by: filled.ada) == vault.principal)
        let left = try await world.tokens(.usdc, of: filled.ada.address)
        #expect(try await world.held(kind, .usdc, by: filled.ada) == left)
        try await world.expectHolds()
    }
}
