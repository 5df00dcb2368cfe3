public import Kernel
import Synchronization

/// A rate limiter in this process's memory: fixed windows, for a single server, for tests, and while a shared one is
/// away.
///
/// It keeps two generations of callers. When the young one is full it becomes the old one, and the old one is
/// forgotten: whoever goes on asking stays counted, however many others come.
public final class LocalRateLimiter: RateLimiter {
    private struct Key: Hashable {
        let name: String
        let caller: String
    }

    private struct Window {
        var endsAt: Int64
        var count: Int
    }

    private struct State {
        var young: [Key: Window] = [:]
        var old: [Key: Window] = [:]
    }

    /// How many callers are counted at most unless told otherwise.
    public static let callersMax = 100_000

    private let callersMax: Int
    private let state = Mutex(State())

    /// A limiter that has counted nothing, for at most so many callers, 2 or more.
    public init(callersMax: Int = LocalRateLimiter.callersMax) {
        precondition(callersMax >= 2, "a limiter for less than two callers")
        self.callersMax = callersMax
    }

    /// Counts in the caller's present window, in memory; never waits.
    public func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> RateLimitDecision {
        decide(key, in: limitClass, at: now)
    }

    /// The same, at once.
    func decide(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) -> RateLimitDecision {
        let second = now.seconds
        let key = Key(name: limitClass.name, caller: key)
        let window = state.withLock { state -> Window in
            if state.young[key] == nil, state.young.count >= callersMax / 2 {
                (state.old, state.young) = (state.young, [:])
            }
            var window = state.young[key] ?? state.old[key] ?? Window(endsAt: 0, count: 0)
            if window.endsAt <= second {
                window = Window(endsAt: second + Int64(limitClass.windowSeconds), count: 0)
            }
            // A refused request isn't counted further, so that the count stays within the quota.
            window.count = min(window.count + 1, limitClass.quota + 1)
            state.young[key] = window
            return window
        }
        return RateLimitDecision(
            isAllowed: window.count <= limitClass.quota,
            remaining: max(0, limitClass.quota - window.count),
            resetSeconds: max(1, Int(window.endsAt - second))
        )
    }
}
