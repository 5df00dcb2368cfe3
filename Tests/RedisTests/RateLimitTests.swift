import Kernel
import Randomness
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct RateLimitTests {
    /// The obvious bucket: whole requests come back one interval after another.
    private struct Bucket {
        var missing: [Int64] = []
        mutating func take(_ cost: Int64, _ limit: RateLimit, now: Int64) -> Bool {
            missing.removeAll { $0 <= now }
            guard Int64(missing.count) + cost <= Int64(limit.limit) else { return false }
            for _ in 0..<cost { missing.append((missing.last ?? now) + limit.intervalMicroseconds) }
            return true
        }
    }

    @Test func `the bucket decides as the obvious one does`() {
        for seed in UInt64(1)...50 {
            var random = SeededRandom(seed)
            let limit = RateLimit(
                limit: .random(in: 1...9, using: &random),
                windowSeconds: .random(in: 1...9, using: &random)
            )
            var bucket = Bucket()
            var (now, fullAt) = (Int64(1_700_000_000_000_000), Int64(0))
            for _ in 0..<500 {
                now += .random(in: 0...(2 * limit.intervalMicroseconds), using: &random)
                let cost = Int64.random(in: 1...3, using: &random)
                let outcome = CellRate.decide(fullAt: fullAt, now: now, cost: cost, limit: limit)
                #expect(outcome.isAllowed == bucket.take(cost, limit, now: now), "seed \(seed)")
                #expect(outcome.remaining == Int64(limit.limit - bucket.missing.count), "seed \(seed)")
                fullAt = outcome.fullAt
            }
        }
    }

    @Test func `the server allows the limit, then says when to come again`() async throws {
        try await RedisServer().withClient { client in
            let limiter = RedisRateLimiter(client: client, timeoutSeconds: 10)
            let limit = RateLimit(limit: 3, windowSeconds: 3600)
            for left in [2, 1, 0] {
                let decision = await limiter.decide(principal: "usr_1", route: "POST /v1/payments", limit: limit)
                #expect(decision.isAllowed && !decision.isDegraded)
                #expect((decision.limit, decision.remaining) == (3, left))
                #expect((3600 - left * 1200 - 2...3600 - left * 1200).contains(decision.resetSeconds))
            }
            let refused = await limiter.decide(principal: "usr_1", route: "POST /v1/payments", limit: limit)
            #expect(!refused.isAllowed && refused.remaining == 0)
            #expect((1190...1200).contains(refused.retryAfterSeconds))
            #expect(await limiter.decide(principal: "usr_2", route: "POST /v1/payments", limit: limit).isAllowed)
            #expect(await limiter.decide(principal: "usr_1", route: "GET /v1/payments", limit: limit).isAllowed)
            let expiry = try await client.command(["PTTL", "ratelimit:usr_1:POST /v1/payments"]).integer ?? 0
            #expect((3_590_000...3_600_000).contains(expiry))
        }
    }

    @Test func `the bucket refills by the server's time`() async throws {
        try await RedisServer().withClient { client in
            let limiter = RedisRateLimiter(client: client, timeoutSeconds: 10)
            let limit = RateLimit(limit: 20, windowSeconds: 1)
            var allowed = 0
            let started = ContinuousClock.now
            _ = await eventually {
                if await limiter.decide(principal: "p", route: "r", limit: limit).isAllowed { allowed += 1 }
                return allowed == 30
            }
            #expect(allowed == 30)
            #expect(ContinuousClock.now - started >= .milliseconds(490))
        }
    }

    @Test func `a cost above the limit is always refused and takes nothing`() async throws {
        try await RedisServer().withClient { client in
            let limiter = RedisRateLimiter(client: client, timeoutSeconds: 10)
            let limit = RateLimit(limit: 3, windowSeconds: 3600)
            #expect(!(await limiter.decide(principal: "p", route: "r", limit: limit, cost: 4).isAllowed))
            #expect(await limiter.decide(principal: "p", route: "r", limit: limit, cost: 3).remaining == 0)
        }
    }

    @Test func `without the server each process allows half by itself`() async throws {
        let client = try RedisClient(url: "redis://127.0.0.1:1", logger: .quiet)
        let clock = ManualClock(Timestamp(seconds: 1_700_000_000))
        let limiter = RedisRateLimiter(client: client, clock: clock)
        let limit = RateLimit(limit: 4, windowSeconds: 60)
        for left in [1, 0] {
            let decision = await limiter.decide(principal: "p", route: "r", limit: limit)
            #expect(decision.isAllowed && decision.isDegraded)
            #expect((decision.limit, decision.remaining) == (2, left))
        }
        let refused = await limiter.decide(principal: "p", route: "r", limit: limit)
        #expect(!refused.isAllowed)
        #expect(refused.retryAfterSeconds == 30)
        clock.advance(seconds: 30)
        #expect(await limiter.decide(principal: "p", route: "r", limit: limit).isAllowed)
    }

    @Test func `half of one is one`() { #expect(RateLimit(limit: 1, windowSeconds: 9).halved.limit == 1) }

    @Test func `local buckets are bounded, full ones make room, others share`() {
        var limiter = LocalRateLimiter(bucketsMax: 2)
        let limit = RateLimit(limit: 1, windowSeconds: 10)
        func allows(_ key: String, _ second: Int64) -> Bool {
            limiter.decide(key: key, limit: limit, cost: 1, now: second * 1_000_000).isAllowed
        }
        #expect(allows("a", 0) && allows("b", 5))
        #expect(allows("c", 6))
        #expect(!allows("d", 6))
        #expect(!allows("b", 6))
        // "a" is full again and goes.
        #expect(allows("e", 20))
        #expect(limiter.bucketCount <= 2)
    }
}
