import DomainKit
import Kernel
import Ledger
import MatchingEngine

/// What the writer is asked to do.
///
/// Everything that moves money or orders in Investing is one of these.
indirect enum DeskItem: Sendable {
    /// An order.
    case place(OrderTicket, DeskRequest)
    /// An order that was refused before it came here: it counts as refused, unless it was placed before.
    case refuse(Problem, DeskRequest)
    /// What would be said of an order; nothing is done.
    case test(OrderTicket, DeskRequest)
    /// Two orders of which one cancels the other; they hold money together.
    case placePair(OrderTicket, OrderTicket, DeskRequest)
    /// The end of an order.
    case cancel(ID<Order>, DeskRequest)
    /// The end of what is open of a list.
    case cancelList(ID<OrderList>, DeskRequest)
    /// The end of all orders of the account, in one market or in all.
    case cancelAll(market: Int?, DeskRequest)
    /// The end of all orders of the account, unless it asks again within so many seconds; 0 for no such end.
    case cancelAfter(seconds: Int, DeskRequest)
    /// New terms for an order.
    case amend(ID<Order>, quantity: String?, price: String?, DeskRequest)
    /// The end of an order, and another one.
    case replace(ID<Order>, with: OrderTicket, ReplaceMode, DeskRequest)
    /// Another state of a market.
    case setState(market: Int, MarketState, reopensAt: Timestamp?, by: Initiator)
    /// Another reference price of a market, in ticks; nil for no band.
    case setReference(market: Int, price: Int64?, by: Initiator)
    /// A cost for what came from elsewhere.
    case stateCost(StatedCost, DeskRequest)
    /// Something put into a portfolio or taken out of it, or its end.
    case portfolio(PortfolioCommand, DeskRequest)
    /// Money moved between two accounts of one user.
    case move(AccountMove, DeskRequest)
    /// Any other movement on the accounts.
    case ledger(LedgerItem)
    /// What an operator asks for; the answer is stored.
    case operate(OperatorCommand)
    /// A look at a book.
    case depth(market: Int, limit: Int)
    /// Time passes: what is due ends, and halts that end by themselves do.
    case tick

    /// The client's key, if it came with one.
    var key: IdempotencyKey? {
        switch self {
        case .ledger(let item): item.idempotency
        default: request?.key
        }
    }

    /// Who asks, where a client does.
    var request: DeskRequest? {
        switch self {
        case .place(_, let request), .refuse(_, let request), .test(_, let request), .placePair(_, _, let request),
            .cancel(_, let request), .cancelList(_, let request), .cancelAll(_, let request),
            .cancelAfter(_, let request), .amend(_, _, _, let request), .replace(_, _, _, let request),
            .stateCost(_, let request), .portfolio(_, let request), .move(_, let request):
            request
        case .ledger, .setState, .setReference, .operate, .depth, .tick: nil
        }
    }
}

/// Who asks, for which account, under which key.
struct DeskRequest: Sendable {
    let account: TradingAccount
    let initiator: Initiator
    let key: IdempotencyKey?
    /// The request's id, for the problem documents that are kept.
    let id: UInt128
}

/// What an owner says that a holding cost.
struct StatedCost: Sendable {
    /// The market's number.
    let market: Int
    let lots: Int64
    /// Minor units of the quote asset, for all of them.
    let cost: Int128
    /// The account's balance in the base asset.
    let base: ID<LedgerAccount>
}

/// An order that was read and checked as far as that goes without the book and the balances.
struct OrderTicket: Sendable {
    let order: Order
    /// Digests what makes two requests with the same client's id the same.
    let request: UInt128
    /// The account's balances in the market's assets.
    let base: ID<LedgerAccount>
    let quote: ID<LedgerAccount>
    /// Where its fees go.
    let income: ID<LedgerAccount>
}

/// What became of an item.
enum DeskOutcome: Sendable {
    /// The answer to the client, kept under its key.
    case answer(StoredAnswer)
    /// An earlier request with the same key was answered so.
    case replayed(StoredAnswer)
    /// The key was used with another request.
    case keyReused
    /// What the ledger did.
    case ledger(LedgerOutcome)
    /// A look at a book.
    case depth(DepthView)
    /// It is done.
    case done
}

/// The best levels of a book, as of a batch that is committed.
struct DepthView: Sendable {
    let market: Market
    let status: MarketStatus
    let bids: [DepthLevel]
    let asks: [DepthLevel]
    /// Batches that the market took part in: the number of the `depth` channel's update.
    let sequence: Int64
}
