import HTTP
import Kernel
import Logging
import Redis
import TestSupport
import Testing

@testable import Composition

struct RateLimitTests {
    @Test func `who is refused is told when the next request may succeed, not when all may`() async throws {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = try RedisClient(url: try await TestRedis.url(), logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            try #require(await client.waitUntilConnected(timeoutSeconds: 60))
            let (caller, now) = (TestRedis.prefix(), SystemClock().now())
            let limiter = SharedRateLimiter(client, clock: SystemClock())
            let limit = RateLimitClass("slow", quota: 2, windowSeconds: 1_000)
            for reset in [500, 1_000] {
                let allowed = await limiter.count(caller, in: limit, at: now)
                #expect(allowed.isAllowed && (reset - 5...reset).contains(allowed.resetSeconds))
            }
            let refused = await limiter.count(caller, in: limit, at: now)
            #expect(!refused.isAllowed && (495...500).contains(refused.resetSeconds), "\(refused.resetSeconds)")
            group.cancelAll()
        }
    }
}
