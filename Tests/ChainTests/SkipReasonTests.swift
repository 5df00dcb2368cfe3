import Foundation
import Kernel
import PostgreSQL
import Testing
import WalletCrypto

@testable import DeFi

/// Why rules do nothing where what they need is not there: each reason is recorded for its own cause.
@Suite(.serialized)
struct SkipReasonTests {
    private static let compound = JSON.Member("auto_compound", .bool(true))
    private static let rebalance = JSON.Member(
        "rebalance",
        ["band": "0.01", "horizon_days": .integer(365), "observations": .integer(2)]
    )

    @Test func `a harvest isn't decided about while nothing says what gas is worth`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.deployed { $0.withoutPairs }
            let ada = try await world.person(1)
            let strategy = try await world.started(.compound, by: ada, [Self.compound])
            #expect(try await world.said("compound", of: strategy) == ["skip_gas_not_priced"])
            let decision = try #require(try await world.parts.strategies.decisions(of: strategy.id).first)
            #expect(decision["facts"] == .object([]) && decision["intent"] == .null)
            // With a pair that says so again, the next decision has its facts.
            let priced = try await world.deployed { $0 }
            try await priced.dev.mine(Int(CompoundMaker.blocksBetween + StrategyWatch.blocksMax))
            try await priced.follow()
            #expect(try await priced.said("compound", of: strategy).first == "skip_costs_more_than_reward")
        }
    }

    @Test func `a move isn't decided about while nothing says what gas is worth`() async throws {
        try await ChainWorld.with { one in
            let world = try await one.deployed { $0.withoutPairs }
            let ada = try await world.person(1)
            let strategy = try await world.started(.aave, by: ada, [Self.rebalance])
            #expect(try await world.said("rebalance", of: strategy) == ["skip_gas_not_priced"])
            // What wasn't compared counts as no observation.
            #expect(try await world.strategy(strategy.id, of: ada).rebalanceSeen == 0)
        }
    }

    @Test func `what was harvested isn't put in again while nothing says what gas is worth`() async throws {
        try await ChainWorld.with { one in
            // The pair's other token is another one than what gas is paid in.
            let world = try await one.deployed { try $0.renaming("WETH", to: "OTHER") }
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada, [Self.compound])
            try await one.fees(of: strategy, usdc: 10_000_000, wei: BigUInt.powerOfTen(15))
            try await world.harvest(strategy, by: ada)
            try await world.settle()
            try await world.expectEnded("skip_gas_not_priced", strategy)
        }
    }

    @Test func `what was harvested isn't put into an offer that is gone`() async throws {
        try await ChainWorld.with { one in
            let ada = try await one.person(1)
            let strategy = try await one.started(.pair, by: ada, [Self.compound])
            try await one.fees(of: strategy, usdc: 10_000_000, wei: BigUInt.powerOfTen(15))
            try await one.harvest(strategy, by: ada)
            let world = try await one.deployed { $0.withoutPairs }
            try await world.settle()
            try await world.expectEnded("skip_offer_gone", strategy)
            // It isn't looked at again when the offer is back.
            let back = try await world.deployed { $0 }
            try await back.dev.mine(Int(RestartMaker.retryBlocks))
            try await back.follow()
            try await back.expectEnded("skip_offer_gone", strategy)
        }
    }

    @Test(arguments: [(10_000_000, BigUInt.zero), (0, BigUInt.powerOfTen(16))])
    func `of a pair that gave one token alone nothing can go in again`(usdc: Int, wei: BigUInt) async throws {
        try await ChainWorld.with { world in
            let ada = try await world.person(1)
            let strategy = try await world.started(.pair, by: ada, [Self.compound])
            try await world.fees(of: strategy, usdc: usdc, wei: wei)
            let gave = try await world.harvest(strategy, by: ada)
            #expect((gave.received == 0) == (usdc == 0) && (gave.pairReceived == 0) == wei.isZero)
            try await world.settle()
            try await world.expectEnded("skip_nothing_to_start", strategy)
        }
    }
}

extension ChainWorld {
    /// The same chain as a process follows it whose deployment file says something else.
    fileprivate func deployed(_ change: (JSON) throws -> JSON) async throws -> ChainWorld {
        let text = try #require(FileManager.default.contents(atPath: dev.deploymentPath))
        let known = try dev.followed(confirmations: Int(chain.confirmations))
        return try await followed(
            by: EthereumChain(
                deployment: try Deployment(change(try JSON.parse(Array(text)))),
                nodes: known.nodes,
                confirmations: Int(chain.confirmations),
                gasCeilingGwei: 500
            )
        )
    }

    /// Takes what a strategy earned; what that gave, once it is final, before the next block looks at it.
    @discardableResult
    fileprivate func harvest(_ strategy: Strategy, by person: Person) async throws -> IntentState.Inclusion {
        let path = "/v1/defi/strategies/\(strategy.id.wire)/harvest"
        let made = try await signAll(try await ask("POST", path, by: person, [:]), by: person)
        try await dev.mine(Int(chain.confirmations) - 1)
        try await follow()
        let harvest = try await now(try #require(made.intents.first))
        #expect(harvest.state.name == "final")
        return try #require(harvest.state.inclusion)
    }

    /// What was decided about a strategy by a rule, the newest first.
    fileprivate func said(_ kind: String, of strategy: Strategy) async throws -> [String?] {
        try await parts.strategies.decisions(of: strategy.id)
            .filter { $0["kind"]?.stringValue == kind }.map { $0["outcome"]?.stringValue }
    }

    /// Expects what a strategy's only harvest gave to stay in the wallet for a reason, which was said once.
    fileprivate func expectEnded(_ reason: String, _ strategy: Strategy) async throws {
        #expect(try await said("restart", of: strategy) == [reason])
        let rows = try await pool.query(
            "select state, reason from defi.harvests where strategy = \(strategy.id)"
        )
        #expect(try rows.map { try $0["state"] as String } == ["ended"])
        #expect(try rows.map { try $0["reason"] as String? } == [reason])
        let built = try await pool.query("select 1 from defi.intents where kind = 'start' and state = 'built'")
        #expect(built.isEmpty)
    }
}

extension JSON {
    /// A deployment that offers no pair.
    fileprivate var withoutPairs: JSON {
        replacing("protocols") { .array(($0.elements ?? []).filter { $0["pair"] == nil }) }
    }

    /// A deployment in which a token has another name.
    fileprivate func renaming(_ symbol: String, to name: String) throws -> JSON {
        let text = String(decoding: serialized(), as: UTF8.self)
        return try JSON.parse(Array(text.replacing("\"\(symbol)\"", with: "\"\(name)\"").utf8))
    }

    private func replacing(_ member: String, _ change: (JSON) -> JSON) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.map { $0.name == member ? JSON.Member(member, change($0.value)) : $0 })
    }
}
