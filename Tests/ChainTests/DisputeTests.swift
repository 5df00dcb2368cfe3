import DomainKit
import Kernel
import Ledger
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What two nodes don't say alike of wallets, positions and offers waits for itself alone, until they do.
@Suite(.serialized)
struct DisputeTests {
    private static let kind = "wallet:eip155:31337"

    @Test func `a balance that the nodes don't say alike holds its wallet's books alone, until they do`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            let ether = try await (world.held(Self.kind, .eth, by: ada), world.held(Self.kind, .eth, by: bob))
            #expect(ether.0 > 0)
            try await world.dev.second.lie("eth_getBalance", about: ada.address.description, "0x1")
            try await world.dev.pay(ada.address, .one)
            try await world.dev.pay(bob.address, .one)
            try await world.settle()
            try await world.expectFollowed()
            #expect(try await world.held(Self.kind, .eth, by: ada) == ether.0)
            #expect(try await world.held(Self.kind, .eth, by: bob) == ether.1 + 1)
            // What is no number is no answer either, whichever node gives it.
            try await world.dev.second.tellTruth()
            try await world.dev.lie("eth_getBalance", about: ada.address.description, "much")
            try await world.settle()
            #expect(try await world.held(Self.kind, .eth, by: ada) == ether.0)
            try await world.dev.tellTruth()
            try await world.settle()
            #expect(try await world.held(Self.kind, .eth, by: ada) == ether.0 + 1)
        }
    }

    @Test func `what a payment moved is held until both say what is left, and is never both gone and free`()
        async throws
    {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let ada = try await world.person(1)
            try await world.know(world.dev.address(3), by: ada)
            try await world.settle()
            let before = try await world.ether(of: ada)
            let intent = try await world.pay("1", "ETH", to: world.dev.address(3), by: ada)
            try await world.dev.second.lie("eth_getBalance", about: ada.address.description, "0x1")
            try await world.submit(intent, by: ada)
            try await world.settle()
            #expect(try await world.now(intent).state.name == "included")
            let held = try await world.ether(of: ada)
            #expect(held.total == before.total)
            let ether = try Money(wire: "1", .eth).minorUnits
            #expect(held.available < before.available - ether)
            try await world.dev.second.tellTruth()
            try await world.settle()
            let after = try await world.ether(of: ada)
            #expect(after.available == after.total)
            let wei = try await world.chain.nodes.first.balance(of: ada.address)
            #expect(after.total == Int128(clamping: wei))
        }
    }

    @Test func `a token's balance that the nodes don't say alike holds its wallet's books alone`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            let tokens = try await (world.held(Self.kind, .usdc, by: ada), world.held(Self.kind, .usdc, by: bob))
            let lie = JSON.string(HexText.encode([UInt8](repeating: 0, count: 31) + [9]))
            let about = String(ada.address.description.dropFirst(2)).lowercased()
            try await world.dev.lie("eth_call", about: about, lie)
            for person in [ada, bob] { try await world.give(7, to: person) }
            try await world.expectFollowed()
            #expect(try await world.held(Self.kind, .usdc, by: ada) == tokens.0)
            #expect(try await world.held(Self.kind, .usdc, by: bob) == tokens.1 + 7)
            try await world.dev.tellTruth()
            try await world.settle()
            #expect(try await world.held(Self.kind, .usdc, by: ada) == tokens.0 + 7)
        }
    }

    @Test(arguments: [JSON.array([]), "0x"])
    func `events that one node doesn't tell count by the receipts of both`(_ told: JSON) async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            try await world.dev.second.lie("eth_getLogs", about: "blockhash", told)
            try await world.give(7, to: ada)
            #expect(try await world.received(.usdc, by: ada) == 7)
            try await world.dev.second.tellTruth()
            try await world.dev.lie("eth_getLogs", about: "blockhash", told)
            try await world.give(5, to: bob)
            try await world.expectFollowed()
            #expect(try await world.received(.usdc, by: bob) == 5)
            #expect(try await world.received(.usdc, by: ada) == 7)
            #expect(try await world.unclear() == 0)
        }
    }

    @Test func `what a transaction moved counts once, when both give its receipt, and goes with its block`()
        async throws
    {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            try await world.settle()
            let hash = try await world.forge(7, to: ada)
            try await world.give(5, to: bob)
            try await world.expectFollowed()
            #expect(try await world.received(.usdc, by: ada) == 0)
            #expect(try await world.received(.usdc, by: bob) == 5)
            #expect(try await world.unclear() == 1)
            // What the wallet has is the chain's state, of which both say the same.
            let tokens = try await world.tokens(.usdc, of: ada.address)
            #expect(try await world.held(Self.kind, .usdc, by: ada) == tokens)
            try await world.askAgain()
            #expect(try await world.received(.usdc, by: ada) == 0)
            try await world.dev.second.tellTruth()
            try await world.askAgain()
            #expect(try await world.received(.usdc, by: ada) == 7)
            #expect(try await world.unclear() == 0)
            try await world.askAgain()
            #expect(try await world.received(.usdc, by: ada) == 7)
            let receipt = try #require(try await world.chain.nodes.receipt(hash))
            let depth = try await Int(world.chain.nodes.head() - receipt.block.number) + 1
            try await world.dev.reorganise(depth: depth, keeping: false)
            try await world.settle()
            #expect(try await world.received(.usdc, by: ada) == 0)
        }
    }

    @Test func `what is unclear of a block that the chain goes on without is forgotten`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let ada = try await world.person(1)
            try await world.settle()
            _ = try await world.forge(7, to: ada)
            #expect(try await world.unclear() == 1)
            try await world.dev.second.tellTruth()
            try await world.dev.reorganise(depth: 1, keeping: false)
            try await world.settle()
            #expect(try await world.unclear() == 0)
            #expect(try await world.received(.usdc, by: ada) == 0)
        }
    }

    @Test func `a position that the nodes don't say alike is as it was, and others are valued`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let (held, other) = (
                try await world.started(.aave, by: ada), try await world.started(.aave, by: bob)
            )
            let before = try #require(try await world.strategy(held.id, of: ada).value)
            let lie = JSON.string(HexText.encode([UInt8](repeating: 0, count: 32)))
            let about = String(ada.address.description.dropFirst(2)).lowercased()
            try await world.dev.second.lie("eth_call", about: about, lie)
            for person in [ada, bob] { try await world.give(1, to: person) }
            try await world.expectFollowed()
            #expect(try await world.strategy(held.id, of: ada).value == before)
            let tip = try await world.parts.follower.blocks.tip()
            #expect(try await world.strategy(other.id, of: bob).value?.block == tip)
            // Who wants to leave is told so, and nothing is built.
            let path = "/v1/defi/strategies/\(held.id.wire)/stop"
            let refused = try await world.ask("POST", path, by: ada, .object([]))
            #expect(refused.status == 503 && refused.json["code"] == "chain_disagreement", "\(refused.json)")
            try await world.dev.second.tellTruth()
            try await world.settle()
            let after = try #require(try await world.strategy(held.id, of: ada).value)
            #expect(try await after.block == world.parts.follower.blocks.tip())
            #expect(after.amount >= before.amount)
        }
    }

    @Test func `a rate and a share's price that the nodes don't say alike aren't believed`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.followed(by: one.dev.second.url)
            let vault = try world.offer(.vault)
            try await world.settle()
            func shares() async throws -> [Int128] {
                try await world.pool.query(
                    "select share_price from defi.offer_shares where offer = \(vault.id) order by number"
                ).map { try $0["share_price"] }
            }
            func rates() async throws -> Int {
                try await world.pool.query("select 1 from defi.offer_rates where offer = \(vault.id)").count
            }
            let (before, read) = try await (shares(), rates())
            #expect(before.count == 1)
            let lie = JSON.string(HexText.encode([UInt8](repeating: 0, count: 31) + [1]))
            try await world.dev.second.lie("eth_call", about: vault.contract.description, lie)
            try await world.dev.pass(seconds: 700)
            try await world.follow()
            try await world.expectFollowed()
            #expect(try await shares() == before)
            #expect(try await rates() == read)
            try await world.dev.second.tellTruth()
            try await world.settle()
            #expect(try await rates() == read + 1)
            #expect(try await shares().allSatisfy { $0 > 1 })
        }
    }
}

