import Kernel
import Messaging
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Positions that move between offers on a real chain, whose rates change.
@Suite(.serialized)
struct RebalanceTests {
    private static let rule = JSON.Member(
        "rebalance",
        ["band": "0.01", "horizon_days": .integer(365), "observations": .integer(2)]
    )

    @Test func `a position moves to a better offer once that lasts, and each step says why`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let old = try await world.started(.aave, by: ada, [Self.rule])
            #expect(old.rebalance == RebalanceRule.Terms(band: 10_000_000, days: 365, observations: 2))
            // 5 % here, 4 % there: nothing is better.
            #expect(try await world.outcomes(of: old) == ["skip_no_better_offer"])
            try await world.setAaveRate(percent: 1)
            try await world.observe()
            #expect(try await world.outcomes(of: old).first == "skip_not_lasting")
            #expect(try await world.alerts() == 0)
            try await world.observe()
            #expect(try await world.outcomes(of: old).first == "exit_built")
            #expect(try await world.alerts() == 1)
            let exits = try await world.parts.intents.list(of: old.id).filter { $0.state == .built }
            #expect(exits.map(\.kind) == [.exit])
            try await world.submit(try #require(exits.first), by: ada)
            try await world.follow()
            // Not before the exit is final.
            #expect(try await world.outcomes(of: old).first == "exit_built")
            try await world.finalise()
            let exit = try await world.now(try #require(exits.first))
            let received = try #require(exit.state.inclusion?.received)
            try await world.settle()
            #expect(try await world.outcomes(of: old).first == "start_built")
            #expect(try await world.alerts() == 2)
            let new = try #require(try await world.parts.strategies.list(of: ada.user).first { $0.id != old.id })
            #expect(new.offer == "compound-usdc" && new.rules == old.rules)
            let starts = try await world.parts.intents.list(of: new.id).filter { $0.state == .built }.reversed()
            #expect(starts.map(\.kind) == [.approve, .start])
            #expect(starts.allSatisfy { $0.amount.minorUnits == received })
            for intent in starts { try await world.submit(intent, by: ada) }
            try await world.finalise()
            try await world.settle()
            let there = try await world.strategy(new.id, of: ada)
            #expect(there.status == .active && there.principal == received)
            #expect(try await world.deployed(there, by: ada) == received)
            let left = try await world.strategy(old.id, of: ada)
            #expect(left.status == .stopped && left.principal == 0)
            // 4 % here and 1 % there: it stays.
            try await world.observe()
            #expect(try await world.outcomes(of: there).first == "skip_no_better_offer")
            let open: Int = try await world.pool.query("select count(*) from defi.moves where state = 'leaving'")[0][0]
            #expect(open == 0)
        }
    }

    @Test func `what isn't better by the band, or can't be entered, is a reason to stay`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada, [Self.rule])
            // 3.5 % here, 4 % there.
            try await world.setAaveRate(thousandths: 35)
            try await world.observe()
            #expect(try await world.outcomes(of: strategy).first == "skip_within_band")
            try await world.setAaveRate(percent: 1)
            try await world.pause(.compound, true)
            for _ in 0..<2 { try await world.observe() }
            #expect(try await world.outcomes(of: strategy).first == "skip_protocol_paused")
            #expect(try await world.parts.intents.list(of: strategy.id).allSatisfy { $0.state != .built })
            let decisions = try await world.parts.strategies.decisions(of: strategy.id)
            for fact in ["from", "to", "rate", "better_rate", "cost", "net", "band", "seen"] {
                #expect(decisions.first?["facts"]?[fact] != nil, "\(fact)")
            }
        }
    }

    @Test func `an exit that nobody signs ends the move, and isn't proposed again the same day`() async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada, [Self.rule])
            try await world.setAaveRate(percent: 1)
            for _ in 0..<2 { try await world.observe() }
            #expect(try await world.outcomes(of: strategy).first == "exit_built")
            _ = try await world.pool.query("update defi.intents set expires_at = now() where state = 'built'")
            try await world.settle()
            try await world.settle()
            #expect(try await world.outcomes(of: strategy).first == "exit_not_made")
            let state: String = try await world.pool.query("select state from defi.moves")[0][0]
            #expect(state == "ended")
            for _ in 0..<2 { try await world.observe() }
            #expect(try await world.outcomes(of: strategy).first == "skip_not_signed_lately")
            #expect(try await world.strategy(strategy.id, of: ada).status == .active)
        }
    }

    @Test(arguments: [Offered.pair, .lido])
    func `a position of two tokens or behind a queue can't have the rule`(offer: Offered) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let body = JSON.object(
                [
                    .init("wallet", .string(ada.wallet.wire)), .init("offer", .string(offer.rawValue)),
                    .init("amount", .string(offer.amount)), Self.rule,
                ] + offer.more
            )
            #expect(try await world.refusal("/v1/defi/strategies", by: ada, body) == "bad_rule")
        }
    }
}

extension ChainWorld {
    fileprivate func outcomes(of strategy: Strategy) async throws -> [String?] {
        try await parts.strategies.decisions(of: strategy.id).map { $0["outcome"]?.stringValue }
    }

    fileprivate func setAaveRate(percent: Int) async throws { try await setAaveRate(thousandths: percent * 10) }

    fileprivate func setAaveRate(thousandths: Int) async throws {
        let rays = BigUInt(thousandths) * BigUInt.powerOfTen(24)
        try await dev.send("setRate(uint256)", [.uint(rays)], to: try offer(.aave).contract)
    }

    /// Time for rates to be read again, and for the next observation.
    fileprivate func observe() async throws {
        try await dev.pass(seconds: Int(StrategyWatch.rateSeconds))
        // What nothing happens to is valued every few blocks only.
        try await dev.mine(Int(RebalanceMaker.blocksBetween + StrategyWatch.blocksMax))
        try await follow()
    }
}
