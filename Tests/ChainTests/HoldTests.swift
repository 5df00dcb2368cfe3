import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What intents hold of what their wallets have, in the books, until they end.
@Suite(.serialized)
struct HoldTests {
    @Test func `a payment holds its amount and its gas until the block that has it is booked`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.settle()
            let before = try await world.held(world.walletKind, .usdc, by: ada)
            let intent = try await world.pay("12.5", "USDC", to: bob, by: ada)
            let gas = Int128(clamping: intent.transaction.costMax)
            #expect(try await world.reserved(by: ada) == [.usdc: 12_500_000, .eth: gas])
            // What others are told of the customer's balances says so.
            let told = try await world.toldReserved(.usdc)
            #expect(told == "12500000")
            try await world.submit(intent, by: ada)
            #expect(try await world.reserved(by: ada) == [.usdc: 12_500_000, .eth: gas])
            try await world.follow()
            #expect(try await world.now(intent).state.name == "included")
            #expect(try await world.reserved(by: ada).isEmpty)
            #expect(try await world.held(world.walletKind, .usdc, by: ada) == before - 12_500_000)
            #expect(try await world.toldReserved(.usdc) == "0")
            // A block that the chain goes on without has ended nothing.
            try await world.dev.reorganise(depth: 1, keeping: false)
            try await world.follow()
            #expect(try await world.now(intent).state == .dropped)
            #expect(try await world.reserved(by: ada) == [.usdc: 12_500_000, .eth: gas])
            #expect(try await world.held(world.walletKind, .usdc, by: ada) == before)
            try await world.makeDue()
            try await world.parts.sender.round()
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.now(intent).state.name == "final")
            try await world.expectHolds(none: true)
        }
    }

    @Test func `what isn't signed lets go when it is discarded and when its time is over`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.settle()
            let discarded = try await world.pay("1", "ETH", to: bob, by: ada)
            let late = try await world.pay("2", "USDC", to: bob, by: ada)
            #expect(try await world.reserved(by: ada)[.usdc] == 2_000_000)
            let gone = try await world.ask("DELETE", "/v1/defi/intents/\(discarded.id.wire)", by: ada)
            #expect(gone.status == 200, "\(gone.json)")
            let gas = Int128(clamping: late.transaction.costMax)
            #expect(try await world.reserved(by: ada) == [.usdc: 2_000_000, .eth: gas])
            _ = try await world.pool.query("update defi.intents set expires_at = now() where id = \(late.id)")
            try await world.follow()
            #expect(try await world.now(late).state == .expired)
            try await world.expectHolds(none: true)
        }
    }

    @Test func `those that take each other's place hold once, for the dearest, and end together`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.settle()
            try await world.dev.setAutomine(false)
            let intent = try await world.pay("5", "USDC", to: bob, by: ada)
            try await world.submit(intent, by: ada)
            let path = "/v1/defi/intents/\(intent.id.wire)/replace"
            let faster = try await world.intent(
                try await world.ask("POST", path, by: ada, ["action": "speed_up", "speed": "fast"]).json
            )
            let gas = Int128(clamping: faster.transaction.costMax)
            #expect(gas > Int128(clamping: intent.transaction.costMax))
            #expect(try await world.reserved(by: ada) == [.usdc: 5_000_000, .eth: gas])
            // One that is never signed lets go of nothing that the other one needs.
            _ = try await world.pool.query("update defi.intents set expires_at = now() where id = \(faster.id)")
            try await world.follow()
            #expect(try await world.now(faster).state == .expired)
            #expect(try await world.reserved(by: ada)[.usdc] == 5_000_000)
            let cancel = try await world.intent(
                try await world.ask("POST", path, by: ada, ["action": "cancel", "speed": "fast"]).json
            )
            try await world.submit(cancel, by: ada)
            try await world.dev.mine()
            try await world.finalise()
            #expect(try await world.now(cancel).state.name == "final")
            #expect(try await world.now(intent).state == .replaced)
            try await world.expectHolds(none: true)
        }
    }

    @Test func `what is spent in another way is booked, and less is held`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.settle()
            let all = try await world.tokens(.usdc, of: ada.address)
            let first = try await world.pay("10", "USDC", to: bob, by: ada)
            let rest = Money(minorUnits: all - 10_000_000, .usdc)
            let second = try await world.pay(rest.wire, "USDC", to: bob, by: ada)
            #expect(try await world.reserved(by: ada)[.usdc] == all)
            // All but 4 USDC go, by the wallet's own hand.
            let usdc = try #require(world.chain.deployment.token(.usdc))
            let spent = ABIValue.uint(BigUInt(all - 4_000_000))
            let data = try KnownCall.transfer.callData([.address(bob), spent])
            try await world.send(data, to: usdc, by: ada, nonce: first.transaction.nonce, after: [])
            try await world.follow()
            #expect(try await world.held(world.walletKind, .usdc, by: ada) == 4_000_000)
            // What was promised first keeps what there is.
            #expect(try await world.reserved(by: ada)[.usdc] == 4_000_000)
            #expect(try await world.heldFor(first, .usdc) == 4_000_000)
            #expect(try await world.heldFor(second, .usdc) == 0)
            try await world.expectHolds()
            // What comes is held again, as far as it was promised.
            try await world.dev.send(
                "transfer(address,uint256)",
                [.address(ada.address), .uint(BigUInt(16_000_000))],
                to: usdc
            )
            try await world.follow()
            #expect(try await world.heldFor(first, .usdc) == 10_000_000)
            #expect(try await world.heldFor(second, .usdc) == 10_000_000)
            try await world.expectHolds()
        }
    }

    @Test func `a wallet that was never read holds once it is`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            let intent = try await world.pay("3", "USDC", to: bob, by: ada)
            #expect(try await world.reserved(by: ada).isEmpty)
            try await world.settle()
            #expect(try await world.heldFor(intent, .usdc) == 3_000_000)
            // A wallet that is revoked is nobody's balance, and nothing of it is held.
            _ = try await world.pool.query(
                """
                update defi.wallets set status = 'revoked', revoked_at = now(), revoked_because = 'test'
                where id = \(ada.wallet)
                """
            )
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true where wallet = \(ada.wallet)")
            try await world.settle()
            #expect(try await world.reserved(by: ada).isEmpty)
            #expect(try await world.held(world.walletKind, .usdc, by: ada) == 0)
        }
    }

    @Test func `a start holds what goes in, and its gas, until it has gone`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            let body: JSON = ["wallet": .string(ada.wallet.wire), "offer": "aave-usdc", "amount": "50"]
            let answer = try await world.ask("POST", "/v1/defi/strategies", by: ada, body)
            var gas: Int128 = 0
            for json in answer.json["transactions"]?.elements ?? [] {
                gas += Int128(clamping: try await world.intent(json).transaction.costMax)
            }
            #expect(try await world.reserved(by: ada) == [.usdc: 50_000_000, .eth: gas])
            let started = try await world.signAll(answer, by: ada)
            try await world.follow()
            #expect(try await world.reserved(by: ada).isEmpty)
            #expect(try await world.held("pending", .usdc, by: ada) == 50_000_000)
            try await world.finalise()
            try await world.expectHolds(none: true)
            // A way out holds its gas, and its share of the principal in the strategy's account.
            let path = "/v1/defi/strategies/\(started.id.wire)/stop"
            let exit = try await world.ask("POST", path, by: ada, [:])
            let intent = try await world.intent(try #require(exit.json["transactions"]?.elements?.last))
            #expect(try await world.reserved(by: ada) == [.eth: Int128(clamping: intent.transaction.costMax)])
            _ = try await world.signAll(exit, by: ada)
            try await world.finalise()
            try await world.settle()
            try await world.expectHolds(none: true)
            let left = try await world.pool.query("select count(*) from defi.reservations where state = 'active'")
            #expect(try left[0][0] == 0)
        }
    }

    @Test func `what somebody else's transaction took the place of lets go when that is final`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), world.dev.address(2))
            try await world.know(bob, by: ada)
            try await world.settle()
            try await world.dev.setAutomine(false)
            let strategy = try await world.start("aave-usdc", "20", by: ada).id
            try await world.dev.mine()
            try await world.finalise()
            let exit = try #require(try await world.stop(strategy, by: ada).last)
            let path = "/v1/defi/intents/\(exit.id.wire)/replace"
            let faster = try await world.intent(
                try await world.ask("POST", path, by: ada, ["action": "speed_up", "speed": "fast"]).json
            )
            try await world.submit(faster, by: ada)
            // The wallet pays more for gas than both, and so they are displaced in one block.
            let other = try #require(
                EthereumTransaction(
                    chainID: exit.transaction.chainID,
                    nonce: exit.transaction.nonce,
                    fee: .dynamic(
                        maxFeePerGas: BigUInt(400) * BigUInt.powerOfTen(9),
                        maxPriorityFeePerGas: BigUInt(200) * BigUInt.powerOfTen(9)
                    ),
                    gasLimit: 21_000,
                    to: bob,
                    value: .one,
                    data: []
                )
            )
            #expect(await world.chain.nodes.send(try ada.signer.sign(other).bytes) == .accepted)
            try await world.dev.mine()
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.now(exit).state == .replaced)
            #expect(try await world.now(faster).state == .replaced)
            try await world.expectHolds(none: true)
            let left = try await world.pool.query("select count(*) from defi.reservations where state = 'active'")
            #expect(try left[0][0] == 0)
        }
    }
}

