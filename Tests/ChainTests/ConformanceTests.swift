import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What every protocol that is offered has to do on a real chain.
@Suite(.serialized)
struct ConformanceTests {
    /// Offers of which a part can be taken out.
    private static let partial = ["aave-usdc", "compound-usdc", "vault-usdc"]
    private static let all = partial + ["lido", "uniswap-usdc-weth"]

    private static func extra(_ offer: String) -> [JSON.Member] {
        offer == "uniswap-usdc-weth" ? [.init("pair_amount", "1000000000000000000")] : []
    }

    private static func amount(_ offer: String) -> String { offer == "lido" ? "2" : "3000" }

    /// Gives a position its yield: what its protocol earns in a year.
    private static func earn(_ offer: String, _ world: ChainWorld, _ strategy: Strategy) async throws {
        let contract = try #require(world.chain.deployment.offer(offer)?.contract)
        switch offer {
        case "vault-usdc":
            let token = try #require(world.chain.deployment.token(.usdc))
            let gift = BigUInt(150_000_000)
            try await world.dev.send("mint(address,uint256)", [.address(contract), .uint(gift)], to: token)
        case "lido":
            try await world.dev.send("reportRewards()", [], to: contract, value: BigUInt.powerOfTen(17))
        case "uniswap-usdc-weth":
            let fees = [BigUInt(5_000_000), BigUInt.powerOfTen(15)]
            for asset in ["USDC", "WETH"] {
                let token = try #require(world.chain.deployment.tokens.first { $0.symbol == asset }?.contract)
                try await world.dev.send("approve(address,uint256)", [.address(contract), .uint(fees[1])], to: token)
            }
            let position = try #require(strategy.token)
            try await world.dev.send(
                "accrueFees(uint256,uint128,uint128)",
                [.uint(position), .uint(fees[0]), .uint(fees[1])],
                to: contract
            )
        default: try await world.dev.pass(seconds: 31_536_000)
        }
        // Nothing happened to the wallet itself.
        try await world.dev.mine(Int(StrategyWatch.blocksMax))
        try await world.follow()
    }

