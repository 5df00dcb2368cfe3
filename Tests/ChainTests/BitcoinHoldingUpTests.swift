import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What must not hold a chain of payments up, whatever is wrong with one payment or one wallet.
@Suite(.serialized)
struct BitcoinHoldingUpTests {
    @Test(arguments: [true, false])
    func `a payment whose change is refused holds up neither the chain nor another one`(
        isTakenBack: Bool
    ) async throws {
        try await BitcoinWorld.with(confirmations: 4) { world in
            let ada = try await world.person(.p2wpkh, [500_000, 400_000])
            if !isTakenBack { try await world.refuse("state <> 'included'") }
            let bad = try await world.submit(try await world.pay("0.002", to: ada.address, by: ada), by: ada)
            let good = try await world.submit(try await world.pay("0.001", to: ada.address, by: ada), by: ada)
            try await world.mine(2)
            try await world.follow()
            if isTakenBack {
                #expect(try await world.now(bad).state.name == "included")
                try await world.refuse("state <> 'broadcast'")
                try await world.reorganise(depth: 2, keeping: true)
                try await world.follow()
            }
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            #expect(try await world.now(good).state.name == "included")
            #expect(try await world.now(bad).state.name == (isTakenBack ? "included" : "broadcast"))
            try await world.finalise()
            #expect(try await world.now(good).state.name == "final")
            _ = try await world.owner.query("alter table defi.payments drop constraint refused_by_test")
            // What was missed is found: by where it is, or by its block that isn't there any more.
            for _ in 0..<3 { try await world.finalise() }
            #expect(try await world.now(bad).state.name == "final")
            #expect(try await world.fees() == bad.unsigned.fee + good.unsigned.fee)
            try await world.expectBooks(of: [ada])
        }
    }

