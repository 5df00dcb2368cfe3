import Synchronization

/// Something that the I/O loop does once after a time, unless it is cancelled before.
final class Alarm: Sendable {
    let due: ContinuousClock.Instant
    private let action: Mutex<(@Sendable () -> Void)?>

    init(due: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) {
        self.due = due
        self.action = Mutex(action)
    }

    func cancel() { action.withLock { $0 = nil } }

    func ring() {
        let action = action.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }

    var isPending: Bool { action.withLock { $0 != nil } }
}

extension IOLoop {
    /// Has the loop run `action` after a time, to a tenth of a second.
    func after(seconds: Double, _ action: @escaping @Sendable () -> Void) -> Alarm {
        let alarm = Alarm(due: .now + .seconds(seconds), action)
        post { self.add(alarm) }
        return alarm
    }
}
