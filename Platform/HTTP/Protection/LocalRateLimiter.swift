public import Kernel
import Synchronization

/// A rate limiter in this process's memory: fixed windows, for a single server, for tests, and while a shared one is
/// away.
public final class LocalRateLimiter: RateLimiter {
    private struct Key: Hashable {
        let name: String
        let caller: String
    }

    private struct Window {
        var endsAt: Int64
        var count: Int
    }

    /// How many callers are counted at most; when more come, ended windows are forgotten, then all.
    public static let callersMax = 100_000

    private let windows = Mutex<[Key: Window]>([:])

    /// A limiter that has counted nothing.
    public init() {}

    /// Counts in the caller's present window, in memory; never waits.
    public func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> RateLimitDecision {
        let second = now.seconds
        let window = windows.withLock { windows -> Window in
            if windows.count >= LocalRateLimiter.callersMax { LocalRateLimiter.prune(&windows, at: second) }
            let key = Key(name: limitClass.name, caller: key)
            var window = windows[key] ?? Window(endsAt: 0, count: 0)
            if window.endsAt <= second {
                window = Window(endsAt: second + Int64(limitClass.windowSeconds), count: 0)
            }
            // A refused request isn't counted further, so that the count stays within the quota.
            window.count = min(window.count + 1, limitClass.quota + 1)
            windows[key] = window
            return window
        }
        return RateLimitDecision(
            isAllowed: window.count <= limitClass.quota,
            remaining: max(0, limitClass.quota - window.count),
            resetSeconds: max(1, Int(window.endsAt - second))
        )
    }

    private static func prune(_ windows: inout [Key: Window], at second: Int64) {
        windows = windows.filter { $0.value.endsAt > second }
        if windows.count >= callersMax { windows.removeAll(keepingCapacity: true) }
    }
}
