public import Kernel
import Synchronization

/// The catalogue in memory, read again when it was told to be out of date or has become old.
///
/// A version that begins later is in the catalogue from when it was published, so an old catalogue is wrong only
/// about what was published since it was read. The table notifies channel `fee_schedules` of that; the age bound
/// covers a notification that got lost.
public final class FeeCatalogCache: Sendable {
    private struct State {
        var catalog: FeeCatalog?
        var readAt = Timestamp(microseconds: 0)
        var generation = 0
    }

    /// The channel on which the table tells of changes.
    public static let channel = "fee_schedules"
    /// How old a catalogue may become without being read again.
    public static let ageMaxSeconds: Int64 = 60

    private let state = Mutex(State())
    private let clock: any WallClock
    private let read: @Sendable () async throws -> FeeCatalog

    /// A cache that reads by `read`, as `FeeSchedules.catalog` does.
    public init(clock: any WallClock = SystemClock(), read: @escaping @Sendable () async throws -> FeeCatalog) {
        (self.clock, self.read) = (clock, read)
    }

    /// The catalogue; what stood in the table at some moment since the last invalidation and within the age bound.
    ///
    /// - Throws: what reading throws; an old catalogue is not answered instead.
    public func current() async throws -> FeeCatalog {
        let now = clock.now()
        let (cached, generation) = state.withLock { state in
            let isFresh = now.microseconds - state.readAt.microseconds < FeeCatalogCache.ageMaxSeconds * 1_000_000
            return (isFresh ? state.catalog : nil, state.generation)
        }
        if let cached { return cached }
        let catalog = try await read()
        state.withLock { state in
            // What was read before an invalidation may miss what it told of; the next caller reads again.
            if state.generation == generation { (state.catalog, state.readAt) = (catalog, now) }
        }
        return catalog
    }

    /// Lets the next caller read again.
    public func invalidate() {
        state.withLock { state in
            state.catalog = nil
            state.generation += 1
        }
    }
}
