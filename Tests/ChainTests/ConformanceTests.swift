import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What every protocol that is offered has to do on a real chain.
@Suite(.serialized)
struct ConformanceTests {
    @Test(arguments: Offered.allCases)
    func `a strategy starts, earns, and what the chain says of it is what is shown`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let before = try await world.wealth(offer, of: ada)
            let strategy = try await world.started(offer, by: ada)
            #expect(strategy.status == .active)
            let paid = before - (try await world.wealth(offer, of: ada))
            // Gas of coins is beside it.
            #expect(offer.asset == .eth ? paid > strategy.principal : paid == strategy.principal)
            #expect(try await world.deployed(strategy, by: ada) == strategy.principal)
            let asked = try Money(wire: offer.amount, offer.asset).minorUnits
            #expect(
                offer.isPair ? strategy.principal <= asked && strategy.pairPrincipal > 0 : strategy.principal == asked
            )
            try await world.earn(offer, strategy)
            let grown = try await world.strategy(strategy.id, of: ada)
            let value = try #require(grown.value)
            #expect(value.total > strategy.principal + strategy.pairBasis, "\(value)")
            #expect(grown.earned > 0)
            let block = try await world.chain.nodes.block(value.block.number)
            #expect(block?.hash == value.block.hash)
        }
    }

    @Test(arguments: Offered.allCases)
    func `a part comes out with its share of the principal, then the rest`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let before = try await world.wealth(offer, of: ada)
            let strategy = try await world.started(offer, by: ada)
            try await world.earn(offer, strategy)
            let part = offer == .lido ? "1" : "1000"
            try await world.stop(strategy.id, ["amount": .string(part)], by: ada)
            try await world.finalise()
            try await world.claim(offer, strategy, by: ada)
            let left = try await world.strategy(strategy.id, of: ada)
            let asked = try Money(wire: part, offer.asset).minorUnits
            // A pair's fees come with it; a share is never more than what is asked for.
            #expect((asked - 1...asked + (offer.isPair ? 10_000_000 : 0)).contains(left.withdrawn), "\(left.withdrawn)")
            #expect(left.principal < strategy.principal && left.principal >= strategy.principal - asked - 1)
            #expect(try await world.deployed(left, by: ada) == left.principal)
            try await world.stop(strategy.id, by: ada)
            try await world.finalise()
            try await world.claim(offer, strategy, by: ada)
            try await world.settle()
            let rest = try await world.strategy(strategy.id, of: ada)
            #expect(rest.status == .stopped, "\(rest.status), \(String(describing: rest.value))")
            #expect(rest.principal == 0 && rest.pairPrincipal == 0)
            #expect(try await world.deployed(rest, by: ada) == 0)
            let gained = try await world.wealth(offer, of: ada) - before
            let gas = offer.asset == .eth ? try await world.house("network_gas", .eth) : 0
            #expect(rest.realized == gained + gas && rest.realized > 0, "\(rest.realized) of \(gained)")
        }
    }

    @Test(arguments: Offered.allCases)
    func `what is earned beside the position is harvested, and only that`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(offer, by: ada)
            try await world.earn(offer, strategy)
            let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
            guard try world.offer(offer).harvest != nil else {
                return #expect(try await world.refusal(path, by: ada) == "nothing_to_harvest")
            }
            let weth = try #require(world.chain.deployment.tokens.first { $0.symbol == "WETH" }?.contract)
            func held() async throws -> BigUInt {
                let answer = try await world.chain.nodes.first.views([.balance(of: ada.address, in: weth)])
                return BigUInt(bigEndian: try #require(answer[0]))
            }
            let before = try await held()
            let harvested = try await world.signAll(try await world.ask("POST", path, by: ada, [:]), by: ada)
            try await world.finalise()
            #expect(harvested.intents.map(\.kind) == [.harvest])
            let after = try await world.strategy(strategy.id, of: ada)
            #expect(after.principal == strategy.principal && after.pairPrincipal == strategy.pairPrincipal)
            #expect(after.realized == (offer.isPair ? 10_000_000 : 0))
            let got = try await held() - before
            #expect(Int128(clamping: got) == after.pairWithdrawn && !got.isZero)
        }
    }

    @Test(arguments: Offered.allCases)
    func `in an emergency all of it leaves at the price for the next block`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(offer, by: ada)
            let exits = try await world.stop(strategy.id, ["emergency": true], by: ada)
            let fast = try await world.chain.gasPrice(.fast)
            #expect(exits.allSatisfy { $0.transaction.offered.tip == fast.tip })
            try await world.finalise()
            try await world.claim(offer, strategy, by: ada)
            try await world.settle()
            let left = try await world.strategy(strategy.id, of: ada)
            #expect(left.status == .stopped)
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }

    @Test(arguments: Offered.pausable)
    func `a protocol that stands still refuses before anything is signed`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(offer, by: ada)
            try await world.pause(offer, true)
            let path = "/v1/defi/strategies"
            let body: JSON = [
                "wallet": .string(ada.wallet.wire), "offer": .string(offer.rawValue), "amount": .string(offer.amount),
            ]
            #expect(try await world.refusal(path, by: ada, body) == "protocol_paused")
            for body: JSON in [[:], ["emergency": true], ["amount": "1"]] {
                let code = try await world.refusal("\(path)/\(strategy.id.wire)/stop", by: ada, body)
                #expect(code == "protocol_paused")
            }
            // Nothing of it is held.
            try await world.pause(offer, false)
            try await world.stop(strategy.id, by: ada)
            try await world.finalise()
            try await world.claim(offer, strategy, by: ada)
            #expect(try await world.deployed(try await world.strategy(strategy.id, of: ada), by: ada) == 0)
        }
    }

    @Test(arguments: Offered.pairs)
    func `a price that moves too far costs gas and nothing else`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let before = try await world.wealth(offer, of: ada)
            try await world.dev.setAutomine(false)
            let refused = try await world.start(offer.rawValue, offer.amount, by: ada, offer.more)
            try await world.setPrice(2_900)
            try await world.dev.mine(2)
            try await world.finalise()
            try await world.finalise()
            let start = try #require(refused.intents.last)
            #expect(try await world.now(start).state.name == "failed")
            #expect(try await world.wealth(offer, of: ada) == before)
            #expect(try await world.held("pending", .usdc, by: ada) == 0)
            try await world.dev.setAutomine(true)
            let strategy = try await world.started(offer, by: ada)
            try await world.dev.setAutomine(false)
            let exits = try await world.stop(strategy.id, by: ada)
            try await world.setPrice(3_000)
            try await world.dev.mine(2)
            try await world.finalise()
            #expect(try await world.now(exits[0]).state.name == "failed")
            let kept = try await world.strategy(strategy.id, of: ada)
            #expect(kept.principal == strategy.principal)
            #expect(try await world.deployed(kept, by: ada) == kept.principal)
            try await world.dev.setAutomine(true)
            try await world.stop(strategy.id, by: ada)
            try await world.finalise()
            #expect(try await world.strategy(strategy.id, of: ada).principal == 0)
        }
    }

    @Test(arguments: Offered.allCases.filter { !$0.isPair })
    func `what a share is worth may move before the block: what was asked for goes in and comes out`(
        offer: Offered
    )
        async throws
    {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let before = try await world.wealth(offer, of: ada)
            let first = try await world.started(offer, by: ada)
            try await world.dev.setAutomine(false)
            _ = try await world.start(offer.rawValue, offer.amount, by: ada, offer.more)
            // It earns between building and the block, so that a share is worth more than when it was asked about.
            try await world.yield(offer)
            try await world.dev.mine(2)
            try await world.finalise()
            try await world.settle()
            let strategy = try await world.strategy(first.id, of: ada)
            let asked = 2 * (try Money(wire: offer.amount, offer.asset).minorUnits)
            #expect(strategy.principal == asked && strategy.status == .active)
            let paid = before - (try await world.wealth(offer, of: ada))
            #expect(offer.asset == .eth ? paid > asked : paid == asked)
            #expect(try #require(strategy.value).total >= asked - 2)
            let part = offer == .lido ? "1" : "1000"
            try await world.stop(strategy.id, ["amount": .string(part)], by: ada)
            try await world.yield(offer)
            try await world.dev.mine(2)
            try await world.finalise()
            try await world.dev.setAutomine(true)
            try await world.claim(offer, strategy, by: ada)
            let left = try await world.strategy(strategy.id, of: ada)
            let wanted = try Money(wire: part, offer.asset).minorUnits
            #expect((wanted - 1...wanted).contains(left.withdrawn), "\(left.withdrawn)")
            #expect(try await world.deployed(left, by: ada) == left.principal)
        }
    }

    @Test func `every protocol that is described passes every step of the suite`() async throws {
        try await ChainWorld.with { world in
            var names: Set<String> = []
            for offered in Offered.allCases {
                let description = try world.offer(offered).description
                names.insert(description.name)
                // Whoever can stop says so, and is stopped in the suite.
                #expect(description.guards.isEmpty != Offered.pausable.contains(offered), "\(offered)")
                #expect(description.isPair == offered.isPair)
                for direction in [ProtocolDescription.Direction.entering, .leaving] where !description.guards.isEmpty {
                    #expect(description.guards.contains { $0.stops.contains(direction) }, "\(offered)")
                }
            }
            #expect(names == Set(ProtocolDescription.all.map(\.name)))
        }
    }

    @Test func `an exit that names more than a loss left costs gas and nothing else`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada)
            try await world.dev.setAutomine(false)
            let exits = try await world.stop(strategy.id, ["amount": "2990"], by: ada)
            let loss = ABIValue.uint(BigUInt(100_000_000))
            try await world.dev.send("reportLoss(uint256)", [loss], to: try world.offer(.vault).contract)
            try await world.dev.mine(2)
            try await world.finalise()
            #expect(try await world.now(exits[0]).state.name == "failed")
            let kept = try await world.strategy(strategy.id, of: ada)
            #expect(kept.principal == strategy.principal && kept.withdrawn == 0)
        }
    }

    @Test func `calls that have a least amount name it`() throws {
        #expect(CallArguments.least(BigUInt(1_000)) == BigUInt(995))
        #expect(CallArguments.least(BigUInt(1)) == BigUInt(1))
        #expect(CallArguments.least(.zero) == .zero)
    }
}
