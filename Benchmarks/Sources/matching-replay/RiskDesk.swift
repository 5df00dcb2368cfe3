import MatchingEngine

/// What the sequencer keeps in memory beside the books: what accounts hold, limits before the book, fees after it.
///
/// Its limits are wide enough that no file breaks them, so that the trades are the engine's.
final class RiskDesk {
    private struct Account {
        var quoteReserved: Int64 = 0
        var baseReserved: Int64 = 0
        var position: Int64 = 0
        var openOrders: Int64 = 0
    }

    /// What an order has traded and paid: a fee is that on all fills so far less what was charged.
    private struct Charged {
        var notional: Int64 = 0
        var fee: Int64 = 0
    }

    private static let makerBasisPoints: Int64 = 10
    private static let takerBasisPoints: Int64 = 15
    private static let openOrdersMax: Int64 = 1 << 40
    private static let positionMax = Int64.max / 4

    private let accounts: UnsafeMutablePointer<Account>
    private let charged: UnsafeMutablePointer<Charged>
    private var incomeWords: Int64 = 0

    init(maxID: UInt64) {
        accounts = .allocate(capacity: 1 << 16)
        accounts.initialize(repeating: Account(), count: 1 << 16)
        charged = .allocate(capacity: Int(maxID) + 1)
        charged.initialize(repeating: Charged(), count: Int(maxID) + 1)
    }

    deinit {
        accounts.deallocate()
        charged.deallocate()
    }

    var income: Int128 { Int128(incomeWords) }

    /// Whether an order may go to its book.
    @inline(__always)
    func admits(_ operation: Operation) -> Bool {
        let account = accounts[Int(operation.owner)]
        let position = operation.side == 0 ? account.position : 0 &- account.position
        return account.openOrders < RiskDesk.openOrdersMax && position < RiskDesk.positionMax
    }

    /// Books an event.
    @inline(__always)
    func note(_ event: Event) {
        switch event {
        case .trade(let trade): note(trade)
        case .rested(let order): reserve(order.owner, order.side, order.price, order.remaining, 1)
        case .cancelled(let order):
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
    private func note(_ trade: Trade) {
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
        incomeWords &+= charge(trade.taker, notional, RiskDesk.takerBasisPoints)
        incomeWords &+= charge(trade.maker, notional, RiskDesk.makerBasisPoints)
    }

    @inline(__always)
    private func charge(_ order: UInt64, _ notional: Int64, _ basisPoints: Int64) -> Int64 {
        let entry = charged + Int(order)
        entry.pointee.notional &+= notional
        let fee = RiskDesk.fee(entry.pointee.notional, basisPoints)
        defer { entry.pointee.fee = fee }
        return fee &- entry.pointee.fee
    }

    /// Rounded half to even.
    @inline(__always)
    private static func fee(_ notional: Int64, _ basisPoints: Int64) -> Int64 {
        let (product, isOver) = notional.multipliedReportingOverflow(by: basisPoints)
        guard !isOver else { return notional / 10_000 &* basisPoints }
        let (quotient, rest) = product.quotientAndRemainder(dividingBy: 10_000)
        if rest > 5000 || (rest == 5000 && quotient & 1 == 1) { return quotient &+ 1 }
        return quotient
    }
}
