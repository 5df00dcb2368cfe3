import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

// What a batch touched that was not stored.
extension DeskRecovery {
    /// Makes memory be as of the batch before the one that was decided on it, if one was: what that one touched is read
    /// anew and put back in its place.
    ///
    /// Costs what it touched, however many orders rest. The rest is as it is stored, for nobody else stores orders
    /// under the epoch; of what others move on accounts is read what the batch met.
    func putBack(into state: DeskState) async throws {
        guard let batch = state.decided else { return }
        state.decided = nil
        let old = withdraw(batch, from: state)
        let results = try await pool.withConnection { [schema] connection in
            try await connection.pipeline([
                "select \(OrderRow.columns) from \(schema).orders o where o.id = any(\(Array(old.keys)))",
                "select id, events from \(schema).accounts where id = any(\(Array(batch.eventsBefore.keys)))",
                Position.all(of: Array(Set(batch.changedPositions.map(\.account))), in: schema),
                StoredMarket.all(in: schema), Klines.newest(in: schema),
                DeskRecovery.deadlines(in: schema, of: Array(batch.deadlines)),
            ])
        }
        try await state.ledger.putBack(pool)
        try putBack(orders: results[0], old, into: state)
        for row in results[1] { state.events[try row["id"]] = try row["events"] }
        try state.takePositions(results[2])
        try putBack(markets: results[3], klines: results[4], batch.floors, into: state)
        try takeDeadlines(results[5], into: state)
        state.isFresh = batch.wasFresh
    }

    /// Takes out of memory what the batch touched; its orders that were there before, by their ids.
    private func withdraw(
        _ batch: DeskBatch,
        from state: DeskState
    ) -> [ID<Order>: (number: UInt64, one: DeskState.Live)] {
        var old: [ID<Order>: (number: UInt64, one: DeskState.Live)] = [:]
        for number in batch.touched {
            guard let one = state.live[number] ?? batch.ended[number] else { continue }
            state.floors[one.order.market]?.book.withdraw(number)
            state.remove(number)
            if !batch.isNew.contains(number) { old[one.order.id] = (number, one) }
        }
        for key in batch.changedPositions { state.positions[key] = nil }
        for account in batch.deadlines { state.deadlines[account] = nil }
        for (account, orders) in batch.noted { state.risk.takeBack(orders, of: account) }
        for (rule, account) in batch.recorded { state.risk.takeBack(recordOf: rule, account) }
        return old
    }

    private func putBack(
        orders: Rows,
        _ old: [ID<Order>: (number: UInt64, one: DeskState.Live)],
        into state: DeskState
    ) throws {
        var back: [(number: UInt64, priority: Int64)] = []
        for row in orders {
            let order = try OrderRow.read(row)
            guard case (let number, var one)? = old[order.id] else { continue }
            one.order = order
            state.add(one, number: number)
            back.append((number, order.priority))
        }
        // The last ones first: so each finds its place at once.
        for (number, priority) in back.sorted(by: { $0.priority > $1.priority }) {
            guard let one = state.live[number], let floor = state.floors[one.order.market] else { continue }
            let other = one.otherLeg.flatMap { state.live[$0] == nil ? nil : $0 }
            state.live[number]?.otherLeg = other
            floor.book.restore(one.order.open(number: number, owner: one.owner, otherLeg: other)) { later in
                (state.live[later]?.order.priority ?? .max) > priority
            }
        }
    }

    private func putBack(markets: Rows, klines: Rows, _ touched: Set<Int>, into state: DeskState) throws {
        for row in markets {
            let stored = try StoredMarket(row)
            guard touched.contains(stored.market.id), let floor = state.floors[stored.market.id] else { continue }
            (floor.trades, floor.events) = (stored.trades, stored.events)
            (floor.sequence, floor.klines) = (stored.sequence, [:])
            floor.book.restore(stored.status)
            // What was put back isn't news.
            var known: [LevelChange] = []
            floor.book.drainLevelChanges(into: &known)
        }
        for row in klines {
            let kline = try Kline(row)
            if touched.contains(kline.market) { state.floors[kline.market]?.klines[kline.period] = kline }
        }
    }
}
