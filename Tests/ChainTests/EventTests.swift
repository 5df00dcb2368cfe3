import Kernel
import Testing
import WalletCrypto

@testable import DeFi

/// Whose word counts of a block's events: only that of a node that has the block.
@Suite(.serialized)
struct EventTests {
    @Test func `events of a block that a node doesn't have yet are waited for, and not taken for none`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            try await world.settle()
            let tip = try await world.parts.follower.blocks.tip()
            try await world.dev.lag("eth_getLogs")
            await #expect(throws: NodeError.self) { try await world.give(7, to: ada) }
            #expect(try await world.parts.follower.blocks.tip() == tip)
            try await world.follow()
            #expect(try await world.received(.usdc, by: ada) == 7)
        }
    }

    @Test func `a block whose events neither of two nodes has yet waits, and where one has them they count`()
        async throws
    {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            for node in [world.dev, world.dev.second] { try await node.lag("eth_getLogs") }
            await #expect(throws: NodeError.self) { try await world.give(7, to: ada) }
            try await world.follow()
            #expect(try await world.received(.usdc, by: ada) == 7)
            for (node, expected) in [(world.dev, Int128(5)), (world.dev.second, 10)] {
                try await node.lag("eth_getLogs")
                try await world.give(5, to: bob)
                try await world.expectFollowed()
                #expect(try await world.received(.usdc, by: bob) == expected)
            }
        }
    }

    @Test func `that a block has no events isn't said by one of two nodes alone`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let ada = try await world.person(1)
            try await world.settle()
            for (silent, liar) in [(world.dev, world.dev.second), (world.dev.second, world.dev)] {
                let before = try await world.received(.usdc, by: ada)
                let tip = try await world.parts.follower.blocks.tip()
                try await silent.lag("eth_getLogs")
                try await liar.lie("eth_getLogs", about: "blockhash", [])
                await #expect(throws: NodeError.self) { try await world.give(7, to: ada) }
                #expect(try await world.parts.follower.blocks.tip() == tip)
                try await liar.tellTruth()
                try await world.follow()
                #expect(try await world.received(.usdc, by: ada) == before + 7)
            }
        }
    }

    @Test func `events of another block are no answer`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            try await world.give(7, to: ada)
            let other = try await world.chain.nodes.head()
            let height = EthereumText.quantity(UInt64(other))
            let told = try await world.dev.rpc.call("eth_getLogs", ["fromBlock": height, "toBlock": height])
            try await world.dev.lie("eth_getLogs", about: "blockhash", told)
            await #expect(throws: NodeError.malformed("another block's log")) { try await world.give(5, to: bob) }
            try await world.dev.tellTruth()
            try await world.follow()
            #expect(try await world.received(.usdc, by: ada) == 7)
            #expect(try await world.received(.usdc, by: bob) == 5)
        }
    }
}
