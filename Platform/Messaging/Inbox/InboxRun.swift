import Kernel
import Synchronization

/// What a worker's tasks share while it runs.
final class InboxRun: Sendable {
    private struct State {
        var settlements: [InboxSettlement] = []
        var held: [ID<InboxEvent>: Int64] = [:]
        var lanes = 0
        var isStopping = false
    }

    private let state = Mutex(State())
    /// Raised when a lane has ended or there may be something to claim.
    let work = Flag()
    /// Raised when the worker stops and no lane is left.
    let ended = Flag()

    var isStopping: Bool { state.withLock { $0.isStopping } }
    var isEnded: Bool { state.withLock { $0.isStopping && $0.lanes == 0 } }

    /// Lanes that are being handled.
    var lanes: Int { state.withLock { $0.lanes } }

    /// The claims that need a heartbeat.
    var held: [(id: ID<InboxEvent>, token: Int64)] { state.withLock { $0.held.map { ($0.key, $0.value) } } }

    func stop() {
        state.withLock { $0.isStopping = true }
        work.raise()
        if isEnded { ended.raise() }
    }

    func begin(_ lane: InboxLane) {
        state.withLock { state in
            state.lanes += 1
            for event in lane.events { state.held[event.id] = event.token }
        }
    }

    func end(_ lane: InboxLane, _ settlements: [InboxSettlement]) {
        state.withLock { state in
            state.lanes -= 1
            for event in lane.events { state.held[event.id] = nil }
            state.settlements += settlements
        }
        work.raise()
        if isEnded { ended.raise() }
    }

    func takeSettlements() -> [InboxSettlement] {
        state.withLock { state in
            defer { state.settlements = [] }
            return state.settlements
        }
    }

    func putBack(_ settlements: [InboxSettlement]) {
        state.withLock { $0.settlements.insert(contentsOf: settlements, at: 0) }
    }
}
