import DomainKit
import HTTP
import Kernel
import MatchingEngine

/// Places market orders for the program itself, by the same way as clients' orders, and says what became of them.
///
/// Each has a client's id of its own: placing it again, after a crash or by another process, places nothing more.
struct OrderPlacement: Sendable {
    let desk: any DeskQueue
    let reader: OrderReader

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

    /// Places an order.
    ///
    /// - Throws: what keeps it from being decided, as `WriterElsewhere`; it may then have been placed, or not.
    func place(
        _ wanted: Wanted,
        of account: TradingAccount,
        in stored: StoredMarket,
        by initiator: Initiator
    ) async throws -> Outcome {
        let market = stored.market
        var members: [JSON.Member] = [
            .init("side", .string(wanted.side.name)), .init("type", "market"),
            .init("time_in_force", wanted.isWhole ? "fok" : "ioc"),
            .init("client_order_id", .string(wanted.clientID)),
        ]
        if let lots = wanted.lots { members.append(.init("quantity", .string(market.wire(lots: lots)))) }
        if let amount = wanted.amount { members.append(.init("quote_amount", .string(market.wire(quote: amount)))) }
        let ticket: OrderTicket
        do {
            ticket = try await reader.ticket(.object(members), of: account, in: stored, bound: wanted.bound)
        } catch let problem as Problem where problem.status < 500 {
            return .refused(problem.code)
        }
        let request = DeskRequest(account: account, initiator: initiator, key: nil, id: initiator.correlation)
        let response = try await desk.answer(.place(ticket, request))
        let body = try JSON.parse(response.encodedBody()?.bytes ?? [])
        guard response.status == 201 else { return .refused(body["code"]?.stringValue ?? "order_refused") }
        return try OrderPlacement.outcome(body)
    }

    private static func outcome(_ order: JSON) throws -> Outcome {
        guard let id = order["id"]?.stringValue.flatMap({ ID<Order>(wire: $0) }) else {
            throw InvestingFault.missing("the id of an order that was placed")
        }
        if order["status"]?.stringValue == Order.Status.filled.rawValue { return .filled(id) }
        let reason = order["reason"]?.stringValue
        let hasTraded = order["filled_quantity"]?.stringValue?.contains { ("1"..."9").contains($0) } ?? false
        return hasTraded ? .partial(id, reason: reason) : .unfilled(id, reason: reason)
    }
}
