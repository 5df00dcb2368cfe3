import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Where the program's time comes from.
///
/// Decisions about money use the database's clock instead.
public protocol WallClock: Sendable {
    /// The present instant.
    func now() -> Timestamp
}

/// The machine's clock.
public struct SystemClock: WallClock {
    /// The machine's clock.
    public init() {}

    /// The present instant by `CLOCK_REALTIME`.
    public func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}

/// A clock that stands until it is moved.
public final class ManualClock: WallClock {
    private let instant: Mutex<Timestamp>

    /// A clock that shows an instant.
    public init(_ instant: Timestamp) { self.instant = Mutex(instant) }

    /// The instant that it was last set to.
    public func now() -> Timestamp { instant.withLock { $0 } }

    /// Moves the clock forward.
    public func advance(seconds: Int64) { instant.withLock { $0 = $0.adding(seconds: seconds) } }

    /// Sets the clock.
    public func set(_ to: Timestamp) { instant.withLock { $0 = to } }
}
