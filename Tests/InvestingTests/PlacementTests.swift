import DomainKit
import HTTP
@testable import Investing
import Kernel
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// Two that carry out the same at the same time, one of them slower than the other.
@Suite struct PlacementTests {
    private static let initiator = Initiator(system: "test", correlation: 1)

    /// What the desk refuses, and what is refused before it comes there.
    private static let reasons = ["insufficient_funds", "user_not_active"]

    @Test(arguments: reasons)
    func `a transaction that was refused isn't placed by whoever is slower`(_ reason: String) async throws {
        try await PortfolioStation.with { station in
            let isLocked = reason == "user_not_active"
            let ada = try await station.customer(usdc: isLocked ? "10000" : "1")
            try await station.trade(at: 50_000)
            let body: JSON = ["type": "buy", "from": "USDC", "to": "BTC", "amount": "500"]
            let quote = try await station.call("POST", "/transactions", as: ada, body)
            let id = try #require(ID<Conversion>(wire: quote.text("id")))
            func accept() async throws -> PortfolioStation.Answer {
                try await station.call("POST", "/transactions/\(id.wire)/accept", as: ada)
            }
            func set(status: String) async throws {
                _ = try await station.world.database.pool(.platform).query(
                    "update platform.users set status = \(status) where id = \(ada.account.user)"
                )
            }
            // It is accepted, and the process ends before the desk has heard of it.
            let conversions = station.parts.service.conversions
            let quoted = try await conversions.conversions.get(id, of: ada.account.user)
            try await conversions.conversions.accept(quoted)
            let accepted = try await conversions.conversions.get(id, of: ada.account.user)
            #expect(accepted.status == .accepted)
            if isLocked { try await set(status: "locked") }
            let failed = try await accept()
            #expect(failed.text("status") == "failed" && failed.text("reason") == reason, "\(failed.body)")
            // What it was refused for is over when the other one comes to it.
            if isLocked { try await set(status: "active") } else { try await station.give(ada, .usdc, "10000") }
            try await conversions.carryOut(accepted, by: Self.initiator, since: accepted.acceptedAt)
            #expect(try await accept().body == failed.body)
            let placed = try await station.world.pool.query(
                "select 1 from investing.orders where account = \(ada.account.id)"
            )
            #expect(placed.isEmpty)
            try await station.verify()
        }
    }

    @Test func `what a faster one has skipped and ended isn't placed by a slower one`() async throws {
        try await PortfolioStation.with { station in
            let (ada, id) = try await RebalanceTests.tilted(station)
            _ = try await station.world.desk.commit([.cancelAll(market: nil, station.world.request(station.maker))])
            try await station.quote(.sell, "100", at: "3000", in: "ETH-USDC")
            // All of the cash that is there is to be kept: without a sale there is nothing to buy with.
            _ = try await station.world.pool.query(
                "update investing.portfolios set targets = '{\"BTC\": 2000, \"ETH\": 4000}'"
            )
            let rebalancer = station.parts.service.rebalancer
            let wanted = try #require(ID<Portfolio>(wire: id))
            let portfolio = try #require(try await rebalancer.portfolios.find(wanted))
            let run = try await Self.start(rebalancer, portfolio)
            station.queue.beforeNext {
                let ended = try await rebalancer.carryOut(run, portfolio, by: Self.initiator)
                #expect(ended.status == .failed)
                // There would be enough for the purchase from here on.
                try await station.put("9000", .usdc, into: id, of: ada)
            }
            let slower = try await rebalancer.carryOut(run, portfolio, by: Self.initiator)
            #expect(slower.status == .failed)
            #expect(slower.steps.map(\.status) == [.unfilled, .skipped])
            let placed = try await station.world.pool.query(
                "select side from investing.orders where account = \(wanted)"
            )
            #expect(try placed.map { try $0["side"] as String } == ["sell"])
            try await station.verify()
        }
    }

    @Test func `an order of a run is placed as it was fixed, or not at all`() async throws {
        try await PortfolioStation.with { station in
            let (_, id) = try await RebalanceTests.tilted(station)
            let rebalancer = station.parts.service.rebalancer
            let rebalances = rebalancer.rebalances
            let wanted = try #require(ID<Portfolio>(wire: id))
            let portfolio = try #require(try await rebalancer.portfolios.find(wanted))
            let run = try await Self.start(rebalancer, portfolio)
            let steps = try #require(try await rebalances.find(run)).steps
            try #require(steps.map(\.side) == [.sell, .buy])
            #expect(try await rebalances.fix(steps[1], of: run, amount: 5_000_000) == 5_000_000)
            #expect(try await rebalances.fix(steps[1], of: run, amount: 7_000_000) == 5_000_000)
            #expect(try await !rebalances.skip(steps[1], of: run), "its order is on the way")
            try await rebalances.settle(steps[1], of: run, .refused, nil, reason: "market_halt")
            #expect(try await rebalances.fix(steps[1], of: run, amount: 7_000_000) == nil)
            #expect(try await rebalances.skip(steps[0], of: run))
            #expect(try await rebalances.fix(steps[0], of: run, amount: 7_000_000) == nil)
        }
    }

    private static func start(_ rebalancer: Rebalancer, _ portfolio: Portfolio) async throws -> ID<Rebalance> {
        let (plan, at) = try await rebalancer.plan(portfolio)
        let start = try await rebalancer.rebalances.start(
            plan,
            asOf: at,
            of: portfolio,
            .drift,
            request: nil,
            by: initiator
        )
        guard case .started(let run) = start else { throw InvestingFault.missing("a run") }
        return run
    }
}
