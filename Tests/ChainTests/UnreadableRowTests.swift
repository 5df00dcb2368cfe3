import DomainKit
import Kernel
import PostgreSQL
import TestSupport
import Testing
import WalletCrypto

@testable import DeFi

/// A row that can't be read holds up nothing but itself, and goes on when it can be.
@Suite(.serialized)
struct UnreadableRowTests {
    @Test func `a transaction that can't be read holds up neither its chain nor another one`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.know(world.dev.address(3), by: ada)
            try await world.dev.setAutomine(false)
            var sent: [Intent] = []
            for _ in 0..<2 {
                let intent = try await world.pay("1", "ETH", to: world.dev.address(3), by: ada)
                try await world.submit(intent, by: ada)
                sent.append(intent)
            }
            _ = try await world.owner.query("update defi.intents set asset = 'ZZZ' where id = \(sent[0].id)")
            try await world.finalise()
            try await world.parts.sender.round()
            try await world.expectFollowed()
            #expect(try await world.now(sent[1]).state.name == "final")
            _ = try await world.owner.query("update defi.intents set asset = 'ETH' where id = \(sent[0].id)")
            // It is found by its receipt.
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.now(sent[0]).state.name == "final")
        }
    }

    @Test func `a strategy that can't be read holds up neither its chain nor another one`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let (broken, other) = (
                try await world.started(.aave, by: ada), try await world.started(.aave, by: bob)
            )
            _ = try await world.owner.query("update defi.strategies set asset = 'ZZZ' where id = \(broken.id)")
            for person in [ada, bob] { try await world.give(1, to: person) }
            try await world.expectFollowed()
            let tip = try await world.parts.follower.blocks.tip()
            #expect(try await world.strategy(other.id, of: bob).value?.block == tip)
            _ = try await world.owner.query("update defi.strategies set asset = 'USDC' where id = \(broken.id)")
            try await world.give(1, to: ada)
            let valued = try await world.strategy(broken.id, of: ada).value
            #expect(try await valued?.block == world.parts.follower.blocks.tip())
        }
    }

    @Test func `a payment that can't be read holds up neither its chain nor another one`() async throws {
        try await BitcoinWorld.with(confirmations: 2) { world in
            let ada = try await world.person(.p2wpkh, [500_000, 400_000, 300_000])
            var sent: [Payment] = []
            for place in 0..<3 {
                let payment = try await world.pay("0.002", to: ada.address, by: ada)
                if place > 0 { try await world.fault(.error, on: "sendrawtransaction") }
                sent.append(try await world.submit(payment, by: ada))
            }
            // One that a block has, and one that waits to be sent.
            let broken = sent[..<2].map(\.id)
            _ = try await world.owner.query("update defi.payments set asset = 'ZZZ' where id = any(\(broken))")
            // What is due is sent in one round, the one that can't be read before the others.
            _ = try await world.owner.query(
                """
                update defi.payments
                set next_at = now() - make_interval(secs => case when id = any(\(broken)) then 9 else 1 end)
                where next_at is not null
                """
            )
            try await world.parts.sender.round()
            #expect(try await world.now(sent[2]).state == .broadcast)
            try await world.finalise()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            #expect(try await world.now(sent[2]).state.name == "final")
            _ = try await world.owner.query(
                """
                update defi.payments set asset = 'BTC', next_at = case when next_at is not null then now() end
                where id = any(\(broken))
                """
            )
            try await world.parts.sender.round()
            try await world.finalise()
            try await world.finalise()
            for payment in sent { #expect(try await world.now(payment).state.name == "final") }
            try await world.expectBooks(of: [ada])
        }
    }

    @Test func `a deposit that can't be read holds up no other one, nor a payout`() async throws {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.depositor(2))
            try await world.send("10", .usdc, from: ada)
            try await world.follow()
            let owner = world.database.pool()
            _ = try await owner.query(
                "alter table defi.custody_deposits drop constraint custody_deposits_asset_fkey"
            )
            func name(_ asset: String) async throws {
                _ = try await owner.query(
                    "update defi.custody_deposits set asset = \(asset) where user_id = \(ada.user)"
                )
            }
            try await name("ZZZ")
            try await world.send("5", .usdc, from: bob)
            _ = try await world.withdraw("20", "USDC", by: bob)
            try await world.custody.sender.round()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.held(.usdc, by: ada) == 0)
            // 100 and 5 less 20 and the fee of 1.
            #expect(try await world.held(.usdc, by: bob) == 84_000_000)
            try await name("USDC")
            try await world.dev.mine()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 10_000_000)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a payout that can't be read is found in its block when it can, and holds up no other one`() async throws
    {
        try await CustodyWorld.with { world in
            let (ada, bob) = (try await world.depositor(1), try await world.depositor(2))
            try await world.dev.setAutomine(false)
            for person in [ada, bob] { _ = try await world.withdraw("20", "USDC", by: person) }
            try await world.custody.sender.round()
            let owner = world.database.pool()
            _ = try await owner.query(
                "alter table defi.custody_withdrawals drop constraint custody_withdrawals_asset_fkey"
            )
            func name(_ asset: String) async throws {
                _ = try await owner.query(
                    "update defi.custody_withdrawals set asset = \(asset) where user_id = \(ada.user)"
                )
            }
            try await name("ZZZ")
            try await world.finalise()
            try await world.makeDue()
            try await world.custody.sender.round()
            try await world.finalise()
            #expect(try await world.newest("withdrawals", of: bob)["status"] == "confirmed")
            #expect(try await world.held(.usdc, by: bob) == 79_000_000)
            #expect(try await world.held(.usdc, by: ada) == 100_000_000)
            try await name("USDC")
            for _ in 0..<2 {
                try await world.makeDue()
                try await world.finalise()
            }
            #expect(try await world.newest("withdrawals", of: ada)["status"] == "confirmed")
            #expect(try await world.held(.usdc, by: ada) == 79_000_000)
            try await world.expectBooksAreChain()
        }
    }
}