    @Test func `a payment that nodes are silent about when it is settled waits, and the block doesn't`() async throws {
        try await BitcoinWorld.with(confirmations: 2) { world in
            let ada = try await world.person(.p2wpkh, [500_000])
            let payment = try await world.submit(try await world.pay("0.002", to: ada.address, by: ada), by: ada)
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "included")
            try await world.mine()
            try await world.fault(.drop, on: "getrawtransaction")
            try await world.follow()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            #expect(try await world.now(payment).state.name == "included")
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(payment).state.name == "final")
        }
    }

    @Test func `a payment whose change is refused keeps no other from being sent, and all are looked for in turns`()
        async throws
    {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh, [500_000, 400_000])
            try await world.refuse("state <> 'broadcast'")
            try await world.fault(.drop, on: "sendrawtransaction", count: 2)
            let bad = try await world.submit(try await world.pay("0.002", to: ada.address, by: ada), by: ada)
            let good = try await world.submit(try await world.pay("0.001", to: ada.address, by: ada), by: ada)
            for payment in [bad, good] { #expect(try await world.now(payment).state == .signed) }
            try await world.makeDue()
            try await world.parts.sender.round()
            #expect(try await world.now(good).state == .broadcast)
            #expect(try await world.now(bad).state == .signed)
            _ = try await world.owner.query("alter table defi.payments drop constraint refused_by_test")
            try await world.makeDue()
            try await world.parts.sender.round()
            #expect(try await world.now(bad).state == .broadcast)
            // The one that was left alone the longest is looked for first.
            let (chain, payments) = (world.chain.name, world.payments)
            let first = try #require(try await payments.waiting(on: chain, seconds: 0, limit: 1).first)
            try await payments.looked(at: [first.id])
            let second = try #require(try await payments.waiting(on: chain, seconds: 0, limit: 1).first)
            #expect(Set([first.id, second.id]) == [bad.id, good.id])
            let before: Timestamp = try await world.pool.query("select max(seen_at) from defi.payments")[0][0]
            try await world.parts.follower.step()
            let looked = try await world.pool.query("select count(*) from defi.payments where seen_at > \(before)")
            #expect(try looked[0][0] == 2)
        }
    }

    @Test func `what the database refuses of a wallet holds up neither the block nor another wallet`() async throws {
        try await BitcoinWorld.with { world in
            let (ada, eve) = (try await world.person(.p2wpkh), try await world.person(.p2tr))
            _ = try await world.owner.query(
                """
                alter table defi.wallet_totals add constraint refused_by_test check (received <> 123456) not valid
                """
            )
            try await world.fund(ada.address, 200_000)
            try await world.fund(eve.address, 123_456)
            try await world.mine()
            try await world.follow()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            try await world.expectBooks(of: [ada, eve])
            let totals = try await WalletTotals.of(ada.wallet, in: .defi, world.pool)
            #expect(totals.first?.received == 200_000)
        }
    }

    @Test func `a wallet that can't be read rests, and keeps neither the chain nor other wallets waiting`()
        async throws
    {
        try await BitcoinWorld.with { world in
            let template = try await world.person(.p2wpkh)
            let unreadable = BitcoinWorld.Person(
                user: world.ids.next(),
                wallet: world.ids.next(),
                address: "bcrt1qnoaddress",
                signer: template.signer,
                form: .p2wpkh
            )
            try await world.link(unreadable)
            let ada = try await world.person(.p2wpkh, [500_000])
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            for _ in 0..<4 {
                _ = try await world.pool.query("update defi.wallet_reads set next_at = '-infinity'")
                try await world.follow()
            }
            try await world.expectBooks(of: [ada])
            let rows = try await world.pool.query(
                "select wallet from defi.wallet_reads where is_due and next_at > clock_timestamp()"
            )
            let resting: [ID<Wallet>] = try rows.map { try $0["wallet"] }
            #expect(resting == [unreadable.wallet])
            // It is no more in the way of those that come after it.
            let bob = try await world.person(.p2tr, [300_000])
            try await world.expectBooks(of: [bob])
        }
    }

    @Test func `the lease is kept while wallets are read, however long that takes`() async throws {
        try await BitcoinWorld.with { world in
            let ada = try await world.person(.p2wpkh)
            try await world.fund(ada.address, 250_000)
            try await world.mine()
            _ = try await world.pool.query("update defi.wallet_reads set is_due = true")
            _ = try await world.rpc.call(
                "dev_fault",
                ["method": "scantxoutset", "kind": "late", "count": .integer(1), "seconds": .number("2.5")]
            )
            let (slow, other) = (world.parts.follower.patient(seconds: 1), world.parts.follower.blocks.another())
            _ = try await world.pool.query("update defi.chains set lease_until = '-infinity'")
            let isKept = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await slow.step()
                    return true
                }
                group.addTask {
                    while !Task.isCancelled {
                        try await Task.sleep(for: .milliseconds(50))
                        if try await slow.blocks.isLed, try await other.lease() { return false }
                    }
                    return true
                }
                defer { group.cancelAll() }
                return try await group.next()
            }
            #expect(isKept == true)
            try await world.expectBooks(of: [ada])
        }
    }
}

extension BitcoinWorld {
    /// Has the database refuse changes of payments of 0.002 BTC, but for those that are so.
    fileprivate func refuse(_ condition: SQL) async throws {
        _ = try await owner.query(
            """
            alter table defi.payments add constraint refused_by_test check (amount <> 200000 or \(condition)) not valid
            """
        )
    }
}

extension PaymentFollower {
    /// The same as a process of its own, which may be silent only so long.
    fileprivate func patient(seconds: Double) -> PaymentFollower {
        var blocks = blocks.another()
        blocks.leaseSeconds = seconds
        return PaymentFollower(
            chain: chain,
            blocks: blocks,
            books: books,
            wallets: wallets,
            custody: custody,
            ledger: ledger,
            logger: logger
        )
    }
}

extension ChainBlocks {
    /// The same for another process.
    fileprivate func another() -> ChainBlocks {
        ChainBlocks(schema: schema, pool: pool, chain: chain, holder: holder &+ UInt128.random(in: 1...1_000_000))
    }

    /// Whether this process was the last one to take the lease.
    fileprivate var isLed: Bool {
        get async throws {
            try await !pool.query(
                "select 1 from \(schema).chains where name = \(chain) and holder = \(holder)"
            ).isEmpty
        }
    }
}
