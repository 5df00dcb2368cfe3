import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// A chain that two nodes are asked of: what they don't say alike holds what hangs on it.
@Suite(.serialized)
struct TwoNodesTests {
    @Test func `nodes that agree are followed, and one that takes a transaction is enough`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.url)
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.dev.fault(.error, on: "eth_sendRawTransaction")
            try await world.submit(intent, by: ada)
            try await world.finalise()
            #expect(try await world.now(intent).state.name == "final")
        }
    }

    @Test func `a block that only one has holds everything, until both have it`() async throws {
        try await DevChain.with { other in
            try await ChainWorld.with { one in
                let world = try await one.followed(by: other.url)
                let ada = try await world.person(1)
                try await world.know(world.dev.address(2), by: ada)
                let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
                try await world.submit(intent, by: ada)
                // The other one is on another chain of the same height and more.
                try await other.mine(10)
                await #expect(throws: NodeError.self) { try await world.parts.follower.step() }
                #expect(try await world.now(intent).state == .broadcast)
                #expect(try await world.house("network_gas", .eth) == 0)
                try await one.endLease()
                try await one.follow()
                #expect(try await world.now(intent).state.name == "included")
            }
        }
    }

    @Test func `a receipt that only one gives is not believed`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.url)
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.submit(intent, by: ada)
            try await world.dev.fault(.garbage, on: "eth_getTransactionReceipt")
            await #expect(throws: NodeError.self) { try await world.parts.follower.step() }
            #expect(try await world.now(intent).state == .broadcast)
            try await world.follow()
            #expect(try await world.now(intent).state.name == "included")
        }
    }
}
