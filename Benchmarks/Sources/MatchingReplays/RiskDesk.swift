import MatchingEngine

/// What the sequencer keeps in memory beside the books: what accounts hold, limits before the book, fees after it.
///
/// Its limits are wide enough that no file breaks them, so that the trades are the engine's.
struct RiskDesk: ~Copyable {
    private struct Account {
        var quoteReserved: Int64 = 0
        var baseReserved: Int64 = 0
        var position: Int64 = 0
        var openOrders: Int64 = 0
    }

    private static let makerBasisPoints: Int64 = 10
    private static let takerBasisPoints: Int64 = 15
    private static let openOrdersMax: Int64 = 1 << 40
    private static let positionMax = Int64.max / 4

    private let accounts: UnsafeMutablePointer<Account>
    private var charges = Charges()
    /// The order that trades as a taker, and what it was charged for.
    private var taker: UInt64 = 0
    private var takerCharge = Charge()
    private(set) var income: Int64 = 0

    init() {
        accounts = .allocate(capacity: 1 << 16)
        accounts.initialize(repeating: Account(), count: 1 << 16)
    }

    deinit { accounts.deallocate() }

    /// Whether an order may go to its book.
    @inline(__always)
    func admits(_ operation: Operation) -> Bool {
        let account = accounts[Int(operation.owner)]
        let position = operation.side == 0 ? account.position : 0 &- account.position
        return account.openOrders < RiskDesk.openOrdersMax && position < RiskDesk.positionMax
    }

    /// Books an event.
    @inline(__always)
    mutating func note(_ event: Event) {
        switch event {
        case .trade(let trade): note(trade)
        case .rested(let order):
            reserve(order.owner, order.side, order.price, order.remaining, 1)
            if order.order == taker { charges[taker] = takerCharge }
        case .cancelled(let order):
            if order.traded > 0 { charges.remove(order.order) }
            if order.reason.rawValue <= CancelReason.amendedAway.rawValue {
                reserve(order.owner, order.side, order.price, 0 &- order.remaining, -1)
            }
        case .amended(let order):
            let side = order.side
            reserve(order.owner, side, order.oldPrice, 0 &- order.oldRemaining, order.keptPriority ? 0 : -1)
            if order.keptPriority { reserve(order.owner, side, order.price, order.remaining, 0) }
        case .prevented(let met):
            if met.mode == .decrement {
                reserve(met.owner, met.takerSide.opposite, met.price, 0 &- met.quantity, 0)
            }
        default: break
        }
    }

    @inline(__always)
    private func reserve(_ owner: UInt32, _ side: Side, _ price: Int64, _ quantity: Int64, _ orders: Int64) {
        let account = accounts + Int(owner & 0xFFFF)
        account.pointee.openOrders &+= orders
        if side == .buy {
            account.pointee.quoteReserved &+= price &* quantity
        } else {
            account.pointee.baseReserved &+= quantity
        }
    }

    @inline(__always)
    private mutating func note(_ trade: Trade) {
        reserve(
            trade.makerOwner,
            trade.takerSide.opposite,
            trade.price,
            0 &- trade.quantity,
            trade.isMakerDone ? -1 : 0
        )
        let bought = trade.takerSide == .buy ? trade.quantity : 0 &- trade.quantity
        accounts[Int(trade.takerOwner & 0xFFFF)].position &+= bought
        accounts[Int(trade.makerOwner & 0xFFFF)].position &-= bought
        let notional = trade.price &* trade.quantity
        if trade.taker != taker {
            // One that was amended has traded before.
            let isFirst = trade.takerTraded == trade.quantity
            (taker, takerCharge) = (trade.taker, isFirst ? Charge() : charges[trade.taker])
        }
        income &+= takerCharge.add(notional, RiskDesk.takerBasisPoints)
        var makerCharge = trade.makerTraded == trade.quantity ? Charge() : charges[trade.maker]
        income &+= makerCharge.add(notional, RiskDesk.makerBasisPoints)
        if !trade.isMakerDone {
            charges[trade.maker] = makerCharge
        } else if trade.makerTraded != trade.quantity {
            charges.remove(trade.maker)
        }
    }
}
