import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// What rules do on a real chain: limits that ask for an exit, harvests that pay, and what is kept of each decision.
@Suite(.serialized)
struct RuleTests {
    /// A limit's action has to be there so soon after its block.
    private static let alertWithin = Duration.seconds(5)

    @Test func `a loss beyond its limit makes a ready exit and an alert in its block`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada, [.init("stop_loss", "0.05")])
            let vault = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(200_000_000))], to: vault)
            let took = try await ContinuousClock().measure { try await world.follow() }
            #expect(took < Self.alertWithin)
            let waiting = try await world.parts.intents.list(of: strategy.id).filter { $0.state == .built }
            #expect(waiting.map(\.kind) == [.exit])
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(decisions.first?["kind"]?.stringValue == "stop_loss")
            #expect(try await world.alerts() == 1)
            // Said once, however many blocks show it.
            try await world.settle()
            #expect(try await world.alerts() == 1)
            // The user signs what is ready.
            let exit = try #require(waiting.first)
            try await world.submit(exit, by: ada)
            try await world.finalise()
            try await world.settle()
            let left = try await world.strategy(strategy.id, of: ada)
            #expect(left.status == .stopped && left.realized < 0)
            #expect(try await world.deployed(left, by: ada) == 0)
        }
    }

    @Test func `a fall from the highest worth counts, over a restart too`() async throws {
        try await ChainWorld.with { first in
            let ada = try await first.person(1)
            let strategy = try await first.started(.vault, by: ada, [.init("drawdown_max", "0.08")])
            try await first.earn(.vault, strategy)
            let highest = try await first.strategy(strategy.id, of: ada).peak
            #expect(highest > StrategyRules.one)
            let world = try await first.restarted()
            let vault = try world.offer(.vault).contract
            // A loss of 200 of 3,150 is less than 8 % of it, one of 300 is more; no loss of what went in yet.
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(200_000_000))], to: vault)
            try await world.follow()
            #expect(try await world.alerts() == 0)
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(100_000_000))], to: vault)
            try await world.follow()
            let fallen = try await world.strategy(strategy.id, of: ada)
            #expect(fallen.peak == highest && fallen.drawdown > 80_000_000, "\(fallen.drawdown)")
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(decisions.map { $0["kind"]?.stringValue } == ["drawdown"])
            #expect(try await world.alerts() == 1)
        }
    }

    @Test func `slashing is a loss, whose exit goes through the queue`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.lido, by: ada, [.init("stop_loss", "0.1")])
            let lido = try world.offer(.lido).contract
            let lost = BigUInt(3) * BigUInt.powerOfTen(17)
            try await world.dev.send("reportSlashing(uint256)", [.uint(lost)], to: lido)
            try await world.follow()
            let ready = try await world.parts.intents.list(of: strategy.id).filter { $0.state == .built }
            #expect(ready.reversed().map(\.kind) == [.approve, .exit])
            // What is told is the exit, not what its queue needs first.
            let decision = try await world.parts.strategies.decisions(of: strategy.id).first
            #expect(decision?["intent"]?.stringValue == ready.first { $0.kind == .exit }?.id.wire)
            for intent in ready.reversed() { try await world.submit(intent, by: ada) }
            try await world.finalise()
            let path = "/v1/defi/strategies/\(strategy.id.wire)/stop"
            #expect(try await world.refusal(path, by: ada) == "exit_queued")
            try await world.claim(.lido, strategy, by: ada)
            try await world.settle()
            let left = try await world.strategy(strategy.id, of: ada)
            #expect(left.status == .stopped, "\(String(describing: left.value))")
            #expect((-300_000_000_000_000_002 ... -300_000_000_000_000_000).contains(left.realized), "\(left.realized)")
        }
    }

    @Test func `a pair that is worth less than what went in asks for its exit`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada, [.init("stop_loss", "0.2")])
            try await world.setPrice(2_400)
            try await world.follow()
            #expect(try await world.alerts() == 0)
            // At √(1500 / 3000) of what it was: 29 % less.
            try await world.setPrice(1_500)
            try await world.follow()
            #expect(try await world.alerts() == 1)
            let ready = try await world.parts.intents.list(of: strategy.id).filter { $0.state == .built }
            #expect(ready.map(\.kind) == [.exit])
        }
    }

    @Test func `what only waits for its block keeps no limit from being reached`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada, [.init("stop_loss", "0.2")])
            try await world.earn(.pair, strategy)
            // The harvest is signed, and nobody's node has it.
            try await world.dev.fault(.drop, on: "eth_sendRawTransaction")
            let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
            let harvest = try #require(
                try await world.signAll(try await world.ask("POST", path, by: ada, [:]), by: ada).intents.first
            )
            #expect(try await world.now(harvest).state == .signed)
            try await world.setPrice(1_500)
            try await world.follow()
            #expect(try await world.alerts() == 1)
            let ready = try await world.parts.intents.list(of: strategy.id).filter { $0.state == .built }
            #expect(ready.map(\.kind) == [.exit])
        }
    }

    @Test func `while more waits to go in, nothing leaves, and the alert says why`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada, [.init("stop_loss", "0.05")])
            try await world.dev.fault(.drop, on: "eth_sendRawTransaction", count: 2)
            let more = try await world.start(Offered.vault.rawValue, Offered.vault.amount, by: ada)
            let vault = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(400_000_000))], to: vault)
            try await world.follow()
            #expect(try await world.now(try #require(more.intents.last)).state == .signed)
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(decisions.map { $0["outcome"]?.stringValue } == ["strategy_filling"])
            #expect(try await world.alerts() == 1)
            let path = "/v1/defi/strategies/\(strategy.id.wire)/stop"
            let refused = try await world.ask("POST", path, by: ada, ["emergency": true])
            #expect(refused.status == 409 && refused.json["code"] == "strategy_filling")
            #expect(refused.json["detail"]?.stringValue?.contains("Speed it up or cancel it") == true)
            // Once that is final, a loss of 400 of 6,000 is still more than the limit.
            try await world.makeDue()
            try await world.parts.sender.round()
            try await world.dev.mine()
            try await world.follow()
            let early = try await world.ask("POST", path, by: ada, ["emergency": true])
            #expect(early.json["detail"]?.stringValue?.contains("isn't final yet") == true, "\(early.json)")
            try await world.finalise()
            try await world.dev.mine(Int(ExitMaker.retryBlocks))
            try await world.follow()
            let later = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(later.first?["outcome"]?.stringValue == "exit_built")
        }
    }

    @Test func `where a protocol stands still, the alert says so instead`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.vault, by: ada, [.init("stop_loss", "0.05")])
            try await world.pause(.vault, true)
            let vault = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(200_000_000))], to: vault)
            try await world.follow()
            try await world.settle()
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(decisions.map { $0["outcome"]?.stringValue } == ["protocol_paused"])
            #expect(try await world.alerts() == 1)
            try await world.pause(.vault, false)
            try await world.dev.mine(Int(ExitMaker.retryBlocks))
            try await world.follow()
            let later = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(later.first?["outcome"]?.stringValue == "exit_built")
        }
    }

    @Test(arguments: [Offered.pair, .compound])
    func `a strategy that compounds keeps why it waits, and harvests when it pays`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(offer, by: ada, [.init("auto_compound", .bool(true))])
            func outcomes() async throws -> [String?] {
                try await world.parts.strategies.decisions(of: strategy.id).map { $0["outcome"]?.stringValue }
            }
            let first = try await outcomes()
            #expect(first == [offer == .pair ? "skip_nothing_to_harvest" : "skip_costs_more_than_reward"])
            if offer == .pair {
                // Worth 2 USDC: more than gas, and less than waiting gives.
                try await world.fees(of: strategy, usdc: 2_000_000, wei: .zero)
                try await world.dev.mine(Int(CompoundMaker.blocksBetween))
                try await world.follow()
                #expect(try await outcomes().first == "skip_too_early")
            }
            try await world.earn(offer, strategy)
            try await world.dev.mine(Int(CompoundMaker.blocksBetween))
            try await world.follow()
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            #expect(decisions.first?["outcome"]?.stringValue == "harvest", "\(decisions)")
            for fact in ["reward", "cost", "principal", "seconds"] {
                #expect(decisions.first?["facts"]?[fact] != nil)
            }
            let ready = try await world.parts.intents.list(of: strategy.id).filter { $0.state == .built }
            #expect(ready.map(\.kind) == [.harvest])
            #expect(decisions.first?["intent"]?.stringValue == ready.first?.id.wire)
            // Signed and final, it is put to work again, or it is said why not.
            let harvest = try #require(ready.first)
            try await world.submit(harvest, by: ada)
            try await world.finalise()
            try await world.settle()
            let said = try #require(
                try await world.parts.strategies.decisions(of: strategy.id).first {
                    $0["kind"]?.stringValue == "restart"
                }
            )
            #expect(said["facts"]?["harvest"]?.stringValue == harvest.id.wire)
            guard offer == .pair else {
                #expect(said["outcome"]?.stringValue == "skip_reward_in_other_token")
                return
            }
            #expect(said["outcome"]?.stringValue == "start_built", "\(said)")
            #expect(try await world.alerts() == 1)
            try await world.expectRestart(of: harvest, in: strategy, by: ada)
            // Said once.
            try await world.dev.mine(Int(RestartMaker.retryBlocks))
            try await world.follow()
            let restarts = try await world.parts.strategies.decisions(of: strategy.id)
                .filter { $0["kind"]?.stringValue == "restart" }
            #expect(restarts.count == 1)
        }
    }

    @Test func `what was harvested stays in the wallet where that isn't wanted, or costs more than it is`() async throws
    {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let rule = JSON.Member("auto_compound", .bool(true))
            let strategies = [
                try await world.started(.pair, by: ada, [rule]), try await world.started(.narrowPair, by: ada, [rule]),
            ]
            for strategy in strategies {
                // A cent, and a little more: nothing that gas would be paid for.
                try await world.fees(of: strategy, usdc: 10_000, wei: BigUInt.powerOfTen(12))
                let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
                _ = try await world.signAll(try await world.ask("POST", path, by: ada, [:]), by: ada)
                try await world.dev.mine(Int(world.chain.confirmations) - 1)
                try await world.follow()
            }
            // The second one has just become final, and is looked at in the next block.
            _ = try await world.pool.query(
                "update defi.strategies set auto_compound = false where id = \(strategies[1].id)"
            )
            try await world.settle()
            func said(_ strategy: Strategy) async throws -> [String?] {
                try await world.parts.strategies.decisions(of: strategy.id)
                    .filter { $0["kind"]?.stringValue == "restart" }.map { $0["outcome"]?.stringValue }
            }
            #expect(try await said(strategies[0]) == ["skip_costs_more_than_reward"])
            #expect(try await said(strategies[1]) == ["skip_not_wanted"])
        }
    }
}

