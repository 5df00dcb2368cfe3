import MatchingEngine
import Randomness

/// A seeded stream of commands that keeps a book busy: everything that can be commanded, most of it sensible.
struct RandomCommands {
    private var random: SeededRandom
    private var next: UInt64 = 1
    private var middle: Int64 = 1000
    private(set) var instant: Int64 = 0
    /// Prices far away make the window of the ladder move.
    private let spread: Int
    /// Live orders that are aimed at.
    private let target: Int

    init(seed: UInt64, target: Int, spread: Int) {
        (random, self.target, self.spread) = (SeededRandom(seed), target, spread)
    }

    /// The next command; `live` is how many orders the book has.
    mutating func command(live: Int, halted: Bool) -> Command {
        instant += Int64(random.below(20))
        if random.percent(10) { middle = max(50, middle + Int64(random.below(3)) - 1) }
        if spread > 1000 && random.below(2000) == 0 { middle = Int64(1000 + random.below(spread * 10)) }
        if halted && random.percent(20) { return .reopen }
        let dice = random.below(1000)
        if live > target && dice < 350 { return .cancel(order: recent(live * 3)) }
        switch dice {
        case ..<620: return .place(order())
        case ..<680: return .place(conditional())
        case ..<710: return pair()
        case ..<830: return .cancel(order: recent(live * 3))
        case ..<930: return amendment(live)
        case ..<970:
            let mode: ReplaceMode = random.percent(50) ? .stopOnFailure : .allowFailure
            return .cancelReplace(order: recent(live * 2), with: order(), mode)
        case ..<975: return .cancelAll(owner: UInt32(random.below(5)))
        case ..<985: return .expire
        case ..<990:
            let state = MarketState.allCases[random.below(5)]
            return .setState(state, reopensAt: random.percent(50) ? instant + Int64(random.below(200)) : nil)
        case ..<995: return .setReferencePrice(random.percent(70) ? middle : nil)
        default: return .reopen
        }
    }

    private mutating func number() -> UInt64 {
        defer { next += 1 }
        // Sometimes a number that is live or was.
        return random.below(200) == 0 ? recent(20) : next
    }

    private mutating func recent(_ reach: Int) -> UInt64 {
        let back = UInt64(random.below(max(4, reach)))
        return next > back ? next - back : 1
    }

    private mutating func price(_ side: Side, crossing: Bool) -> Int64 {
        let distance = Int64(random.percent(2) ? random.below(spread) : random.below(12))
        let away = crossing ? -distance : distance + 1
        return max(1, side == .buy ? middle - away : middle + away)
    }

    private mutating func quantity() -> Int64 { Int64(1 + random.below(random.percent(10) ? 60 : 12)) }

    private mutating func order() -> NewOrder {
        let side: Side = random.percent(50) ? .buy : .sell
        var order = NewOrder(number: number(), owner: UInt32(random.below(5)), side: side, quantity: quantity())
        order.selfTradePrevention = SelfTradePrevention.allCases[random.below(5)]
        let dice = random.below(100)
        order.price = price(side, crossing: dice < 35)
        switch dice {
        case ..<6: order.timeInForce = .ioc
        case ..<14: order.timeInForce = .fok
        case ..<20: (order.timeInForce, order.expiresAt) = (.gtd, instant + Int64(random.below(1500)))
        case ..<24: order.isPostOnly = true
        case 40..<48: order.isPostOnly = true
        case 48..<60: (order.timeInForce, order.expiresAt) = (.gtd, instant + Int64(random.below(3000)))
        case 60..<64: makeMarket(&order)
        default: break
        }
        return order
    }

    private mutating func makeMarket(_ order: inout NewOrder) {
        (order.type, order.timeInForce) = (.market, random.percent(30) ? .fok : .gtc)
        if random.percent(70) { order.price = nil }
        guard random.percent(40) else { return }
        order.quoteAmount = Int128(1 + random.below(30_000))
        order.quantity = 0
    }

    private mutating func conditional() -> NewOrder {
        let types: [OrderType] = [.stop, .stopLimit, .takeProfit, .takeProfitLimit]
        var order = order()
        (order.type, order.isPostOnly, order.quoteAmount) = (types[random.below(4)], false, 0)
        if order.quantity == 0 { order.quantity = quantity() }
        order.stopPrice = max(1, middle + Int64(random.below(25)) - 12)
        order.price = order.type.isLimit || random.percent(20) ? price(order.side, crossing: true) : nil
        return order
    }

    private mutating func pair() -> Command {
        var first = order()
        (first.type, first.timeInForce, first.quoteAmount, first.isPostOnly) = (.limit, .gtc, 0, random.percent(20))
        if first.quantity == 0 { first.quantity = quantity() }
        first.price = price(first.side, crossing: random.percent(25))
        var second = conditional()
        (second.side, second.owner, second.quantity) = (first.side, first.owner, first.quantity)
        second.type = random.percent(90) ? .stop : .takeProfit
        if random.percent(20) {
            (first.type, first.isPostOnly) = (.takeProfitLimit, false)
            first.stopPrice = max(1, middle + Int64(random.below(25)) - 12)
        }
        let distance = Int64(random.below(15))
        second.stopPrice = max(1, first.side == .sell ? middle - distance : middle + distance)
        return .placePair(first, second)
    }

    private mutating func amendment(_ live: Int) -> Command {
        let side: Side = random.percent(50) ? .buy : .sell
        return .amend(
            order: recent(live * 2),
            total: Int64(random.below(20)),
            price: price(side, crossing: random.percent(20))
        )
    }
}
