import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Custody on a chain that two nodes are asked of: nothing is credited by the word of one.
@Suite(.serialized)
struct CustodyDisputeTests {
    @Test(arguments: [true, false])
    func `a deposit that one node alone tells of isn't credited, and another one is`(byFirst: Bool) async throws {
        try await CustodyWorld.with { one in
            let world = try await one.followedByTwo()
            let (ada, eve) = (try await world.person(1), try await world.person(2))
            // What goes to somebody else is told as if it had come to the custodian.
            let stranger = world.dev.address(5)
            let transfer = try KnownCall.transfer.callData([.address(stranger), .uint(BigUInt(50_000_000))])
            let usdc = try #require(world.chain.deployment.token(.usdc))
            let hash = try await world.dev.pay(.zero, to: usdc, data: transfer, from: eve.place)
            let liar = byFirst ? world.dev : world.dev.second
            let truth = try await world.forge(hash, from: stranger, to: world.account, by: liar)
            try await world.send("10", .usdc, from: ada)
            try await world.follow()
            try await world.finalise()
            try await world.makeDue()
            try await world.follow()
            #expect(try await world.newest("deposits", of: eve) == .null)
            #expect(try await world.held(.usdc, by: eve) == 0)
            #expect(try await world.held(.usdc, by: ada) == 10_000_000)
            #expect(try await world.waiting() == 1)
            try await liar.tellTruth()
            try await world.makeDue()
            try await world.follow()
            try await world.dev.mine()
            try await world.follow()
            #expect(try await world.waiting() == 0)
            #expect(try await world.newest("deposits", of: eve) == .null)
            #expect(truth != .null)
            try await world.expectBooksAreChain()
        }
    }

    @Test func `a deposit that the second node doesn't have is credited when it has it, and once`() async throws {
        try await CustodyWorld.with { one in
            let world = try await one.followedByTwo()
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let hash = try await world.send("10", .usdc, from: ada)
            try await world.dev.second.lie("eth_getLogs", about: "blockhash", [])
            try await world.dev.second.lie("eth_getTransactionReceipt", about: HexText.encode(hash), .null)
            try await world.send("5", .usdc, from: bob)
            try await world.follow()
            try await world.finalise()
            #expect(try await world.newest("deposits", of: ada) == .null)
            #expect(try await world.held(.usdc, by: bob) == 5_000_000)
            try await world.dev.second.tellTruth()
            for _ in 0..<2 {
                try await world.makeDue()
                try await world.dev.mine()
                try await world.follow()
                #expect(try await world.held(.usdc, by: ada) == 10_000_000)
            }
            try await world.expectBooksAreChain()
        }
    }

    @Test(arguments: [JSON.null, "0x"])
    func `what the second node takes back before it is final isn't credited, and holds no other one`(
        _ said: JSON
    ) async throws {
        try await CustodyWorld.with { one in
            let world = try await one.followedByTwo()
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let hash = try await world.send("10", .usdc, from: ada)
            try await world.send("5", .usdc, from: bob)
            try await world.follow()
            #expect(try await world.newest("deposits", of: ada)["status"] == "pending")
            try await world.dev.second.lie("eth_getTransactionReceipt", about: HexText.encode(hash), said)
            try await world.finalise()
            #expect(try await world.held(.usdc, by: ada) == 0)
            #expect(try await world.held(.usdc, by: bob) == 5_000_000)
            #expect(try await world.operations.refused(limit: 10).count == 1)
            try await world.dev.second.tellTruth()
            try await world.makeDue()
            try await world.dev.mine()
            try await world.follow()
            #expect(try await world.held(.usdc, by: ada) == 10_000_000)
            #expect(try await world.operations.refused(limit: 10).isEmpty)
        }
    }

    @Test func `coins that one node alone says a transaction carried hold the chain, and nothing is credited`()
        async throws
    {
        try await CustodyWorld.with { one in
            let world = try await one.followedByTwo()
            let ada = try await world.person(1)
            try await world.send("1", .eth, from: ada)
            let head = try await world.dev.node.head()
            let number = EthereumText.quantity(UInt64(head))
            let block = try await world.dev.rpc.call("eth_getBlockByNumber", number, true)
            let value = try #require(block["transactions"]?.elements?.first?["value"]?.stringValue)
            let text = String(decoding: block.serialized(), as: UTF8.self).replacing(value, with: value + "0")
            try await world.dev.lie(
                "eth_getBlockByNumber",
                about: "\(number.stringValue ?? "")\", true",
                try JSON.parse(Array(text.utf8))
            )
            await #expect(throws: NodeError.self) { try await world.follow() }
            #expect(try await world.newest("deposits", of: ada) == .null)
            try await world.dev.tellTruth()
            try await world.follow()
            try await world.finalise()
            #expect(try await world.held(.eth, by: ada) == Money(wire: "1", .eth).minorUnits)
        }
    }
}

extension CustodyWorld {
    /// Has a node tell a transaction's transfer as one to somebody else; the true receipt.
    fileprivate func forge(
        _ hash: [UInt8],
        from recipient: EthereumAddress,
        to other: EthereumAddress,
        by liar: DevChain
    ) async throws -> JSON {
        let truth = try await dev.rpc.call("eth_getTransactionReceipt", EthereumText.data(hash))
        let (old, new) = (HexText.encode(recipient.bytes).dropFirst(2), HexText.encode(other.bytes).dropFirst(2))
        let forged = String(decoding: truth.serialized(), as: UTF8.self).replacing(old, with: new)
        let receipt = try JSON.parse(Array(forged.utf8))
        try await liar.lie("eth_getTransactionReceipt", about: HexText.encode(hash), receipt)
        let block = try #require(truth["blockHash"]?.stringValue)
        try await liar.lie("eth_getLogs", about: block, try #require(receipt["logs"]))
        return truth
    }

    /// Blocks that custody has still to look at.
    fileprivate func waiting() async throws -> Int {
        try await pool.query("select 1 from defi.custody_blocks").count
    }
}
