public import Kernel
import Logging
import Synchronization

/// Limits requests per principal and route, over all processes, by the server's clock and one script call per decision.
///
/// While the server is away each process decides by itself with half the limit; that is never an error.
public final class RedisRateLimiter: Sendable {
    // `CellRate.decide` in Lua. Numbers are doubles there: microseconds since 1970 are exact until the year 2255.
    private static let script = RedisScript(
        """
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local interval = tonumber(ARGV[1])
        local capacity = interval * tonumber(ARGV[2])
        local before = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
        local after = before + interval * tonumber(ARGV[3])
        local allowedAt = after - capacity
        if now < allowedAt then
            return {0, before - now, math.max(0, math.floor((now + capacity - before) / interval)), allowedAt - now}
        end
        redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
        return {1, after - now, math.floor((now - allowedAt) / interval), 0}
        """
    )

    private let client: RedisClient
    private let clock: any WallClock
    private let timeoutSeconds: Double
    private let local = Mutex(LocalRateLimiter())

    /// A limiter that decides by itself when the server gives no answer within the timeout.
    public init(client: RedisClient, clock: any WallClock = SystemClock(), timeoutSeconds: Double = 0.1) {
        (self.client, self.clock, self.timeoutSeconds) = (client, clock, timeoutSeconds)
    }

    /// Decides on `cost` requests of a principal to a route, and counts them if they are allowed.
    ///
    /// The bucket is `ratelimit:{principal}:{route}`. The caller guarantees a cost of at least 1; one above the limit
    /// is always refused.
    public func decide(
        principal: String,
        route: String,
        limit: RateLimit,
        cost: Int = 1
    ) async -> RateLimitDecision {
        precondition(cost >= 1, "a request that costs nothing")
        let key = "ratelimit:\(principal):\(route)"
        do throws(RedisError) {
            let reply = try await RedisRateLimiter.script.run(
                on: client,
                keys: [key],
                arguments: [limit.intervalMicroseconds, limit.limit, cost],
                timeoutSeconds: timeoutSeconds
            )
            let numbers = (reply.elements ?? []).compactMap(\.integer).map(Int64.init)
            guard numbers.count == 4 else { throw .unexpectedReply }
            let outcome = CellRate.Outcome(
                isAllowed: numbers[0] == 1,
                fullAt: numbers[1],
                remaining: numbers[2],
                retryAfter: numbers[3]
            )
            return RateLimitDecision(outcome, now: 0, limit: limit, isDegraded: false)
        } catch {
            let now = clock.now().microseconds
            return local.withLock { $0.decide(key: key, limit: limit.halved, cost: cost, now: now) }
        }
    }
}
