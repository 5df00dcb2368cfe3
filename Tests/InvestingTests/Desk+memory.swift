@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL

extension Desk {
    /// What in memory isn't as a reading of all that is stored has it; empty if nothing is in memory.
    ///
    /// Of accounts that others move money on it may lag behind until it comes to them.
    func differences(
        _ schema: Schema,
        _ pool: Pool,
        except moved: Set<ID<LedgerAccount>> = []
    ) async throws -> [String] {
        let fresh = try await DeskRecovery(schema: schema, pool: pool).load()
        guard let state else { return [] }
        var found: [String] = []
        func compare(_ what: String, _ isSame: Bool) { if !isSame { found.append(what) } }
        compare("the live orders", Set(state.numbers.keys) == Set(fresh.numbers.keys))
        for (id, number) in fresh.numbers {
            guard let stored = fresh.live[number], let mine = state.numbers[id].flatMap({ state.live[$0] }) else {
                continue
            }
            compare("\(id): \(mine.order) is stored as \(stored.order)", Desk.isSame(mine.order, stored.order))
            compare(
                "the accounts of \(id)",
                [mine.base, mine.quote, mine.income] == [stored.base, stored.quote, stored.income]
            )
            let legs = [
                mine.otherLeg.flatMap { state.live[$0]?.order.id },
                stored.otherLeg.flatMap { fresh.live[$0]?.order.id },
            ]
            compare("the other leg of \(id)", legs[0] == legs[1])
            let held = [state, fresh].map { $0.ledger.core.reservations[stored.order.reservation] }
            compare("what \(id) holds", held[0] == held[1])
        }
        for (id, floor) in fresh.floors {
            guard let mine = state.floors[id] else {
                found.append("market \(id)")
                continue
            }
            compare("the status of \(id)", mine.book.status == floor.book.status)
            compare(
                "the counts of \(id)",
                [mine.trades, mine.events, mine.sequence] == [floor.trades, floor.events, floor.sequence]
            )
            compare("the klines of \(id)", mine.klines == floor.klines)
            compare("the queues of \(id)", state.queues(mine) == fresh.queues(floor))
        }
        compare("the dead man's switches", state.deadlines.mapValues(\.at) == fresh.deadlines.mapValues(\.at))
        for (account, events) in fresh.events { compare("news of \(account)", state.events[account] == events) }
        for (key, position) in fresh.positions { compare("position \(key)", state.positions[key] == position) }
        for (id, account) in fresh.ledger.core.accounts where !moved.contains(id) {
            compare("account \(id)", state.ledger.core.accounts[id] == account)
        }
        return found
    }

    /// But for the instant of its last change, which a batch knows to be its own.
    private static func isSame(_ mine: Order, _ stored: Order) -> Bool {
        var mine = mine
        mine.updatedAt = stored.updatedAt
        return "\(mine)" == "\(stored)"
    }
}

extension DeskState {
    /// The orders of a book, in the order of their turns.
    fileprivate func queues(_ floor: Floor) -> [ID<Order>?] {
        floor.book.snapshot().orders.map { live[$0.number]?.order.id }
    }
}

extension Desk {
    /// Which reading of all orders memory comes from; nil if there is none.
    var identity: ObjectIdentifier? { state.map { ObjectIdentifier($0) } }

    /// How many positions are in memory.
    var positionCount: Int { state?.positions.count ?? 0 }
}
