import Kernel
import Ledger
import MatchingEngine

/// An order as it is stored and shown.
///
/// Prices are in ticks, quantities in lots of its market.
struct Order: Sendable, Entity {
    static let idPrefix = "ord"

    enum Status: String, Sendable, CaseIterable {
        case new
        case partiallyFilled = "partially_filled"
        case filled
        case canceled
        case expired
        /// Ended by self-trade prevention.
        case expiredInMatch = "expired_in_match"

        var isOpen: Bool { self == .new || self == .partiallyFilled }
    }

    let id: ID<Order>
    let account: ID<TradingAccount>
    let market: Int
    let clientID: String?
    /// The list that it is a leg of.
    let list: ID<OrderList>?
    let side: Side
    let type: OrderType
    let timeInForce: TimeInForce
    let isPostOnly: Bool
    let selfTradePrevention: SelfTradePrevention
    /// What was promised about fees when it was placed.
    let rates: TradingRates
    /// The limit price; nil for types without one.
    var price: Int64?
    /// The worst price that a type without a limit may trade at.
    let bound: Int64?
    let stopPrice: Int64?
    /// The total; nil where a quote amount sizes it.
    var quantity: Int64?
    /// Minor units of the quote asset, fees included for a buy.
    let quoteAmount: Int128?
    let expiresAt: Timestamp?
    var reservation: ID<Reservation>
    let replaces: ID<Order>?
    let createdAt: Timestamp

    var status = Status.new
    var isTriggered = false
    /// Why it ended, where it wasn't filled.
    var reason: String?
    var remaining: Int64
    var traded: Int64 = 0
    /// Minor units of the quote asset.
    var quoteTraded: Int128 = 0
    var fee = FillFee()
    /// By which the matching engine knows it; those taken in later have larger ones.
    var number: Int64 = 0
    var priority: Int64 = 0
    var replacedBy: ID<Order>?
    var version: Int64 = 0
    var updatedAt: Timestamp
    var endedAt: Timestamp?

    /// Lots that self-trade prevention or the other leg took off.
    var prevented: Int64 { quantity.map { status.isOpen ? $0 - traded - remaining : 0 } ?? 0 }

    /// Where the order is as the engine wants it restored.
    func open(number: UInt64, owner: UInt32, otherLeg: UInt64?) -> OpenOrder {
        let waits = type.isConditional && !isTriggered
        return OpenOrder(
            number: number,
            owner: owner,
            side: side,
            type: waits ? type : .limit,
            timeInForce: timeInForce,
            isPostOnly: isPostOnly,
            selfTradePrevention: selfTradePrevention,
            state: waits ? .waiting : .resting,
            price: price ?? bound,
            stopPrice: waits ? stopPrice : nil,
            quantity: quantity ?? 0,
            remaining: remaining,
            traded: traded,
            expiresAt: expiresAt?.microseconds ?? 0,
            otherLeg: otherLeg
        )
    }
}

/// Two orders of which one cancels the other.
enum OrderList: Entity {
    static let idPrefix = "olist"
}

/// The fee of an order's fills: the rounded fee on all of them so far, less what was charged of it before.
struct FillFee: Sendable, Hashable {
    /// Billionths of a minor unit of the quote asset.
    private(set) var accrued: Int128
    /// Minor units; below zero once rebates outweigh.
    private(set) var charged: Int128

    /// As stored; before the first fill unless more is said.
    init(accrued: Int128 = 0, charged: Int128 = 0) { (self.accrued, self.charged) = (accrued, charged) }

    /// What a fill is charged; below zero it is a rebate.
    mutating func charge(_ quote: Int128, partsPerBillion: Int64) -> Int128 {
        accrued += quote * Int128(partsPerBillion)
        let due = FillFee.rounded(accrued)
        defer { charged = due }
        return due - charged
    }

    /// What more may be charged if that much trades at a rate.
    func most(_ quote: Int128, partsPerBillion: Int64) -> Int128 {
        max(0, FillFee.rounded(accrued + quote * Int128(partsPerBillion)) - charged)
    }

    /// Half-even, to whole minor units.
    static func rounded(_ billionths: Int128) -> Int128 {
        let unit: Int128 = 1_000_000_000
        var (whole, part) = billionths.magnitude.quotientAndRemainder(dividingBy: UInt128(unit))
        if part * 2 > UInt128(unit) || (part * 2 == UInt128(unit) && whole % 2 == 1) { whole += 1 }
        return billionths < 0 ? -Int128(whole) : Int128(whole)
    }
}

/// What a maker and a taker pay, in parts per billion of what is traded, and by which versions of the fee schedules.
struct TradingRates: Sendable, Hashable {
    /// Below zero it is a rebate.
    let maker: Int64
    let taker: Int64
    /// The schedules and rules, for whoever recomputes it.
    let schedules: JSON

    /// The rules that a fee comes from, each with the version of its schedule: `trade_maker@1+trade_rebate@2`; nil
    /// where no schedule says anything.
    func rule(isTaker: Bool) -> String? {
        let parts = (schedules.elements ?? []).compactMap { schedule -> String? in
            let isTakers = schedule["operation"]?.stringValue == RateBook.operations[1]
            guard isTakers == isTaker, let version = schedule["version"]?.integerValue else { return nil }
            let rules = (schedule["rules"]?.elements ?? []).compactMap(\.stringValue)
            return (rules.isEmpty ? ["free"] : rules).map { "\($0)@\(version)" }.joined(separator: "+")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "+")
    }

    /// The higher of both, which reservations are made for.
    var highest: Int64 { max(maker, taker, 0) }
}
