import Cryptography
import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// A Bitcoin that two nodes are asked of: what they don't say alike holds what hangs on it, and nothing else.
@Suite(.serialized)
struct BitcoinNodesTests {
    @Test func `a settled payment that one of two nodes doesn't have waits for both, and others don't wait for it`()
        async throws
    {
        try await BitcoinWorld.with(confirmations: 3) { one in
            let world = try await one.followedByTwo()
            let ada = try await world.person(.p2wpkh, [500_000, 400_000])
            let held = try await world.submit(try await world.pay("0.002", to: ada.address, by: ada), by: ada)
            let other = try await world.submit(try await world.pay("0.001", to: ada.address, by: ada), by: ada)
            try await world.mine()
            try await world.follow()
            let id = try #require(held.signed).hash
            _ = try await world.second.call("dev_hide", .string(Hex.encode(id)))
            #expect(try await world.chain.status(of: id) == .pending)
            try await world.finalise()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.node.head())
            #expect(try await world.now(other).state.name == "final")
            #expect(try await world.now(held).state.name == "included")
            _ = try await world.second.call("dev_show")
            try await world.mine()
            try await world.follow()
            #expect(try await world.now(held).state.name == "final")
            try await world.expectBooks(of: [ada])
        }
    }

    @Test func `nodes that agree are followed, and one that takes a payment is enough`() async throws {
        try await BitcoinWorld.with(confirmations: 2) { one in
            let world = try await one.followedByTwo()
            let ada = try await world.person(.p2wpkh, [500_000])
            try await world.fault(.error, on: "sendrawtransaction")
            let payment = try await world.submit(try await world.pay("0.002", to: ada.address, by: ada), by: ada)
            #expect(payment.state == .broadcast)
            try await world.finalise()
            #expect(try await world.now(payment).state.name == "final")
        }
    }

    @Test func `a node of another chain holds everything, until it is of the same again`() async throws {
        try await BitcoinWorld.with { stranger in
            try await BitcoinWorld.with(confirmations: 2) { one in
                let ada = try await one.person(.p2wpkh, [500_000])
                let payment = try await one.submit(try await one.pay("0.002", to: ada.address, by: ada), by: ada)
                try await one.mine(3)
                try await stranger.mine(30)
                let both = try await one.followed(by: [one.url, stranger.url])
                await #expect(throws: NodeError.self) { try await both.follow() }
                #expect(try await both.now(payment).state == .broadcast)
                let again = try await one.followed(by: [one.url])
                try await again.follow()
                #expect(try await again.now(payment).state.name == "final")
            }
        }
    }

    @Test(
        arguments: [
            ([.open], .open), ([.open, .open], .open), ([.late, .late], .late), ([.spent], .spent),
            ([.spent, .late], .spent), ([.spent, .open], .unclear), ([.open, .late], .unclear),
        ] as [([PaymentOutlook], PaymentOutlook)]
    )
    func `a payment is over where all nodes say so`(_ said: [PaymentOutlook], _ outlook: PaymentOutlook) {
        #expect(PaymentOutlook(said) == outlook)
        #expect(outlook.isOver == said.allSatisfy { $0 == .spent || $0 == .late })
    }
}
