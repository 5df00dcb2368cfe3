public import Kernel
import Ledger
public import Logging
import Metrics
public import ServiceLifecycle

/// The markets of the demo data, and simulated traders that keep their books alive.
///
/// It works while this process is the writer; the traders have demo accounts and money of their own.
public struct DemoMarkets: Service {
    /// Between two rounds of the traders; each places a few orders in every market.
    public static let beatSeconds = 1.0

    let parts: InvestingParts
    let ledgerAccounts: LedgerAccounts
    let traders: (@Sendable () async throws -> [ID<User>])?
    let seed: UInt64
    let logger: Logger

    /// Opens the markets, then trades in them until the end.
    public func run() async throws {
        var floors: [SimulatedTraders] = []
        var isReady = false
        var isFailing = false
        let beats = AsyncTimer(seconds: DemoMarkets.beatSeconds)
        repeat {
            guard parts.desk.isWriter else {
                (floors, isReady) = ([], false)
                continue
            }
            do {
                if !isReady {
                    try await open()
                    floors = try await cast()
                    isReady = true
                }
                for index in floors.indices { try await floors[index].step() }
                isFailing = false
            } catch {
                if Task.isCancelled || Task.isShuttingDownGracefully { return }
                Counter(label: "investing_demo_failures_total").increment()
                if !isFailing {
                    logger.warning("the simulated traders paused", metadata: ["error": "\(error)"])
                }
                isFailing = true
            }
        } while await beats.next()
    }

    private func open() async throws {
        for market in DemoMarket.all {
            do {
                _ = try await parts.operations.createMarket(market.description, by: "demo")
            } catch let problem as Problem where problem.code == "market_exists" {
                // As an earlier run left it.
            }
        }
    }

    private func cast() async throws -> [SimulatedTraders] {
        guard let users = try await traders?(), users.count == 2 else { return [] }
        let maker = try await parts.accounts.account(of: users[0])
        let taker = try await parts.accounts.account(of: users[1])
        var floors: [SimulatedTraders] = []
        for (index, market) in DemoMarket.all.enumerated() {
            let floor = SimulatedTraders(
                parts,
                ledgerAccounts,
                market,
                try await parts.markets.market(market.symbol),
                maker: maker,
                taker: taker,
                seed: seed &+ UInt64(index)
            )
            try await floor.prepare()
            floors.append(floor)
        }
        return floors
    }
}

extension InvestingDomain {
    /// The demo data's markets; two users that trade in them, nil for none, and a seed that decides how.
    public func demoMarkets(
        traders: (@Sendable () async throws -> [ID<User>])?,
        seed: UInt64,
        logger: Logger
    ) -> DemoMarkets {
        DemoMarkets(parts: parts, ledgerAccounts: ledgerAccounts, traders: traders, seed: seed, logger: logger)
    }
}
