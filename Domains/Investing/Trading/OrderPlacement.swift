import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

/// Places market orders for the program itself, by the same way as clients' orders, and says what became of them.
///
/// Each has a client's id of its own, which is its key too: placing it again, by another process at the same time,
/// places nothing more and gives the first answer, a refusal as well. Such an id is remembered for a day only, so
/// whoever goes on with what was begun earlier looks for the order itself first.
struct OrderPlacement: Sendable {
    /// How far apart the clocks of processes and of the database may be.
    private static let skewSeconds: Int64 = 600

    let desk: any DeskQueue
    let reader: OrderReader
    let schema: Schema
    let pool: Pool

    /// What became of an order.
    enum Outcome: Sendable, Hashable {
        /// All of it traded.
        case filled(ID<Order>)
        /// Some of it traded; why not the rest.
        case partial(ID<Order>, reason: String?)
        /// Nothing of it traded, and why.
        case unfilled(ID<Order>, reason: String?)
        /// It never reached the book: the problem's code.
        case refused(String)
    }

    /// A market order.
    struct Wanted: Sendable {
        let clientID: String
        let side: Side
        /// Lots, for a sale.
        let lots: Int64?
        /// Minor units of the quote asset that are spent at most, for a purchase.
        let amount: Int128?
        /// The worst price in ticks.
        let bound: Int64
        /// Whether all of it trades or nothing.
        let isWhole: Bool
    }

    /// What became of an order that may have been placed since an instant; nil if it wasn't.
    func find(_ wanted: Wanted, of account: TradingAccount, since: Timestamp) async throws -> Outcome? {
        let lowest = Klines.lowestID(since.adding(seconds: -OrderPlacement.skewSeconds))
        let rows = try await pool.query(
            """
            select \(OrderRow.columns) from \(schema).orders o
            where o.account = \(account.id) and o.id >= \(lowest) and o.client_order_id = \(wanted.clientID)
            """
        )
        guard let order = try rows.first.map(OrderRow.read) else { return nil }
        return OrderPlacement.outcome(order.id, order.status, hasTraded: order.traded > 0, order.reason)
    }

    /// Places an order, unless that may have been done since an instant and was.
    ///
    /// - Throws: what keeps it from being decided, as `WriterElsewhere`; it may then have been placed, or not.
    func place(
        _ wanted: Wanted,
        of account: TradingAccount,
        in stored: StoredMarket,
        by initiator: Initiator,
        since: Timestamp? = nil
    ) async throws -> Outcome {
        if let since, let earlier = try await find(wanted, of: account, since: since) { return earlier }
        let market = stored.market
        var members: [JSON.Member] = [
            .init("side", .string(wanted.side.name)), .init("type", "market"),
            .init("time_in_force", wanted.isWhole ? "fok" : "ioc"),
            .init("client_order_id", .string(wanted.clientID)),
        ]
        if let lots = wanted.lots { members.append(.init("quantity", .string(market.wire(lots: lots)))) }
        if let amount = wanted.amount { members.append(.init("quote_amount", .string(market.wire(quote: amount)))) }
        let request = DeskRequest(
            account: account,
            initiator: initiator,
            key: OrderPlacement.key(wanted, of: account),
            id: initiator.correlation
        )
        let item: DeskItem
        do {
            let ticket = try await reader.ticket(.object(members), of: account, in: stored, bound: wanted.bound)
            item = .place(ticket, request)
        } catch let problem as Problem where problem.status < 500 {
            // The desk has the word on this too: somebody else may have placed it, or may be about to.
            item = .refuse(problem, request)
        }
        let response = try await desk.answer(item)
        let body = try JSON.parse(response.encodedBody()?.bytes ?? [])
        guard response.status == 201 else { return .refused(body["code"]?.stringValue ?? "order_refused") }
        return try OrderPlacement.outcome(body)
    }

    // Whoever asks first says what is placed: the key stands for the order and not for its terms.
    private static func key(_ wanted: Wanted, of account: TradingAccount) -> IdempotencyKey {
        IdempotencyKey(principal: account.id.wire, method: "", path: "", key: wanted.clientID, body: [])
    }

    private static func outcome(_ order: JSON) throws -> Outcome {
        guard let id = order["id"]?.stringValue.flatMap({ ID<Order>(wire: $0) }) else {
            throw InvestingFault.missing("the id of an order that was placed")
        }
        guard let status = order["status"]?.stringValue.flatMap({ Order.Status(rawValue: $0) }) else {
            throw InvestingFault.unknownName(table: "orders")
        }
        let hasTraded = order["filled_quantity"]?.stringValue?.contains { ("1"..."9").contains($0) } ?? false
        return outcome(id, status, hasTraded: hasTraded, order["reason"]?.stringValue)
    }

    private static func outcome(
        _ id: ID<Order>,
        _ status: Order.Status,
        hasTraded: Bool,
        _ reason: String?
    ) -> Outcome {
        if status == .filled { return .filled(id) }
        return hasTraded ? .partial(id, reason: reason) : .unfilled(id, reason: reason)
    }
}