extension RuleTests {
    @Test func `all who have a share that is worth less hear of it, each fall once`() async throws {
        try await ChainWorld.with { world in
            let (ada, bob) = (try await world.person(1), try await world.person(2))
            let staked = [try await world.started(.lido, by: ada), try await world.started(.lido, by: bob)]
            let vault = try await world.started(.vault, by: ada)
            let lido = try world.offer(.lido).contract
            let lost = ABIValue.uint(BigUInt(3) * BigUInt.powerOfTen(17))
            try await world.dev.send("reportSlashing(uint256)", [lost], to: lido)
            let took = try await ContinuousClock().measure { try await world.follow() }
            #expect(took < Self.alertWithin)
            let head = try await world.chain.nodes.head()
            let block = try #require(try await world.chain.nodes.block(head))
            let told = try await world.falls()
            #expect(told.map(\.strategy) == staked.map(\.id.wire))
            #expect(
                told.allSatisfy { $0.block == HexText.encode(block.hash) && $0.fraction.hasPrefix("0.") },
                "\(told)"
            )
            // However many blocks show it, and although the chain goes on with it in another one.
            try await world.dev.mine(Int(StrategyWatch.blocksMax))
            try await world.follow()
            try await world.dev.reorganise(depth: Int(StrategyWatch.blocksMax) + 1, keeping: true)
            try await world.follow()
            #expect(try await world.falls().count == 2)
            // What rises is no fall; the next fall is another one, of those who have that.
            try await world.earn(.lido, staked[0])
            #expect(try await world.falls().count == 2)
            let contract = try world.offer(.vault).contract
            try await world.dev.send("reportLoss(uint256)", [.uint(BigUInt(1_000_000))], to: contract)
            try await world.dev.send("reportSlashing(uint256)", [lost], to: lido)
            try await world.follow()
            let all = try await world.falls().map(\.strategy)
            #expect(Array(all.dropFirst(2)) == [vault.id.wire] + staked.map(\.id.wire))
        }
    }

    @Test func `what rounding takes from a share is no fall`() {
        let block = BlockReference(number: 1, hash: [UInt8](repeating: 1, count: 32))
        let one = Int128(1_000_000_000_000_000_000)
        #expect(OfferFall(of: "a", from: one, to: one, at: block) == nil)
        #expect(OfferFall(of: "a", from: one, to: one + 1, at: block) == nil)
        #expect(OfferFall(of: "a", from: one, to: one - 999_999_999, at: block) == nil)
        #expect(OfferFall(of: "a", from: one, to: one - 1_000_000_000, at: block)?.fraction == 1)
        #expect(OfferFall(of: "a", from: one, to: 0, at: block)?.fraction == 1_000_000_000)
        #expect(OfferFall(of: "a", from: 0, to: 0, at: block) == nil)
    }
}

