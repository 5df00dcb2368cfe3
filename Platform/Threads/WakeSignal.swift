import CThreads
import Glibc

/// Wakes the thread that polls `descriptor`, from any thread.
public final class WakeSignal: Sendable {
    /// What the thread polls for input; it lives as long as the signal.
    public let descriptor: Int32

    /// A signal that isn't raised.
    public init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "the system gives no eventfd")
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable until `clear`.
    public func raise() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Makes it unreadable again.
    public func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
