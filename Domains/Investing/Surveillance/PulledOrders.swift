import Kernel
import MatchingEngine

/// Looks for orders that were never meant to trade: shown on one side, pulled once the other side was filled.
///
/// Spoofing is a large order pulled after each of several fills, layering are several levels pulled after one. Whoever
/// quotes both sides is left alone.
struct PulledOrders: Sendable {
    /// How soon after the fill an order must be pulled to count, in microseconds.
    static let pullWindow: Int64 = 10_000_000
    /// How long pulled orders are counted, in microseconds.
    static let countWindow: Int64 = 60_000_000
    /// How many times as large as the fill a spoof is.
    static let spoofFactor: Int64 = 5
    /// Fills after which large orders were pulled that make a finding.
    static let spoofsMin = 3
    /// Levels pulled after one fill that make a finding.
    static let layersMin = 4
    /// Open orders of an account in a market that are watched; further ones aren't.
    static let openMax = 256
    /// Pulled orders of an account in a market that are remembered.
    static let pulledMax = 64
    /// Accounts with markets that are remembered; beyond it the memory is emptied.
    static let subjectsMax = 20_000

    private struct Subject: Hashable {
        let account: ID<TradingAccount>
        let market: Int
    }

    /// An open order, and what its account was filled on the other side while it was open.
    private struct Watched {
        var order: SeenOrder
        var filled: Int64 = 0
        var filledAt: Int64 = 0
    }

    private struct Pulled {
        let order: SeenOrder
        let filled: Int64
        let filledAt: Int64
        let at: Int64
    }

    private struct Conduct {
        var open: [ID<Order>: Watched] = [:]
        var pulled: [Pulled] = []

        mutating func watch(_ order: SeenOrder) {
            if open[order.id] != nil {
                open[order.id]?.order = order
            } else if open.count < PulledOrders.openMax {
                open[order.id] = Watched(order: order)
            }
        }

        mutating func fill(_ side: Side, _ quantity: Int64, _ at: Int64) {
            for place in open.values.indices where open.values[place].order.side != side {
                let (total, isTooMuch) = open.values[place].filled.addingReportingOverflow(quantity)
                open.values[place].filled = isTooMuch ? .max : total
                open.values[place].filledAt = at
            }
        }
    }

    private var subjects: [Subject: Conduct] = [:]

    /// Looks at a batch: what is new in it, then what traded, then what ended.
    mutating func see(_ batch: SeenBatch) -> [RiskFinding] {
        for order in batch.orders { watch(order) }
        for trade in batch.trades {
            subjects[Subject(account: trade.buyer, market: trade.market)]?.fill(.buy, trade.quantity, batch.at)
            subjects[Subject(account: trade.seller, market: trade.market)]?.fill(.sell, trade.quantity, batch.at)
        }
        return batch.orders.filter { $0.endedAt != nil }.compactMap { end($0, batch.at) }
    }

    private mutating func watch(_ order: SeenOrder) {
        let subject = Subject(account: order.account, market: order.market)
        if subjects.count >= PulledOrders.subjectsMax, subjects[subject] == nil { subjects = [:] }
        // In place: a copy of what is watched, order by order, would cost more than all the rest.
        subjects[subject, default: Conduct()].watch(order)
    }

    private mutating func end(_ order: SeenOrder, _ at: Int64) -> RiskFinding? {
        let subject = Subject(account: order.account, market: order.market)
        guard subjects[subject]?.open[order.id] != nil, var conduct = subjects.removeValue(forKey: subject),
            let watched = conduct.open.removeValue(forKey: order.id)
        else { return nil }
        defer { if !conduct.open.isEmpty || !conduct.pulled.isEmpty { subjects[subject] = conduct } }
        conduct.pulled.removeAll { $0.at < at - PulledOrders.countWindow }
        guard order.traded == 0, order.price != nil, watched.filled > 0,
            at - watched.filledAt <= PulledOrders.pullWindow
        else { return nil }
        let others = conduct.open.values.filter { $0.order.side != order.side }
        let resting = others.reduce(Int128(0)) { $0 + Int128($1.order.quantity - $1.order.traded) }
        guard 2 * resting < Int128(order.quantity) else { return nil }
        let new = Pulled(order: order, filled: watched.filled, filledAt: watched.filledAt, at: at)
        conduct.pulled = conduct.pulled.suffix(PulledOrders.pulledMax - 1) + [new]

        let side = conduct.pulled.filter { $0.order.side == order.side }
        let layers = Set(side.filter { $0.filledAt == new.filledAt }.compactMap(\.order.price))
        let spoofs = Set(side.filter { PulledOrders.isLarge($0) }.map(\.filledAt))
        guard layers.count >= PulledOrders.layersMin || spoofs.count >= PulledOrders.spoofsMin else { return nil }
        let isLayering = layers.count >= PulledOrders.layersMin
        defer { conduct.pulled = [] }
        return RiskFinding(
            type: isLayering ? "layering" : "spoofing",
            level: isLayering ? .high : .medium,
            account: order.account,
            rule: nil,
            details: [
                "market": .integer(order.market), "side": .string(order.side.name),
                "orders": .array(side.suffix(10).map { .string($0.order.id.wire) }),
                "filled_lots": .integer(new.filled), "count": .integer(isLayering ? layers.count : spoofs.count),
            ]
        )
    }

    private static func isLarge(_ pulled: Pulled) -> Bool {
        Int128(pulled.order.quantity) >= Int128(pulled.filled) * Int128(spoofFactor)
    }
}