extension ChainWorld {
    /// Everything is followed.
    func expectFollowed() async throws {
        #expect(try await parts.follower.blocks.tip()?.number == chain.nodes.head())
    }

    /// Gives somebody so many units of USDC, and follows.
    func give(_ units: UInt64, to person: Person) async throws {
        let usdc = try #require(chain.deployment.token(.usdc))
        try await dev.send(
            "transfer(address,uint256)",
            [.address(person.address), .uint(BigUInt(units))],
            to: usdc,
            gas: 200_000
        )
        try await follow()
    }

    /// The same, with a receipt that the second node says to have none of its events.
    fileprivate func forge(_ units: UInt64, to person: Person) async throws -> [UInt8] {
        try await dev.setAutomine(false)
        let usdc = try #require(chain.deployment.token(.usdc))
        let arguments: [ABIValue] = [.address(person.address), .uint(BigUInt(units))]
        try await dev.send("transfer(address,uint256)", arguments, to: usdc, gas: 200_000)
        try await dev.mine()
        let block = try #require(try await chain.nodes.block(try await chain.nodes.head()))
        let hash = try #require(block.entries.first).hash
        let truth = try await dev.rpc.call("eth_getTransactionReceipt", EthereumText.data(hash))
        guard case .object(let members) = truth else { throw NodeError.malformed("receipt") }
        let forged = JSON.object(members.map { $0.name == "logs" ? JSON.Member("logs", []) : $0 })
        try await dev.second.lie("eth_getTransactionReceipt", about: HexText.encode(hash), forged)
        try await dev.second.lie("eth_getLogs", about: "blockhash", [])
        try await dev.setAutomine(true)
        try await follow()
        return hash
    }

    /// What the books say that somebody's wallet has of the coin, in wei.
    fileprivate func ether(of person: Person) async throws -> (total: Int128, available: Int128) {
        let account = try await runtime.accounts.balances(of: person.user.value)
            .first { $0.kind == "wallet:\(chain.name)" && $0.total.asset == .eth }
        return (account?.total.minorUnits ?? 0, account?.available.minorUnits ?? 0)
    }

    /// What has come to somebody's wallet, in minor units.
    func received(_ asset: Asset, by person: Person) async throws -> Int128 {
        try await WalletTotals.of(person.wallet, in: .defi, pool).first { $0.asset == asset }?.received ?? 0
    }

    /// Transactions that wait until the nodes say the same of them.
    fileprivate func unclear() async throws -> Int {
        try await pool.query("select 1 from defi.unclear_transactions").count
    }

    /// Asks about these again, without a block.
    fileprivate func askAgain() async throws {
        _ = try await pool.query("update defi.unclear_transactions set next_at = now()")
        try await parts.follower.step()
    }
}
