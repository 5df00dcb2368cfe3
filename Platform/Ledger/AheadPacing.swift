import Synchronization

/// Says which batches are worth deciding ahead: after one that met another process's change, some go under locks at
/// once, the more of them the more often it happens.
final class AheadPacing: Sendable {
    private struct State {
        var lockedLeft = 0
        var nextPause = AheadPacing.pauseMin
        var conflicts = 0
    }

    /// Batches under locks after a conflict that followed none.
    static let pauseMin = 16
    /// And after conflicts without end.
    static let pauseMax = 1024

    private let state = Mutex(State())

    /// How many batches that were decided ahead could not be stored.
    var conflicts: Int { state.withLock { $0.conflicts } }

    /// Whether the next batch may be decided ahead.
    func allowsAhead() -> Bool {
        state.withLock { state in
            guard state.lockedLeft > 0 else { return true }
            state.lockedLeft -= 1
            return false
        }
    }

    /// A batch that was decided ahead was stored.
    func wentThrough() { state.withLock { state in state.nextPause = AheadPacing.pauseMin } }

    /// A batch that was decided ahead could not be stored.
    func metConflict() {
        state.withLock { state in
            state.conflicts += 1
            state.lockedLeft = state.nextPause
            state.nextPause = min(state.nextPause * 2, AheadPacing.pauseMax)
        }
    }
}
