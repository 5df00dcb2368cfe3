import Kernel

/// The rules in force, and what they need to remember of accounts; read anew with the books.
struct RiskBook: Sendable {
    /// Accounts whose orders are counted; beyond it the counting begins anew.
    private static let countedMax = 100_000

    private struct Told: Hashable {
        let account: ID<TradingAccount>
        let rule: ID<RiskRule>
    }

    /// Rules for everybody.
    private var general: [RiskRule] = []
    private var own: [ID<TradingAccount>: [RiskRule]] = [:]
    /// When an account's newest orders came, oldest first; only as many as a rule counts.
    private var recent: [ID<TradingAccount>: [Int64]] = [:]
    /// When a refusal was last recorded.
    private var told: [Told: Int64] = [:]
    /// The longest stretch that a rate looks back, in microseconds, and the most that one counts.
    private var (rateWindow, rateMax): (Int64, Int) = (0, 0)

    var all: [RiskRule] { general + own.values.flatMap(\.self) }

    init() {}

    mutating func add(_ rule: RiskRule) {
        if let account = rule.account { own[account, default: []].append(rule) } else { general.append(rule) }
        if case .orderRate(let max, let seconds) = rule.limit {
            (rateWindow, rateMax) = (Swift.max(rateWindow, seconds * 1_000_000), Swift.max(rateMax, max))
        }
    }

    mutating func remove(_ id: ID<RiskRule>) {
        general.removeAll { $0.id == id }
        for account in Array(own.keys) {
            own[account]?.removeAll { $0.id == id }
            if own[account]?.isEmpty == true { own[account] = nil }
        }
    }

    /// What an order of an account is held against.
    ///
    /// Of each type the account's own rules if it has any, else the general ones. Kill switches add up.
    func rules(for account: ID<TradingAccount>, in market: Int) -> [RiskRule] {
        func applies(_ rule: RiskRule) -> Bool { rule.market == nil || rule.market == market }
        guard let mine = own[account]?.filter(applies) else { return general.filter(applies) }
        let replaced = Set(mine.map(\.type)).subtracting(["kill_switch"])
        return mine + general.filter { applies($0) && !replaced.contains($0.type) }
    }

    /// Orders of an account since an instant, as far as they are remembered.
    func count(of account: ID<TradingAccount>, since instant: Int64) -> Int {
        let times = recent[account] ?? []
        return times.count - (times.firstIndex { $0 > instant } ?? times.count)
    }

    /// Remembers an order, if a rule counts orders.
    mutating func note(_ account: ID<TradingAccount>, at now: Int64) {
        guard rateMax > 0 else { return }
        if recent.count >= RiskBook.countedMax { recent = [:] }
        recent[account, default: []].append(now)
        let times = recent[account] ?? []
        // Dropped in sets, so that it costs little for each.
        guard times.count >= 2 * rateMax || (times.first ?? now) <= now - 2 * rateWindow else { return }
        recent[account] = Array(times.filter { $0 > now - rateWindow }.suffix(rateMax))
    }

    /// Takes back what was remembered of an account's last orders, so many of them.
    mutating func takeBack(_ orders: Int, of account: ID<TradingAccount>) {
        guard let times = recent[account] else { return }
        recent[account] = times.dropLast(orders)
    }

    /// Takes back that a refusal was recorded.
    mutating func takeBack(recordOf rule: ID<RiskRule>, _ account: ID<TradingAccount>) {
        told[Told(account: account, rule: rule)] = nil
    }

    /// Whether a refusal is to be recorded: once in so many microseconds for each account and rule.
    mutating func records(
        _ rule: ID<RiskRule>,
        _ account: ID<TradingAccount>,
        at now: Int64,
        every pause: Int64
    ) -> Bool {
        let key = Told(account: account, rule: rule)
        if let last = told[key], now - last < pause { return false }
        if told.count >= RiskBook.countedMax { told = [:] }
        told[key] = now
        return true
    }
}
