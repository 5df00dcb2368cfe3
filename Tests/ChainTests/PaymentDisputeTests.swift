import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What two nodes don't say alike of Bitcoin, Solana and Sui holds what it is about, until they do.
@Suite(.serialized)
struct PaymentDisputeTests {
    @Test func `bitcoin: a transaction that the nodes tell differently counts once, when they tell it alike`()
        async throws
    {
        try await BitcoinWorld.with(confirmations: 2) { one in
            let world = try await one.followedByTwo()
            let (ada, bob) = (try await world.person(), try await world.person())
            // What a block tells, and what there is to spend.
            for method in ["getblock", "scantxoutset"] {
                _ = try await world.second.call("dev_lie", .string(method), "0.00123456", "0.00100000")
            }
            try await world.fund(ada.address, 123_456)
            try await world.fund(bob.address, 50_000)
            try await world.mine()
            try await world.follow()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            #expect(try await world.held(by: ada) == 0)
            #expect(try await world.held(by: bob) == 50_000)
            #expect(try await received(by: ada.wallet, world.pool) == 0)
            #expect(try await unclear(world.pool) == 1)
            // Nothing is built of what isn't known.
            let refused = try await world.order("0.001", to: ada.address, by: ada)
            #expect(refused.status == 503, "\(refused.json)")
            _ = try await world.second.call("dev_truth")
            for _ in 0..<2 {
                try await makeDue(world.pool)
                try await world.mine()
                try await world.follow()
                #expect(try await world.held(by: ada) == 123_456)
                #expect(try await received(by: ada.wallet, world.pool) == 123_456)
                #expect(try await unclear(world.pool) == 0)
            }
            try await world.expectBooks(of: [ada, bob])
        }
    }

    @Test func `bitcoin: one payment that the nodes tell differently is found by both, and holds no other`()
        async throws
    {
        try await BitcoinWorld.with(confirmations: 2) { one in
            let world = try await one.followedByTwo()
            let ada = try await world.person(.p2wpkh, [500_000, 400_000])
            let held = try await world.submit(try await world.pay("0.00123456", to: ada.address, by: ada), by: ada)
            let other = try await world.submit(try await world.pay("0.001", to: ada.address, by: ada), by: ada)
            _ = try await world.second.call("dev_lie", "getblock", "0.00123456", "0.00100000")
            try await world.finalise()
            try await world.finalise()
            for payment in [held, other] { #expect(try await world.now(payment).state.name == "final") }
            _ = try await world.second.call("dev_truth")
            try await makeDue(world.pool)
            try await world.finalise()
            #expect(try await unclear(world.pool) == 0)
            try await world.expectBooks(of: [ada])
        }
    }

    @Test func `solana: a transaction that the nodes tell differently counts once, when they tell it alike`()
        async throws
    {
        try await SolanaDev.with { dev in
            try await PaymentWorld.with(try dev.followed(dev.second)) { world in
                let (ada, bob) = (try await world.person(), try await world.person())
                try await dev.fund(bob.address, 2_000_000_000)
                try await dev.finalise()
                try await world.follow()
                try await dev.second.lie("getBlock", "1234567890", "1234567891")
                try await dev.second.lie("getBalance", "1234567890", "1234567891")
                try await dev.fund(ada.address, 1_234_567_890)
                try await dev.fund(bob.address, 1_000_000_000)
                try await dev.finalise()
                try? await world.follow()
                try await world.follow()
                #expect(try await world.parts.follower.blocks.tip()?.number == world.chain.head())
                #expect(try await world.booked(.sol, of: ada) == 0)
                #expect(try await world.totals(.sol, of: ada) == WalletFlow())
                #expect(try await world.totals(.sol, of: bob) == WalletFlow(received: 3_000_000_000))
                #expect(try await unclear(world.pool) == 1)
                try await dev.second.tellTruth()
                for _ in 0..<2 {
                    try await makeDue(world.pool)
                    try await dev.finalise()
                    try await world.follow()
                    #expect(try await world.booked(.sol, of: ada) == 1_234_567_890)
                    #expect(try await world.booked(.sol, of: bob) == 3_000_000_000)
                    #expect(try await world.totals(.sol, of: ada) == WalletFlow(received: 1_234_567_890))
                    #expect(try await unclear(world.pool) == 0)
                }
            }
        }
    }

    @Test func `sui: a balance that the nodes don't say alike holds its wallet's books alone`() async throws {
        try await SuiDev.with { dev in
            try await PaymentWorld.with(try dev.followed(dev.second)) { world in
                let (ada, bob) = (try await world.person(), try await world.person())
                try await dev.checkpoint()
                try await world.follow()
                try await dev.second.lie("totalBalance", "1234567890", "1234567891")
                try await dev.fund(ada.address, 1_234_567_890)
                try await dev.fund(bob.address, 1_000_000_000)
                try await dev.checkpoint()
                try? await world.follow()
                for _ in 0..<4 {
                    try await makeDue(world.pool)
                    try await world.follow()
                }
                #expect(try await world.parts.follower.blocks.tip()?.number == world.chain.head())
                #expect(try await world.booked(.sui, of: ada) == 0)
                #expect(try await world.booked(.sui, of: bob) == 1_000_000_000)
                try await dev.second.tellTruth()
                try await makeDue(world.pool)
                try await world.follow()
                #expect(try await world.booked(.sui, of: ada) == 1_234_567_890)
            }
        }
    }

    private func unclear(_ pool: Pool) async throws -> Int {
        try await pool.query("select 1 from defi.unclear_transactions").count
    }

    private func received(by wallet: ID<Wallet>, _ pool: Pool) async throws -> Int128 {
        try await WalletTotals.of(wallet, in: .defi, pool).reduce(0) { $0 + $1.received }
    }

    /// Everything that waits to be asked again is due.
    private func makeDue(_ pool: Pool) async throws {
        _ = try await pool.query("update defi.unclear_transactions set next_at = now()")
        _ = try await pool.query("update defi.wallet_reads set next_at = now()")
    }
}