    @Test(arguments: all)
    func `a strategy starts, earns, and what the chain says of it is what is shown`(offer: String) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let started = try await world.start(offer, Self.amount(offer), by: ada, Self.extra(offer))
            try await world.finalise()
            let strategy = try await world.strategy(started.id, of: ada)
            #expect(strategy.status == .active)
            let principal = try Money(wire: Self.amount(offer), strategy.asset).minorUnits
            #expect(strategy.principal == principal)
            #expect(try await world.deployed(strategy, by: ada) == principal)
            try await Self.earn(offer, world, strategy)
            let grown = try await world.strategy(started.id, of: ada)
            let value = try #require(grown.value)
            #expect(value.amount > principal, "\(value.amount)")
            #expect(grown.earned > 0)
            let block = try await world.chain.nodes.block(value.block.number)
            #expect(block?.hash == value.block.hash)
        }
    }

    @Test(arguments: partial)
    func `a part comes out with its share of the principal, then the rest`(offer: String) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let before = try await world.tokens(.usdc, of: ada.address)
            let started = try await world.start(offer, "3000", by: ada)
            try await world.finalise()
            try await Self.earn(offer, world, try await world.strategy(started.id, of: ada))
            try await world.stop(started.id, ["amount": "1000"], by: ada)
            try await world.finalise()
            let part = try await world.strategy(started.id, of: ada)
            #expect(part.withdrawn == 1_000_000_000)
            #expect(part.principal < 3_000_000_000 && part.principal > 2_000_000_000)
            #expect(try await world.deployed(part, by: ada) == part.principal)
            try await world.stop(started.id, by: ada)
            try await world.finalise()
            try await world.finalise()
            let rest = try await world.strategy(started.id, of: ada)
            #expect(rest.status == .stopped, "\(rest.status), \(String(describing: rest.value))")
            #expect(rest.principal == 0)
            #expect(try await world.deployed(rest, by: ada) == 0)
            let gained = try await world.tokens(.usdc, of: ada.address) - before
            #expect(rest.realized == gained && gained > 0, "\(rest.realized) of \(gained)")
        }
    }

    @Test func `fees of a pair are harvested, and all of it leaves in two steps`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let offer = "uniswap-usdc-weth"
            let before = try await world.tokens(.usdc, of: ada.address)
            let started = try await world.start(offer, "3000", by: ada, Self.extra(offer))
            try await world.finalise()
            let strategy = try await world.strategy(started.id, of: ada)
            try await Self.earn(offer, world, strategy)
            let harvested = try await world.signAll(
                try await world.ask("POST", "/v1/defi/strategies/\(started.id.wire)/harvest", by: ada, [:]),
                by: ada
            )
            try await world.finalise()
            #expect(harvested.intents.map(\.kind) == [.harvest])
            #expect(try await world.strategy(started.id, of: ada).realized == 5_000_000)
            let exits = try await world.stop(started.id, ["emergency": true], by: ada)
            #expect(exits.count == 2)
            try await world.finalise()
            try await world.finalise()
            #expect(try await world.strategy(started.id, of: ada).status == .stopped)
            #expect(try await world.tokens(.usdc, of: ada.address) - before == 5_000_000)
            let left = try await world.strategy(started.id, of: ada)
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }

    @Test func `a strategy that compounds keeps why it waits, and harvests when it pays`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let offer = "uniswap-usdc-weth"
            let more = Self.extra(offer) + [JSON.Member("auto_compound", .bool(true))]
            let started = try await world.start(offer, "3000", by: ada, more)
            try await world.finalise()
            try await world.finalise()
            let early = try await world.parts.strategies.decisions(of: started.id)
            #expect(early.map { $0["outcome"]?.stringValue } == ["skip_nothing_to_harvest"])
            try await Self.earn(offer, world, try await world.strategy(started.id, of: ada))
            try await world.dev.mine(Int(CompoundMaker.blocksBetween))
            try await world.follow()
            let later = try await world.parts.strategies.decisions(of: started.id)
            #expect(later.first?["outcome"]?.stringValue == "harvest", "\(later)")
            let ready = try await world.parts.intents.list(of: started.id).filter { $0.state == .built }
            #expect(ready.map(\.kind) == [.harvest])
        }
    }

    @Test func `a paused pool refuses an exit before anything is signed`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let started = try await world.start("aave-usdc", "100", by: ada)
            try await world.finalise()
            let contract = try #require(world.chain.deployment.offer("aave-usdc")?.contract)
            try await world.dev.send("setPaused(bool)", [.bool(true)], to: contract)
            let path = "/v1/defi/strategies/\(started.id.wire)/stop"
            let answer = try await world.ask("POST", path, by: ada, [:])
            #expect(answer.status == 422)
            #expect(answer.json["code"]?.stringValue == "would_revert", "\(answer.json)")
            // Nothing of it is held.
            try await world.dev.send("setPaused(bool)", [.bool(false)], to: contract)
            try await world.stop(started.id, by: ada)
            try await world.finalise()
            let left = try await world.strategy(started.id, of: ada)
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }

    @Test func `calls that have a least amount name it`() throws {
        #expect(CallArguments.least(BigUInt(1_000)) == BigUInt(995))
        #expect(CallArguments.least(BigUInt(1)) == BigUInt(1))
        #expect(CallArguments.least(.zero) == .zero)
    }

    @Test func `a loss beyond its limit makes a ready exit and an alert in its block`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let started = try await world.start("vault-usdc", "1000", by: ada, [.init("stop_loss", "0.05")])
            try await world.finalise()
            let vault = try #require(world.chain.deployment.offer("vault-usdc")?.contract)
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(100_000_000))], to: vault)
            try await world.follow()
            let waiting = try await world.parts.intents.list(of: started.id).filter { $0.state == .built }
            #expect(waiting.map(\.kind) == [.exit])
            let decisions = try await world.parts.strategies.decisions(of: started.id)
            #expect(decisions.first?["kind"]?.stringValue == "stop_loss")
            let alerts = try await world.pool.query(
                "select count(*) from defi.outbox_events where type = 'defi.strategy.alert'"
            )
            #expect(try alerts[0][0] == 1)
            // The user signs what is ready.
            let exit = try #require(waiting.first)
            try await world.submit(exit, by: ada)
            try await world.finalise()
            try await world.finalise()
            let left = try await world.strategy(started.id, of: ada)
            #expect(left.status == .stopped && left.realized < 0)
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }
}
