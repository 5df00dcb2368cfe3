import HTTP
import Kernel
import MatchingEngine
import PostgreSQL

/// One rebalancing of a portfolio: why, what was planned, and what became of each order.
struct Rebalance: Sendable, Entity {
    static let idPrefix = "reb"

    /// Why it was started.
    enum Cause: String, Sendable, CaseIterable {
        case manual, schedule, drift
    }

    enum Status: String, Sendable, CaseIterable {
        /// Its orders are being placed, one after the other.
        case running
        /// Everything that was planned has traded; or everything was within its band and nothing was planned.
        case completed
        /// Something has traded, and something that was planned hasn't.
        case partial
        /// Nothing has traded of what was planned.
        case failed
    }

    /// An order of it.
    struct Step: Sendable {
        enum Status: String, Sendable, CaseIterable {
            case planned
            /// Its order is on the way; the amount is fixed.
            case placing
            case filled, partial, unfilled
            /// It never reached the book.
            case refused
            /// The sales before it brought too little.
            case skipped

            var isOver: Bool { self != .planned && self != .placing }
        }

        /// Its place in the order in which they are placed, from 1.
        let place: Int
        let market: Market
        let side: Side
        /// Lots to sell; nil for a purchase.
        let lots: Int64?
        /// Minor units of the cash: what a sale is worth, or what a purchase may cost with its fee.
        var amount: Int128
        /// The worst price in ticks.
        let bound: Int64
        var status: Status
        let order: ID<Order>?
        let reason: String?
    }

    let id: ID<Rebalance>
    let portfolio: ID<Portfolio>
    let cause: Cause
    let status: Status
    /// What the portfolio was worth, in minor units of its cash.
    let value: Int128
    /// Basis points in the wrong place.
    let driftBefore: Int
    let driftAfter: Int?
    /// Minor units of cash that purchases leave.
    let cashKept: Int128
    let createdAt: Timestamp
    let endedAt: Timestamp?
    let steps: [Step]

    /// What it ends as when all its orders are over.
    var outcome: Status {
        if steps.allSatisfy({ $0.status == .filled }) { return .completed }
        return steps.contains { $0.status == .filled || $0.status == .partial } ? .partial : .failed
    }
}

extension Rebalance {
    func json(_ cash: Asset) -> JSON {
        func money(_ value: Int128) -> JSON { .string(DecimalText.format(value, scale: cash.scale)) }
        return [
            "id": .string(id.wire), "portfolio": .string(portfolio.wire), "cause": .string(cause.rawValue),
            "status": .string(status.rawValue), "value": money(value), "drift_before": .integer(driftBefore),
            "drift_after": driftAfter.map { .integer($0) } ?? .null,
            "orders": .array(steps.map { $0.json(cash) }), "created_at": .string(createdAt.description),
            "ended_at": endedAt.map { .string($0.description) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Rebalance.self)), .required("portfolio", .id(of: Portfolio.self)),
            .required("cause", .oneOf(Cause.self), "Who or what started it."),
            .required("status", .oneOf(Status.self), "`completed` without orders: everything was in its band."),
            .required("value", .anyString, "What the portfolio was worth, in its cash."),
            .required("drift_before", .integer(0...Allocation.whole), "How much of it was in the wrong place."),
            .required("drift_after", .nullable(.integer(0...Allocation.whole))),
            .required("orders", .array(of: Step.schema, count: 0...Asset.all.count)),
            .required("created_at", .string(.instant)), .required("ended_at", .nullable(.string(.instant))),
        ],
        named: "Rebalance"
    )
}

extension Rebalance.Step {
    func json(_ cash: Asset) -> JSON {
        [
            "symbol": .string(market.symbol), "side": .string(side.name),
            "quantity": lots.map { .string(market.wire(lots: $0)) } ?? .null,
            "amount": .string(DecimalText.format(amount, scale: cash.scale)),
            "worst_price": .string(market.wire(price: bound)), "status": .string(status.rawValue),
            "order": order.map { .string($0.wire) } ?? .null, "reason": reason.map { .string($0) } ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("symbol", .anyString), .required("side", .oneOf(Side.names)),
            .required("quantity", .nullable(.anyString), "What is sold; a purchase is sized by its amount."),
            .required("amount", .anyString, "What a sale is worth, or what a purchase may cost with its fee."),
            .required("worst_price", .anyString), .required("status", .oneOf(Status.self)),
            .required("order", .nullable(.id(of: Order.self)), "The order, once it was placed."),
            .required("reason", .nullable(.anyString), "Why it didn't trade wholly."),
        ],
        named: "RebalanceOrder"
    )
}
