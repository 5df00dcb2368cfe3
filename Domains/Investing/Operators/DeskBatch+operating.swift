import DomainKit
import HTTP
import Kernel
import MatchingEngine

// What operators ask for.
extension DeskBatch {
    /// Carries a command out; its answer is stored with what it does.
    mutating func operate(_ command: OperatorCommand) -> DeskOutcome {
        let (status, answer): (Int, JSON)
        do throws(Problem) {
            (status, answer) = (200, try carryOut(command))
        } catch {
            (status, answer) = (error.status, ["code": .string(error.code), "detail": .string(error.detail)])
        }
        rows.append(CommandAnswerRow(command: command.id, status: status, answer: answer))
        return .done
    }

    private mutating func carryOut(_ command: OperatorCommand) throws(Problem) -> JSON {
        let initiator = Initiator(system: command.actor, correlation: command.id.value)
        switch command.kind {
        case .createMarket: return try createMarket(command, initiator)
        case .changeMarket: return try changeMarket(command, initiator)
        case .setState:
            let floor = try floor(command)
            guard let new = MarketState(name: try command.require("state")) else {
                throw Problem(422, "unknown_state", "States are: \(MarketState.names.joined(separator: ", ")).")
            }
            let until = command.text("reopens_at").flatMap { Timestamp($0) }
            _ = decide(.setState(market: floor.market.id, new, reopensAt: until, by: initiator))
            return json(floor)
        case .setReference:
            let floor = try floor(command)
            let price = try command.text("price").map { text throws(Problem) in
                try floor.market.price(text, at: "/price")
            }
            _ = decide(.setReference(market: floor.market.id, price: price, by: initiator))
            return json(floor)
        case .cancelOrder: return try cancelOrder(command, initiator)
        case .changeAccount: return try changeAccount(command, initiator)
        case .setRule: return try setRule(command, initiator)
        case .endRules: return try endRules(command, initiator)
        case .readKlines:
            readsKlines = true
            return .object([])
        case .readDepth:
            let floor = try floor(command)
            let limit = command.parameters["limit"]?.integerValue ?? 20
            guard case .depth(let view) = depth(floor.market.id, limit) else { return .null }
            return view.json
        }
    }

    private mutating func cancelOrder(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        guard let id = ID<Order>(wire: try command.require("order")) else {
            throw Problem(422, "no_order_id", "This is no order's id; they look like ord_….")
        }
        guard let number = state.numbers[id], let market = state.live[number]?.order.market else {
            throw Problem.notOpen
        }
        run(market) { floor, now in floor.book.cancel(number, at: now) }
        try settleRefusal([])
        let reason = command.text("reason").map { JSON.string($0) } ?? .null
        audit("order.cancel", of: "order", id.value, initiator, ["reason": reason])
        return json(number)
    }

    func floor(_ command: OperatorCommand) throws(Problem) -> DeskState.Floor {
        let symbol = try command.require("symbol")
        guard let floor = state.floors.values.first(where: { $0.market.symbol == symbol }) else {
            throw Problem(404, "market_not_found", "There is no market \(symbol). List the markets.")
        }
        return floor
    }

    func json(_ floor: DeskState.Floor) -> JSON {
        StoredMarket(market: floor.market, status: floor.book.status, trades: floor.trades).json
    }
}
