import MatchingEngine
import Testing

/// A book that tests speak to in short words.
struct Market {
    var book: any MatchingBook
    var instant: Int64 = 0

    init(
        _ implementation: Implementation,
        filters: MarketFilters = MarketFilters(),
        breaker: CircuitBreaker? = nil
    ) {
        book = implementation.book(filters: filters, breaker: breaker)
    }

    /// Carries a command out and answers its events.
    @discardableResult
    mutating func apply(_ command: Command) -> [Event] {
        book.apply(command, at: instant)
        return book.drain()
    }

    @discardableResult
    mutating func place(_ order: NewOrder) -> [Event] { apply(.place(order)) }

    /// Places limit orders of owners of their own: number, side, price, quantity.
    mutating func rest(_ orders: (UInt64, Side, Int64, Int64)...) {
        for (number, side, price, quantity) in orders {
            place(.limit(number, side, price, quantity, owner: UInt32(100 + number)))
        }
    }

    /// The orders in the book and those that wait: number and what remains, by priority.
    var open: [String] { book.snapshot.orders.map { "\($0.number):\($0.remaining)" } }

    func order(_ number: UInt64) -> OpenOrder? { book.snapshot.orders.first { $0.number == number } }
}

extension NewOrder {
    static func limit(
        _ number: UInt64,
        _ side: Side,
        _ price: Int64,
        _ quantity: Int64,
        _ timeInForce: TimeInForce = .gtc,
        owner: UInt32 = 1,
        postOnly: Bool = false,
        mode: SelfTradePrevention = .none,
        until: Int64 = 0
    ) -> NewOrder {
        NewOrder(
            number: number,
            owner: owner,
            side: side,
            timeInForce: timeInForce,
            isPostOnly: postOnly,
            selfTradePrevention: mode,
            price: price,
            quantity: quantity,
            expiresAt: until
        )
    }

    static func market(
        _ number: UInt64,
        _ side: Side,
        _ quantity: Int64 = 0,
        quote: Int128 = 0,
        bound: Int64? = nil,
        _ timeInForce: TimeInForce = .ioc,
        owner: UInt32 = 1,
        mode: SelfTradePrevention = .none
    ) -> NewOrder {
        NewOrder(
            number: number,
            owner: owner,
            side: side,
            type: .market,
            timeInForce: timeInForce,
            selfTradePrevention: mode,
            price: bound,
            quantity: quantity,
            quoteAmount: quote
        )
    }

    static func conditional(
        _ type: OrderType,
        _ number: UInt64,
        _ side: Side,
        at stop: Int64,
        _ quantity: Int64,
        price: Int64? = nil,
        _ timeInForce: TimeInForce = .gtc,
        owner: UInt32 = 1
    ) -> NewOrder {
        NewOrder(
            number: number,
            owner: owner,
            side: side,
            type: type,
            timeInForce: timeInForce,
            price: price,
            stopPrice: stop,
            quantity: quantity
        )
    }
}

extension [Event] {
    /// The trades: maker, price and quantity.
    var trades: [String] {
        compactMap { if case .trade(let trade) = $0 { "\(trade.maker)@\(trade.price)x\(trade.quantity)" } else { nil } }
    }

    /// The orders that ended unfilled, and why.
    var ends: [String] {
        compactMap { if case .cancelled(let end) = $0 { "\(end.order) \(end.reason) \(end.remaining)" } else { nil } }
    }

    var triggered: [UInt64] {
        compactMap { if case .triggered(let order) = $0 { order.order } else { nil } }
    }

    var rejections: [Rejection] {
        compactMap { if case .rejected(let rejection) = $0 { rejection } else { nil } }
    }

    var states: [MarketState] {
        compactMap { if case .stateChanged(let change) = $0 { change.to } else { nil } }
    }
}
