import DomainKit
import HTTP
import Kernel
import Ledger
import MatchingEngine
import Messaging

// What is asked of portfolios, decided in order with all trading, so that each flow meets the value of its moment.
extension DeskBatch {
    /// Does what a client asks of a portfolio.
    ///
    /// - Throws: 404; 409 `portfolio_closed`, `portfolio_not_empty`; 422 `no_price`, and what the ledger refuses.
    mutating func carryOut(_ command: PortfolioCommand, _ request: DeskRequest) throws(Problem) -> APIResponse {
        guard let progress = portfolios[command.portfolio.id] else { throw Problem.notFound }
        guard progress.isOpen else {
            throw Problem(409, "portfolio_closed", "The portfolio is closed. Open another one.")
        }
        switch command.kind {
        case .put(let move): return try flow(move, command, progress.growth, isIn: true, request)
        case .take(let move): return try flow(move, command, progress.growth, isIn: false, request)
        case .close: return try close(command, request)
        }
    }

    private mutating func flow(
        _ move: PortfolioMove,
        _ command: PortfolioCommand,
        _ growth: Growth,
        isIn: Bool,
        _ request: DeskRequest
    ) throws(Problem) -> APIResponse {
        let portfolio = command.portfolio
        let floor = state.floors.values.first { $0.market.base == move.asset && $0.market.quote == portfolio.cash }
        guard let inside = command.balances[move.asset] else { throw Problem.notFound }
        if move.asset != portfolio.cash, floor?.book.status.lastPrice == nil { throw Problem.noPrice(move.asset) }
        let before = worth(command)
        let transfer = NewTransfer(
            id: ids.next(),
            debit: isIn ? move.outside : inside,
            credit: isIn ? inside : move.outside,
            amount: move.amount,
            code: "portfolio_move"
        )
        let receipt: LedgerCore.Receipt
        switch state.ledger.apply([.transfer(transfer)], of: move.id.cast()) {
        case .failure(let refusal): throw refusal.problem(in: move.asset)
        case .success(let done): receipt = done
        }
        if let market = floor?.market.id {
            let (owner, own) = ((portfolio.within, move.outside), (portfolio.account.id, inside))
            carryCost(market, from: isIn ? owner : own, to: isIn ? own : owner)
        }
        let after = worth(command)
        let grown = growth.after(after - before, before: before)
        portfolios[portfolio.id]?.growth = grown
        rows.append(
            PortfolioFlowRow(
                portfolio: portfolio.id,
                asset: move.asset,
                amount: isIn ? move.amount : -move.amount,
                before: before,
                growth: grown
            )
        )
        let json = move.json(portfolio, isIn: isIn, worth: after - before)
        tell(json, move, portfolio, receipt, request)
        return .created(json, location: "/v1/investing/portfolios/\(portfolio.id.wire)/flows")
    }

    private mutating func close(_ command: PortfolioCommand, _ request: DeskRequest) throws(Problem) -> APIResponse {
        guard command.balances.values.allSatisfy({ posted($0) == 0 }) else {
            throw Problem(409, "portfolio_not_empty", "Take everything out of the portfolio before you close it.")
        }
        portfolios[command.portfolio.id]?.isOpen = false
        rows.append(PortfolioEndRow(portfolio: command.portfolio.id))
        audit("portfolio.close", of: "portfolio", command.portfolio.id.value, request.initiator, nil)
        return .noContent
    }

    /// What a portfolio is worth now in minor units of its cash: whole lots at the prices of the last trades.
    private func worth(_ command: PortfolioCommand) -> Int128 {
        let cash = command.balances[command.portfolio.cash].map { posted($0) } ?? 0
        return state.floors.values.reduce(cash) { sum, floor in
            guard floor.market.quote == command.portfolio.cash, let balance = command.balances[floor.market.base],
                let price = floor.book.status.lastPrice
            else { return sum }
            return sum + floor.market.quoteAmount(posted(balance) / floor.market.lot * Int128(price))
        }
    }

    /// Lets what was moved keep its cost: what the source had at a known cost and doesn't have any more.
    mutating func carryCost(
        _ market: Int,
        from source: (account: ID<TradingAccount>, balance: ID<LedgerAccount>),
        to target: (account: ID<TradingAccount>, balance: ID<LedgerAccount>)
    ) {
        let key = PositionKey(account: source.account, market: market)
        guard let before = state.positions[key], before.quantity > 0 else { return }
        change(source.account, market, base: source.balance) { _ in }
        guard let after = state.positions[key], after.quantity < before.quantity else { return }
        change(target.account, market, base: target.balance) {
            $0.state(before.quantity - after.quantity, cost: before.cost - after.cost)
        }
    }

    /// The audit entry and the event of a move.
    private mutating func tell(
        _ json: JSON,
        _ move: PortfolioMove,
        _ portfolio: Portfolio,
        _ receipt: LedgerCore.Receipt,
        _ request: DeskRequest
    ) {
        audit("portfolio.move", of: "portfolio", portfolio.id.value, request.initiator, json)
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "portfolio_move",
                aggregate: move.id,
                version: 1,
                type: "investing.portfolio_move.completed",
                payload: ["move": json, "balances": BalanceSnapshot.json(receipt)],
                correlation: request.initiator.correlation,
                traceparent: request.initiator.traceparent
            )
        )
    }
}

extension PortfolioMove {
    /// A move that is done, and what it was worth in minor units of the cash.
    func json(_ portfolio: Portfolio, isIn: Bool, worth: Int128) -> JSON {
        [
            "id": .string(id.wire), "portfolio": .string(portfolio.id.wire),
            "direction": isIn ? "in" : "out", "asset": .string(asset.code),
            "amount": .string(DecimalText.format(amount, scale: asset.scale)),
            "value": .string(DecimalText.format(abs(worth), scale: portfolio.cash.scale)),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: PortfolioMove.self)), .required("portfolio", .id(of: Portfolio.self)),
            .required("direction", .oneOf(["in", "out"])), .required("asset", .asset),
            .required("amount", .anyString),
            .required("value", .anyString, "In the portfolio's cash, at the last price of that moment."),
        ],
        named: "PortfolioMove"
    )
}

extension Problem {
    /// 422 where something has to be valued that hasn't traded yet.
    static func noPrice(_ asset: Asset) -> Problem {
        Problem(422, "no_price", "\(asset) hasn't traded for the portfolio's cash yet, so it has no price.")
    }
}
