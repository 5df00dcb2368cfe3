@testable import Investing
import Kernel
import MatchingEngine
import Randomness

/// Orders and cancels at random around one price, in batches.
struct RandomTrading {
    let world: TradingWorld
    let traders: [TradingWorld.Trader]
    var random: SeededRandom
    private var placed: [(trader: Int, id: ID<Order>)] = []

    init(_ world: TradingWorld, traders: [TradingWorld.Trader], seed: UInt64) {
        (self.world, self.traders, random) = (world, traders, SeededRandom(seed))
    }

    /// Commits so many batches.
    mutating func run(batches: Int) async throws {
        for _ in 0..<batches {
            var items: [DeskItem] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) { items.append(item()) }
            _ = try await world.desk.commit(items)
        }
    }

    private mutating func item() -> DeskItem {
        let kind = Int.random(in: 0..<10, using: &random)
        if kind < 3, let old = placed.randomElement(using: &random) {
            return .cancel(old.id, world.request(traders[old.trader]))
        }
        let trader = Int.random(in: traders.indices, using: &random)
        let side: Side = Bool.random(using: &random) ? .buy : .sell
        let lots = Int64.random(in: 100...500, using: &random)
        let price = 5_000_000 + Int64.random(in: -25...25, using: &random) * 100
        let ticket =
            kind == 9
            ? world.ticket(traders[trader], side, lots, at: nil, type: .market, tif: .ioc)
            : world.ticket(traders[trader], side, lots, at: price)
        placed.append((trader, ticket.order.id))
        return .place(ticket, world.request(traders[trader]))
    }
}
