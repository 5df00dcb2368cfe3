import Kernel

/// Looks for trades that change nobody's position: with oneself, or back and forth between two.
struct WashTrades: Sendable {
    /// How long a trade waits for the one that undoes it, in microseconds.
    static let mirrorWindow: Int64 = 60_000_000
    /// How long undone trades are counted, in microseconds.
    static let countWindow: Int64 = 600_000_000
    /// Undone trades of a pair of accounts that make a finding.
    static let mirrorsMin = 3
    /// How far apart the two prices may be, in parts of a thousand of the first.
    static let priceTolerancePerMille: Int64 = 1
    /// Pairs of accounts that are remembered; beyond it the memory is emptied.
    static let pairsMax = 20_000
    /// Trades of a pair that wait for their mirror.
    static let waitingMax = 16

    private struct Pair: Hashable {
        let market: Int
        let one: ID<TradingAccount>
        let other: ID<TradingAccount>
    }

    private struct Dealings {
        var waiting: [(trade: SeenTrade, at: Int64)] = []
        var mirrors: [Int64] = []
    }

    private var dealings: [Pair: Dealings] = [:]

    /// Looks at a trade whose sides belong to these users.
    mutating func see(_ trade: SeenTrade, at: Int64, users: [ID<TradingAccount>: ID<User>]) -> RiskFinding? {
        if trade.buyer == trade.seller || (users[trade.buyer] != nil && users[trade.buyer] == users[trade.seller]) {
            return finding(trade, .high, "own", 1)
        }
        let isOrdered = trade.buyer < trade.seller
        let pair = Pair(
            market: trade.market,
            one: isOrdered ? trade.buyer : trade.seller,
            other: isOrdered ? trade.seller : trade.buyer
        )
        if dealings.count >= WashTrades.pairsMax, dealings[pair] == nil { dealings = [:] }
        var known = dealings[pair] ?? Dealings()
        defer { dealings[pair] = known }
        known.waiting.removeAll { $0.at < at - WashTrades.mirrorWindow }
        known.mirrors.removeAll { $0 < at - WashTrades.countWindow }
        guard let index = known.waiting.firstIndex(where: { WashTrades.undoes(trade, $0.trade) }) else {
            known.waiting = known.waiting.suffix(WashTrades.waitingMax - 1) + [(trade, at)]
            return nil
        }
        known.waiting.remove(at: index)
        known.mirrors.append(at)
        guard known.mirrors.count >= WashTrades.mirrorsMin else { return nil }
        defer { known.mirrors = [] }
        return finding(trade, .medium, "back_and_forth", known.mirrors.count)
    }

    private static func undoes(_ trade: SeenTrade, _ earlier: SeenTrade) -> Bool {
        let apart = (trade.price - earlier.price).magnitude
        return trade.buyer == earlier.seller && trade.quantity == earlier.quantity
            && apart <= UInt64(earlier.price / 1_000 * priceTolerancePerMille)
    }

    private func finding(_ trade: SeenTrade, _ level: RiskFinding.Level, _ kind: String, _ count: Int) -> RiskFinding {
        RiskFinding(
            type: "wash_trade",
            level: level,
            account: trade.buyer,
            rule: nil,
            details: [
                "kind": .string(kind), "other_account": .string(trade.seller.wire), "market": .integer(trade.market),
                "price_ticks": .integer(trade.price), "quantity_lots": .integer(trade.quantity),
                "count": .integer(count),
            ]
        )
    }
}