extension ChainWorld {
    /// Expects what a harvest gave of a pair to be ready to go in again, and a position of its own when it has gone.
    fileprivate func expectRestart(of harvest: Intent, in strategy: Strategy, by person: Person) async throws {
        let gave = try #require(try await now(harvest).state.inclusion)
        let mine = try await parts.strategies.list(of: person.user)
        let again = try #require(mine.first { $0.id != strategy.id })
        #expect(again.offer == strategy.offer && again.autoCompound)
        let ready = try await parts.intents.list(of: again.id).filter { $0.state == .built }
            .sorted { $0.transaction.nonce < $1.transaction.nonce }
        #expect(ready.map(\.kind) == [.approve, .approve, .start])
        let start = try #require(ready.last)
        #expect((1...gave.received).contains(start.amount.minorUnits))
        #expect((1...gave.pairReceived).contains(start.pairAmount))
        for intent in ready { #expect(try await submit(intent, by: person).status == 202) }
        try await finalise()
        try await settle()
        let working = try await self.strategy(again.id, of: person)
        #expect(working.status == .active && working.principal > 0 && working.token != strategy.token)
    }

    /// Alerts of strategies' own rules that customers were told of.
    func alerts() async throws -> Int {
        try await pool.query(
            """
            select count(*) from defi.outbox_events
            where type = 'defi.strategy.alert' and payload->>'rule' <> \(FallTeller.rule)
            """
        )[0][0]
    }

    /// Strategies that were told that a share is worth less, in the order in which they were, with the block's hash.
    fileprivate func falls() async throws -> [(strategy: String, block: String, fraction: String)] {
        try await pool.query(
            """
            select payload->>'strategy' as strategy, payload->'facts'->>'block' as block,
                payload->'facts'->>'fraction' as fraction
            from defi.outbox_events
            where type = 'defi.strategy.alert' and payload->>'rule' = \(FallTeller.rule) order by id
            """
        ).map { (strategy: try $0["strategy"], block: try $0["block"], fraction: try $0["fraction"]) }
    }
}
