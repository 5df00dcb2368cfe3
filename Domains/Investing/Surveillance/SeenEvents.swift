import Kernel
import MatchingEngine

/// An order as surveillance sees it after a batch: prices in ticks, quantities in lots, instants in microseconds.
struct SeenOrder: Sendable, Hashable {
    let id: ID<Order>
    let account: ID<TradingAccount>
    let user: ID<User>
    let market: Int
    let side: Side
    /// The limit, or the bound of an order without one; nil for neither.
    let price: Int64?
    /// What was asked for; 0 where an amount sizes it.
    let quantity: Int64
    let traded: Int64
    /// When it ended; nil while it is open.
    let endedAt: Int64?
}

extension SeenOrder {
    init(_ order: Order, of user: ID<User>) {
        self.init(
            id: order.id,
            account: order.account,
            user: user,
            market: order.market,
            side: order.side,
            price: order.price ?? order.bound,
            quantity: order.quantity ?? 0,
            traded: order.traded,
            endedAt: order.endedAt?.microseconds
        )
    }
}

/// A trade as surveillance sees it.
struct SeenTrade: Sendable, Hashable {
    let market: Int
    let price: Int64
    let quantity: Int64
    let buyer: ID<TradingAccount>
    let seller: ID<TradingAccount>
}

extension SeenTrade {
    init(_ trade: TradeRecord) {
        let takerBuys = trade.takerSide == .buy
        self.init(
            market: trade.market,
            price: trade.price,
            quantity: trade.quantity,
            buyer: takerBuys ? trade.takerAccount : trade.makerAccount,
            seller: takerBuys ? trade.makerAccount : trade.takerAccount
        )
    }
}

/// What one committed batch did.
struct SeenBatch: Sendable {
    let at: Int64
    let orders: [SeenOrder]
    let trades: [SeenTrade]
}
