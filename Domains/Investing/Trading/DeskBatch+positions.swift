import HTTP
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

// What trades do to positions.
extension DeskBatch {
    /// Counts a trade in both accounts' positions, before its money moves.
    mutating func count(
        _ trade: TradeRecord,
        buyer: (order: DeskState.Live, fee: Int128),
        seller: (order: DeskState.Live, fee: Int128)
    ) {
        let lots = Int128(trade.quantity)
        change(buyer.order.order.account, trade.market, base: buyer.order.base) {
            $0.buy(lots, paying: trade.quoteAmount + buyer.fee)
        }
        change(seller.order.order.account, trade.market, base: seller.order.base) {
            $0.sell(lots, bringing: trade.quoteAmount - seller.fee)
        }
    }

    /// Gives what an account holds without a known cost one.
    ///
    /// - Throws: 422 `not_held` for more than it holds so.
    mutating func stateCost(_ stated: StatedCost, _ request: DeskRequest) throws(Problem) -> APIResponse {
        guard let market = state.floors[stated.market]?.market else { throw Problem.notFound }
        let account = request.account.id
        let free = (posted(stated.base) - costed(account, market.base)) / market.lot
        guard Int128(stated.lots) <= free else {
            let limit = DecimalText.format(max(0, free) * market.lot, scale: market.base.scale)
            throw OrderRefusal.filter("not_held", limit: limit, value: market.wire(lots: stated.lots), at: "/quantity")
        }
        let key = PositionKey(account: account, market: stated.market)
        change(account, stated.market, base: stated.base) { $0.state(Int128(stated.lots), cost: stated.cost) }
        let position = state.positions[key] ?? Position()
        audit(
            "position.cost_stated",
            of: "trading_account",
            account.value,
            request.initiator,
            [
                "symbol": .string(market.symbol), "quantity": .string(market.wire(lots: stated.lots)),
                "cost": .string(market.wire(quote: stated.cost)),
            ]
        )
        let holding = Holding(market: market, position: position, held: posted(stated.base), price: nil)
        return .ok(holding.json)
    }

    /// The rows of positions that the batch changed.
    var positionRows: [any StoredRow] {
        changedPositions.sorted().compactMap { key in
            guard var position = state.positions[key] else { return nil }
            position.version += 1
            state.positions[key] = position
            return PositionRow(key: key, position: position)
        }
    }

    mutating func change(
        _ account: ID<TradingAccount>,
        _ market: Int,
        base: ID<LedgerAccount>,
        _ body: (inout Position) -> Void
    ) {
        let key = PositionKey(account: account, market: market)
        var position = state.positions[key] ?? Position()
        // What was moved out of the account since is no part of the position any more.
        if position.quantity > 0, let market = state.floors[market]?.market {
            let excess = costed(account, market.base) - posted(base)
            if excess > 0 { position.withdraw((excess + market.lot - 1) / market.lot) }
        }
        body(&position)
        state.positions[key] = position
        changedPositions.insert(key)
    }

    /// Minor units of an asset that an account's positions hold, in all markets.
    private func costed(_ account: ID<TradingAccount>, _ asset: Asset) -> Int128 {
        state.floors.values.reduce(0) { sum, floor in
            guard floor.market.base == asset else { return sum }
            let key = PositionKey(account: account, market: floor.market.id)
            return sum + (state.positions[key]?.quantity ?? 0) * floor.market.lot
        }
    }

    func posted(_ account: ID<LedgerAccount>) -> Int128 { state.ledger.core.accounts[account]?.posted ?? 0 }
}
