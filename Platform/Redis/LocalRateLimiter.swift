/// A rate limiter in this process, with a bounded number of buckets.
struct LocalRateLimiter {
    /// Buckets that are kept; when all are in use, further keys share one.
    static let bucketsMax = 100_000
    /// Full buckets are swept at most once in that many microseconds.
    private static let sweepIntervalMicroseconds: Int64 = 1_000_000
    private static let sharedKey = ""

    private let bucketsMax: Int
    private var fullAt: [String: Int64] = [:]
    private var sweptAt = Int64.min / 2

    init(bucketsMax: Int = LocalRateLimiter.bucketsMax) { self.bucketsMax = bucketsMax }

    var bucketCount: Int { fullAt.count }

    /// Decides on a request at `now` in microseconds.
    mutating func decide(key: String, limit: RateLimit, cost: Int, now: Int64) -> RateLimitDecision {
        let bucket = place(for: key, now)
        let outcome = CellRate.decide(fullAt: fullAt[bucket] ?? now, now: now, cost: Int64(cost), limit: limit)
        if outcome.isAllowed { fullAt[bucket] = outcome.fullAt }
        return RateLimitDecision(outcome, now: now, limit: limit, isDegraded: true)
    }

    private mutating func place(for key: String, _ now: Int64) -> String {
        guard fullAt[key] == nil, fullAt.count >= bucketsMax else { return key }
        if now - sweptAt >= LocalRateLimiter.sweepIntervalMicroseconds {
            sweptAt = now
            fullAt = fullAt.filter { $0.value > now }
        }
        return fullAt.count < bucketsMax ? key : LocalRateLimiter.sharedKey
    }
}
