import DomainKit
import Kernel
import MatchingEngine
import Messaging

// What becomes of markets: by operators, by the circuit breaker, and by time.
extension DeskBatch {
    mutating func createMarket(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        let id = (state.floors.keys.max() ?? 0) + 1
        let new = try NewMarket(command.parameters, id: id)
        guard !state.floors.values.contains(where: { $0.market.symbol == new.market.symbol }) else {
            throw Problem(409, "market_exists", "There is a market \(new.market.symbol) already.")
        }
        guard id <= NewMarket.countMax else {
            throw Problem(422, "too_many_markets", "There can be no more than \(NewMarket.countMax) markets.")
        }
        rows.append(NewMarketRow(stored: new.stored))
        let floor = DeskState.Floor(new.stored, log: state.log)
        state.floors[id] = floor
        newFloors.insert(id)
        floors.insert(id)
        audit("market.create", of: "market", nil, initiator, new.stored.json)
        tell(of: id, "investing.market.created", .command)
        return json(floor)
    }

    /// Gives a market other filters or another circuit breaker; what isn't named stays.
    mutating func changeMarket(_ command: OperatorCommand, _ initiator: Initiator) throws(Problem) -> JSON {
        let floor = try floor(command)
        let before = json(floor)
        let terms = try MarketTerms(command.parameters, floor.market, MarketTerms(floor.market))
        floor.change(terms.filters, terms.breaker)
        floors.insert(floor.market.id)
        rows.append(MarketTermsRow(market: floor.market))
        let after = json(floor)
        audit("market.change", of: "market", nil, initiator, before: before, after)
        tell(of: floor.market.id, "investing.market.changed", .command)
        return after
    }

    /// Follows a change of a market's state; what nobody asked for is audited here.
    mutating func note(_ change: StateChanged, _ floor: DeskState.Floor) {
        let market = floor.market.id
        tell(of: market, "investing.market.state_changed", change.cause, change)
        guard change.cause != .command else { return }
        audit(
            "market.\(change.to.name)",
            of: "market",
            nil,
            Initiator(system: "system:\(change.cause.name)", correlation: UInt128(market)),
            before: ["state": .string(change.from.name)],
            [
                "market": .string(floor.market.symbol), "state": .string(change.to.name),
                "reopens_at": change.reopensAt.map { .string(Timestamp(microseconds: $0).description) } ?? .null,
                "last_price": floor.book.status.lastPrice.map { .string(floor.market.wire(price: $0)) } ?? .null,
            ]
        )
    }

    /// Tells of a market as it is now, or as it is after a change of its state.
    mutating func tell(
        of market: Int,
        _ type: String,
        _ cause: StateChanged.Cause,
        _ change: StateChanged? = nil
    ) {
        guard let floor = state.floors[market] else { return }
        floor.events += 1
        floors.insert(market)
        var status = floor.book.status
        if let change { (status.state, status.reopensAt) = (change.to, change.reopensAt) }
        let shown = StoredMarket(market: floor.market, status: status, trades: floor.trades).json
        let news: JSON = ["market": shown, "cause": .string(cause.name)]
        changes.append(MarketNotice(symbol: floor.market.symbol, sequence: floor.events, payload: news))
        rows.append(
            OutboxEvent(
                id: ids.next(),
                aggregateType: "market",
                aggregate: ID<StoredMarket>(UInt128(market)),
                version: floor.events,
                type: type,
                payload: news
            )
        )
    }
}
