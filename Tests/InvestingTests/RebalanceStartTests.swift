import DomainKit
import HTTP
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// What happens between a rebalancing's plan and its start.
@Suite struct RebalanceStartTests {
    private static let initiator = Initiator(system: "test", correlation: 1)

    /// What overtakes a plan.
    enum Change: String, CaseIterable {
        case terms, rest, flow, trade
    }

    private static func make(
        _ change: Change,
        _ station: PortfolioStation,
        _ id: String,
        _ ada: TradingWorld.Trader
    ) async throws {
        switch change {
        case .terms, .rest:
            let body: JSON = change == .terms ? ["slippage_basis_points": .integer(20)] : ["paused": true]
            let answer = try await station.call("PATCH", "/portfolios/\(id)", as: ada, body, match: "*")
            try #require(answer.status == 200, "\(answer.body)")
        case .flow:
            let answer = try await station.put("100", .usdc, into: id, of: ada)
            try #require(answer.status < 300, "\(answer.body)")
        case .trade:
            let body: JSON = [
                "type": "sell", "from": "BTC", "to": "USDC", "amount": "0.05", "portfolio": .string(id),
            ]
            let quote = try await station.call("POST", "/transactions", as: ada, body)
            let done = try await station.call("POST", "/transactions/\(quote.text("id"))/accept", as: ada)
            try #require(done.text("status") == "completed", "\(done.body)")
        }
    }

    private static func portfolio(_ station: PortfolioStation, _ id: String) async throws -> Portfolio {
        let wanted = try #require(ID<Portfolio>(wire: id))
        return try #require(try await station.parts.service.rebalancer.portfolios.find(wanted))
    }

    @Test(arguments: Change.allCases)
    func `a plan that something has overtaken isn't started`(_ change: Change) async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            let rebalancer = station.parts.service.rebalancer
            func start(meanwhile: () async throws -> Void) async throws -> Rebalances.Start {
                let portfolio = try await Self.portfolio(station, id)
                let (plan, at) = try await rebalancer.plan(portfolio)
                try await meanwhile()
                return try await rebalancer.rebalances.start(
                    plan,
                    asOf: at,
                    of: portfolio,
                    .manual,
                    request: nil,
                    by: Self.initiator
                )
            }
            #expect(try await start { try await Self.make(change, station, id, ada) } == .outdated)
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            guard case .started = try await start(meanwhile: {}) else {
                Issue.record("a plan that holds isn't started")
                return
            }
        }
    }

    @Test func `who asks for a rebalancing is told that the portfolio has changed meanwhile`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            let asRead = try await Self.portfolio(station, id)
            try await Self.make(.terms, station, id, ada)
            let rebalancer = station.parts.service.rebalancer
            await #expect {
                _ = try await rebalancer.run(asRead, request: 1, by: Self.initiator)
            } throws: {
                ($0 as? Problem)?.code == "portfolio_changed"
            }
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            #expect(try await station.rebalance(id, as: ada, key: "again").text("status") == "completed")
        }
    }

    @Test func `a portfolio that changes while its run is planned keeps its time, and has its run`() async throws {
        try await PortfolioStation.with { station in
            let (_, id) = try await RebalanceTests.tilted(station, [("schedule", "daily")])
            try await RebalanceTests.due(station)
            let (service, database) = (station.parts.service, station.world.database)
            let claim = try #require(try await service.rebalancer.portfolios.claimDue(limit: 10).first)
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await database.pool().withTransaction { holder in
                    _ = try await holder.query("update investing.portfolios set version = version + 1")
                    group.addTask { try await service.start(claim) }
                    // It has read the portfolio and planned by now.
                    try await database.untilWaiting(1)
                }
                try await group.waitForAll()
            }
            #expect(try await RebalanceTests.history(station, id).isEmpty)
            try await service.look()
            #expect(try await RebalanceTests.history(station, id).map(\.cause) == ["schedule"])
        }
    }

    @Test func `a change that overlaps a scheduled run doesn't bring the run again`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station, [("schedule", "daily")])
            try await RebalanceTests.due(station)
            let asRead = try await Self.portfolio(station, id)
            let service = station.parts.service
            try await service.look()
            var terms = asRead.terms
            terms.name = "Renamed"
            let changed = try await service.rebalancer.portfolios.change(asRead, terms, by: Self.initiator)
            let next = try await station.call("GET", "/portfolios/\(id)", as: ada).text("next_run_at")
            #expect(next == changed.nextRunAt?.description)
            #expect(try #require(changed.nextRunAt) > SystemClock().now())
            try await service.look()
            #expect(try await RebalanceTests.history(station, id).map(\.cause) == ["schedule"])
        }
    }
}
