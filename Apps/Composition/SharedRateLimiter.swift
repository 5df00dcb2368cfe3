import HTTP
import Kernel
import Redis

/// Counts requests over all processes in Redis; while Redis is away each process counts by itself, with half the quota.
struct SharedRateLimiter: RateLimiter {
    private let limiter: RedisRateLimiter

    init(_ redis: RedisClient, clock: any WallClock) { limiter = RedisRateLimiter(client: redis, clock: clock) }

    func count(_ key: String, in limitClass: RateLimitClass, at now: Timestamp) async -> HTTP.RateLimitDecision {
        let decision = await limiter.decide(
            principal: key,
            route: limitClass.name,
            limit: RateLimit(limit: limitClass.quota, windowSeconds: limitClass.windowSeconds)
        )
        return HTTP.RateLimitDecision(
            isAllowed: decision.isAllowed,
            remaining: decision.remaining,
            resetSeconds: decision.isAllowed ? decision.resetSeconds : decision.retryAfterSeconds
        )
    }
}
