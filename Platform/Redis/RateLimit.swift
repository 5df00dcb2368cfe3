/// How many requests are allowed: a full bucket of `limit`, refilled evenly over `windowSeconds`.
public struct RateLimit: Hashable, Sendable {
    /// Requests that may come at once after a pause, 1 to 1,000,000.
    public let limit: Int
    /// Seconds in which an empty bucket is full again, 1 to 86,400.
    public let windowSeconds: Int

    /// A rate; the caller guarantees the ranges.
    public init(limit: Int, windowSeconds: Int) {
        precondition((1...1_000_000).contains(limit), "a limit outside 1...1,000,000")
        precondition((1...86_400).contains(windowSeconds), "a window outside 1...86,400 seconds")
        (self.limit, self.windowSeconds) = (limit, windowSeconds)
    }

    /// Half of it, at least one request: what a process allows by itself while it can't ask the server.
    public var halved: RateLimit { RateLimit(limit: max(1, limit / 2), windowSeconds: windowSeconds) }

    /// Microseconds in which one request comes back, rounded up, so that it never allows more.
    var intervalMicroseconds: Int64 { (Int64(windowSeconds) * 1_000_000 + Int64(limit) - 1) / Int64(limit) }
}

/// Whether a request is allowed, and what is left.
public struct RateLimitDecision: Hashable, Sendable {
    /// Whether the request may go on.
    public let isAllowed: Bool
    /// The limit that was applied.
    public let limit: Int
    /// Requests that would be allowed at once after this one.
    public let remaining: Int
    /// Seconds until the bucket is full again, rounded up.
    public let resetSeconds: Int
    /// Seconds after which a refused request will be allowed, rounded up, at least 1; 0 if it was allowed.
    public let retryAfterSeconds: Int
    /// Whether it was decided in this process because the server was away.
    public let isDegraded: Bool
}

/// The generic cell rate algorithm (ITU-T I.371): a bucket is the one instant at which it will be full again.
enum CellRate {
    struct Outcome: Hashable {
        var isAllowed: Bool
        var fullAt: Int64
        var remaining: Int64
        var retryAfter: Int64
    }

    /// Decides on `cost` requests at `now`; all times in microseconds.
    ///
    /// A refusal leaves the bucket as it is.
    static func decide(fullAt: Int64, now: Int64, cost: Int64, limit: RateLimit) -> Outcome {
        let interval = limit.intervalMicroseconds
        let capacity = interval * Int64(limit.limit)
        let before = max(fullAt, now)
        let after = before + interval * cost
        let allowedAt = after - capacity
        guard now >= allowedAt else {
            return Outcome(
                isAllowed: false,
                fullAt: before,
                remaining: max(0, (now + capacity - before) / interval),
                retryAfter: allowedAt - now
            )
        }
        return Outcome(isAllowed: true, fullAt: after, remaining: (now - allowedAt) / interval, retryAfter: 0)
    }
}

extension RateLimitDecision {
    init(_ outcome: CellRate.Outcome, now: Int64, limit: RateLimit, isDegraded: Bool) {
        func seconds(_ microseconds: Int64) -> Int { Int((microseconds + 999_999) / 1_000_000) }
        self.init(
            isAllowed: outcome.isAllowed,
            limit: limit.limit,
            remaining: Int(outcome.remaining),
            resetSeconds: seconds(max(0, outcome.fullAt - now)),
            retryAfterSeconds: seconds(outcome.retryAfter),
            isDegraded: isDegraded
        )
    }
}
