import HTTP
import Kernel

/// A rule that orders are held against before they reach a book; cancels always pass.
struct RiskRule: Sendable, Hashable, Entity {
    static let idPrefix = "rule"

    /// What it limits; amounts are minor units.
    enum Limit: Sendable, Hashable {
        /// Quantity of one order, in markets with that base asset.
        case orderQuantity(Asset, max: Int128)
        /// Value of one order, in markets with that quote asset.
        case orderNotional(Asset, max: Int128)
        /// What the account has of the asset, its open buys and the order together.
        case position(Asset, max: Int128)
        /// Open orders of the account, conditional ones included.
        case openOrders(max: Int)
        /// Orders of the account in any stretch of so many seconds.
        case orderRate(max: Int, seconds: Int64)
        /// What the account lost today by selling, in markets with that quote asset; days are UTC's.
        case dailyLoss(Asset, max: Int128)
        /// How much worse than the last price a limit price may be, in basis points of it.
        case priceCollar(basisPoints: Int64)
        /// Nothing is taken.
        case killSwitch
    }

    let id: ID<RiskRule>
    let name: String
    /// Only for that account; nil for all.
    let account: ID<TradingAccount>?
    /// Only in that market; nil for all.
    let market: Int?
    let limit: Limit

    /// The types' names, as in the database.
    static let types = [
        "order_quantity", "order_notional", "position", "open_orders", "order_rate", "daily_loss", "price_collar",
        "kill_switch",
    ]
    /// Orders that a rate can count: each is remembered for as long as the rate looks back.
    static let rateMax = 10_000

    var type: String {
        switch limit {
        case .orderQuantity: "order_quantity"
        case .orderNotional: "order_notional"
        case .position: "position"
        case .openOrders: "open_orders"
        case .orderRate: "order_rate"
        case .dailyLoss: "daily_loss"
        case .priceCollar: "price_collar"
        case .killSwitch: "kill_switch"
        }
    }
}

extension RiskRule {
    /// How serious it is that orders go against it: a size that is too large is a slip, orders of an account that is
    /// stopped are not.
    var level: RiskFinding.Level {
        switch limit {
        case .orderQuantity, .orderNotional, .openOrders, .priceCollar: .low
        case .position, .orderRate: .medium
        case .dailyLoss: .high
        case .killSwitch: .critical
        }
    }
}

extension RiskRule.Limit {
    /// Reads a type with its parameters: `{"asset": "USDC", "max": "1000"}`, `{"max": 10, "seconds": 1}`,
    /// `{"basis_points": 500}`.
    ///
    /// - Throws: 422 that says what is missing or wrong.
    init(_ type: String, _ parameters: JSON) throws(Problem) {
        func amount() throws(Problem) -> (Asset, Int128) {
            guard let asset = parameters["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
                throw Problem(422, "bad_parameters", "A rule \(type) needs an `asset`, such as \"USDC\".")
            }
            do { return (asset, try Money(wire: parameters["max"]?.stringValue ?? "", asset).minorUnits) } catch {
                throw Problem(422, "bad_parameters", "A rule \(type) needs a `max` in \(asset.code), such as \"1000\".")
            }
        }
        func count(_ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int {
            guard let number = parameters[name]?.integerValue, range.contains(number) else {
                let (low, high) = (range.lowerBound, range.upperBound)
                throw Problem(422, "bad_parameters", "A rule \(type) needs `\(name)` from \(low) to \(high).")
            }
            return number
        }
        switch type {
        case "order_quantity":
            let (asset, max) = try amount()
            self = .orderQuantity(asset, max: max)
        case "order_notional":
            let (asset, max) = try amount()
            self = .orderNotional(asset, max: max)
        case "position":
            let (asset, max) = try amount()
            self = .position(asset, max: max)
        case "daily_loss":
            let (asset, max) = try amount()
            self = .dailyLoss(asset, max: max)
        case "open_orders": self = .openOrders(max: try count("max", 0...1_000_000))
        case "order_rate":
            self = .orderRate(
                max: try count("max", 1...RiskRule.rateMax),
                seconds: Int64(try count("seconds", 1...3_600))
            )
        case "price_collar": self = .priceCollar(basisPoints: Int64(try count("basis_points", 0...1_000_000)))
        case "kill_switch": self = .killSwitch
        default:
            throw Problem(422, "unknown_rule_type", "Types of rules are: \(RiskRule.types.joined(separator: ", ")).")
        }
    }
}