extension ChainWorld {
    var walletKind: String { "wallet:\(chain.name)" }

    /// What is reserved of what somebody's wallet has, where anything is.
    func reserved(by person: Person) async throws -> [Asset: Int128] {
        var reserved: [Asset: Int128] = [:]
        for balance in try await runtime.accounts.balances(of: person.user.value) where balance.kind == walletKind {
            if balance.reserved.minorUnits > 0 { reserved[balance.total.asset] = balance.reserved.minorUnits }
        }
        return reserved
    }

    /// What is held for one intent.
    func heldFor(_ intent: Intent, _ asset: Asset) async throws -> Int128 {
        try await pool.query(
            """
            select coalesce(sum(r.amount - r.captured), 0) as held from defi.intent_holds h
            join defi.reservations r on r.id = h.reservation and r.state = 'active'
            where h.intent = \(intent.id) and h.asset = \(asset.code)
            """
        )[0]["held"]
    }

    /// What others were told last of what is reserved of a wallet's asset.
    func toldReserved(_ asset: Asset) async throws -> String? {
        let rows = try await pool.query(
            """
            select b->>'reserved' as reserved from defi.outbox_events e, jsonb_array_elements(e.payload->'balances') b
            where e.payload ? 'balances' and b->>'asset' = \(asset.code) and b->>'kind' = \(walletKind)
            order by e.id desc limit 1
            """
        )
        return try rows.first?["reserved"]
    }

