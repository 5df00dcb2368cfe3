import MatchingEngine

/// The baseline: objects for orders and levels, dictionaries and sorted arrays, as one writes it at first.
final class PlainEngine: Engine {
    static let name = "baseline"
    private let books: [PlainBook]

    init(_ workload: Workload) { books = (0..<workload.symbols).map { _ in PlainBook() } }

    func apply(_ operation: Operation) { books[Int(operation.symbol)].apply(operation) }

    var trades: UInt64 { books.reduce(0) { $0 + $1.trades } }
    var live: Int { books.reduce(0) { $0 + $1.orders.count } }
}

/// An order of the baseline.
final class PlainOrder {
    let id: UInt64
    let owner: UInt16
    let isBuy: Bool
    let operation: Operation
    var price: Int64
    var remaining: Int64
    var traded: Int64 = 0

    init(_ operation: Operation) {
        (id, owner, isBuy) = (operation.id, operation.owner, operation.side == 0)
        (self.operation, price, remaining) = (operation, operation.price, operation.quantity)
    }
}

/// A level of the baseline.
final class PlainLevel {
    var orders: [PlainOrder] = []
}

/// A book of the baseline.
final class PlainBook {
    private(set) var orders: [UInt64: PlainOrder] = [:]
    private(set) var trades: UInt64 = 0
    private var bids: [Int64: PlainLevel] = [:]
    private var asks: [Int64: PlainLevel] = [:]
    /// Rising: the best is the last of the bids and the first of the asks.
    private var bidPrices: [Int64] = []
    private var askPrices: [Int64] = []

    func apply(_ operation: Operation) {
        switch operation.kind {
        case .limit, .market:
            if orders[operation.id] == nil { place(PlainOrder(operation), operation) }
        case .cancel: orders[operation.id].map(remove)
        case .amend: orders[operation.id].map { amend($0, operation) }
        }
    }

    private func place(_ order: PlainOrder, _ operation: Operation) {
        let isMarket = operation.kind == .market
        if operation.isPostOnly && (isMarket || operation.timeInForce != 0 || crosses(order)) { return }
        if operation.timeInForce == 2 && !canFill(order, isMarket) { return }
        let isOver = take(order, isMarket)
        if order.remaining > 0 && !isOver && !isMarket && operation.timeInForce == 0 { rest(order) }
    }

    private func amend(_ order: PlainOrder, _ operation: Operation) {
        let remaining = operation.quantity - order.traded
        if remaining <= 0 { return remove(order) }
        if operation.price == order.price && remaining <= order.remaining {
            order.remaining = remaining
            return
        }
        let old = order.price
        order.price = operation.price
        let wouldTake = order.operation.isPostOnly && crosses(order)
        order.price = old
        if wouldTake { return }
        remove(order)
        (order.price, order.remaining) = (operation.price, remaining)
        let isOver = take(order, false)
        if order.remaining > 0 && !isOver { rest(order) }
    }

    private func best(against order: PlainOrder) -> Int64? { order.isBuy ? askPrices.first : bidPrices.last }

    private func crosses(_ order: PlainOrder) -> Bool {
        guard let best = best(against: order) else { return false }
        return order.isBuy ? best <= order.price : best >= order.price
    }

    private func canFill(_ order: PlainOrder, _ isMarket: Bool) -> Bool {
        var remaining = order.remaining
        let prices = order.isBuy ? askPrices : bidPrices.reversed()
        for price in prices where isMarket || (order.isBuy ? price <= order.price : price >= order.price) {
            for maker in (order.isBuy ? asks : bids)[price]?.orders ?? [] {
                if maker.owner == order.owner && order.operation.mode != .none {
                    if order.operation.mode == .expireMaker { continue }
                    return false
                }
                remaining -= maker.remaining
                if remaining <= 0 { return true }
            }
        }
        return false
    }

    /// Trades; answers whether self-trade prevention ended the taker.
    private func take(_ order: PlainOrder, _ isMarket: Bool) -> Bool {
        while order.remaining > 0, let price = best(against: order), isMarket || crosses(order),
            let maker = (order.isBuy ? asks : bids)[price]?.orders.first
        {
            let quantity = min(order.remaining, maker.remaining)
            if maker.owner == order.owner && order.operation.mode != .none {
                if prevent(order, maker, quantity) { return true }
                continue
            }
            order.remaining -= quantity
            maker.remaining -= quantity
            order.traded += quantity
            maker.traded += quantity
            trades += 1
            if maker.remaining == 0 { remove(maker) }
        }
        return false
    }

    private func prevent(_ order: PlainOrder, _ maker: PlainOrder, _ quantity: Int64) -> Bool {
        switch order.operation.mode {
        case .none, .expireTaker: return true
        case .expireMaker, .expireBoth:
            remove(maker)
            return order.operation.mode == .expireBoth
        case .decrement:
            order.remaining -= quantity
            maker.remaining -= quantity
            if maker.remaining == 0 { remove(maker) }
            return order.remaining == 0
        }
    }

    private func rest(_ order: PlainOrder) {
        orders[order.id] = order
        if let level = (order.isBuy ? bids : asks)[order.price] {
            level.orders.append(order)
            return
        }
        let level = PlainLevel()
        level.orders.append(order)
        if order.isBuy {
            bids[order.price] = level
            bidPrices.insert(order.price, at: position(of: order.price, in: bidPrices))
        } else {
            asks[order.price] = level
            askPrices.insert(order.price, at: position(of: order.price, in: askPrices))
        }
    }

    private func remove(_ order: PlainOrder) {
        orders[order.id] = nil
        guard let level = (order.isBuy ? bids : asks)[order.price] else { return }
        level.orders.removeAll { $0 === order }
        guard level.orders.isEmpty else { return }
        if order.isBuy {
            bids[order.price] = nil
            bidPrices.remove(at: position(of: order.price, in: bidPrices))
        } else {
            asks[order.price] = nil
            askPrices.remove(at: position(of: order.price, in: askPrices))
        }
    }

    private func position(of price: Int64, in prices: [Int64]) -> Int {
        var (low, high) = (0, prices.count)
        while low < high {
            let middle = (low + high) / 2
            if prices[middle] < price { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
