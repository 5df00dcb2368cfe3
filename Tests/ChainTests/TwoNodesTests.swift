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

    @Test func `a receipt that only one gives holds its transaction, and no other one and not the chain`() async throws
    {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.know(world.dev.address(3), by: ada)
            try await world.know(world.dev.address(3), by: bob)
            try await world.dev.setAutomine(false)
            let held = try await world.pay("1", "ETH", to: world.dev.address(3), by: ada)
            let other = try await world.pay("1", "ETH", to: world.dev.address(3), by: bob)
            for (intent, person) in [(held, ada), (other, bob)] { try await world.submit(intent, by: person) }
            try await world.dev.mine()
            // Both nodes are asked of each; what the first says of the first transaction is nonsense.
            let parts = world.parts
            try await world.dev.fault(.garbage, on: "eth_getTransactionReceipt")
            #expect(try await parts.follower.step() == 1)
            #expect(try await parts.follower.blocks.tip()?.number == world.chain.nodes.head())
            let names = [try await world.now(held).state.name, try await world.now(other).state.name]
            #expect(names.contains("included"), "\(names)")
            try await world.finalise()
            try await world.finalise()
            for intent in [held, other] { #expect(try await world.now(intent).state.name == "final") }
            let gas = try await [world.now(held), world.now(other)].compactMap { $0.state.inclusion?.gasCost }
            #expect(try await world.house("network_gas", .eth) == gas.reduce(0, +))
        }
    }

    @Test func `what one node alone says to be final waits, and another transaction becomes final`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.url)
            let ada = try await world.person(1)
            try await world.know(world.dev.address(3), by: ada)
            try await world.dev.setAutomine(false)
            var sent: [Intent] = []
            for _ in 0..<2 {
                let intent = try await world.pay("1", "ETH", to: world.dev.address(3), by: ada)
                try await world.submit(intent, by: ada)
                sent.append(intent)
            }
            try await world.settle()
            for intent in sent { #expect(try await world.now(intent).state.name == "included") }
            try await world.dev.mine(Int(world.chain.confirmations) - 1)
            try await world.dev.fault(.garbage, on: "eth_getTransactionReceipt")
            try await world.follow()
            #expect(try await world.parts.follower.blocks.tip()?.number == world.chain.nodes.head())
            let names = try await [world.now(sent[0]), world.now(sent[1])].map(\.state.name)
            #expect(names.sorted() == ["final", "included"])
            try await world.finalise()
            for intent in sent { #expect(try await world.now(intent).state.name == "final") }
        }
    }

    @Test func `while the second node is gone nothing is followed, and with it everything goes on`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let ada = try await world.person(1)
            try await world.know(world.dev.address(2), by: ada)
            try await world.dev.second.fault(.drop, on: "*", count: 1_000_000)
            // What is sent needs one of them alone.
            let intent = try await world.pay("1", "ETH", to: world.dev.address(2), by: ada)
            try await world.submit(intent, by: ada)
            let tip = try await world.parts.follower.blocks.tip()
            await #expect(throws: NodeError.self) { try await world.follow() }
            #expect(try await world.now(intent).state == .broadcast)
            #expect(try await world.parts.follower.blocks.tip() == tip)
            try await world.dev.second.heal()
            try await world.finalise()
            #expect(try await world.now(intent).state.name == "final")
        }
    }

    @Test func `a second node that is slow holds a step no longer than its deadline`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url, deadlineSeconds: 0.2)
            try await world.dev.mine()
            for method in ["eth_blockNumber", "eth_getLogs"] {
                try await world.dev.second.fault(.delay, on: method, count: 10, seconds: "2")
                let took = await ContinuousClock().measure {
                    await #expect(throws: NodeError.self) { try await world.follow() }
                }
                #expect(took < .seconds(2))
                try await world.dev.second.heal()
            }
            try await world.follow()
            try await world.expectFollowed()
        }
    }

    @Test func `nobody is asked twice where there is one node, and both are asked where there are two`() async throws {
        try await ChainWorld.with { one in
            let ada = try await one.person(1)
            try await one.settle()
            let methods = ["eth_getLogs", "eth_getBalance", "eth_call", "eth_getTransactionReceipt"]
            func asked(_ world: ChainWorld) async throws -> [Int] {
                try await world.dev.setAutomine(false)
                try await world.dev.pay(ada.address, .one)
                try await world.dev.mine()
                let before = try await world.dev.stats()
                try await world.follow()
                let after = try await world.dev.stats()
                return methods.map { after[$0, default: 0] - before[$0, default: 0] }
            }
            // The offers' prices and the wallet's tokens are calls of two requests.
            let alone = try await asked(one)
            #expect(alone[0] == 1 && alone[1] == 1 && alone[2] > 0 && alone[3] == 1, "\(alone)")
            let both = try await asked(try await one.followed(by: one.dev.second.url))
            #expect(both == alone.map { 2 * $0 }, "\(both) of \(alone)")
        }
    }

    @Test func `a nonce is used when both nodes say so`() async throws {
        try await DevChain.with { other in
            try await DevChain.with { one in
                let account = one.address(0)
                try await other.pay(other.address(2), .one)
                let nodes = try one.followed(second: other.url).nodes
                let (first, second) = (
                    try await nodes.first.nonce(of: account), try await nodes.second?.nonce(of: account)
                )
                #expect(first < second ?? 0)
                #expect(try await nodes.nonce(of: account) == first)
                let turned = try other.followed(second: one.url).nodes
                #expect(try await turned.nonce(of: account) == first)
            }
        }
    }
}