    /// Expects every hold to be one of an intent that isn't over, or none at all, and the ledger to be sound.
    func expectHolds(_ note: String = "", none: Bool = false) async throws {
        try await Holds(pool: pool, owner: owner).check(note, none: none)
    }
}

/// Checks of what is held, on any chain.
struct Holds: Sendable {
    let pool: Pool
    let owner: Pool

    func check(_ note: String = "", none: Bool = false) async throws {
        let row = try await pool.query(
            """
            select (select count(*) from defi.reservations where kind = 'intent' and state = 'active') as active,
                (select count(*) from defi.intent_holds) as rows,
                (select count(*) from defi.reservations r where r.kind = 'intent' and r.state = 'active'
                    and not exists (select from defi.intent_holds h where h.reservation = r.id)) as strays,
                (select count(*) from defi.intent_holds h where not exists (
                    select from (select id, replaces, state from defi.intents
                        union all select id, replaces, state from defi.payments) i
                    where (i.id = h.intent or i.replaces = h.intent)
                        and i.state not in ('final', 'failed', 'replaced', 'expired'))) as over
            """
        )[0]
        let (active, rows): (Int, Int) = (try row["active"], try row["rows"])
        let (strays, over): (Int, Int) = (try row["strays"], try row["over"])
        #expect(strays == 0 && over == 0, "strays \(strays), over \(over) \(note)")
        if none { #expect(active == 0 && rows == 0, "active \(active), rows \(rows) \(note)") }
        let findings = try await LedgerVerifier(schema: .defi, pool: owner).verify()
        #expect(findings.isEmpty, "\(findings) \(note)")
    }
}
