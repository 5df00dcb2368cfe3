import Logging
import Measuring
import Redis

/// Rate limits, in Redis and while it is away.
struct RateLimits: Sendable {
    private static let clients = 64
    private static let limit = RateLimit(limit: 1_000_000, windowSeconds: 60)

    let client: RedisClient

    /// The rows of rate limits.
    func rows(_ pacing: Pacing) async throws -> [BenchmarkRow] {
        let shared = RedisRateLimiter(client: client, timeoutSeconds: 5)
        // A client that never runs: the server is away.
        let away = try RedisClient(
            url: "unix:///nonexistent/redis",
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        )
        let client = client
        let inRedis = deciding("rate limit decisions in Redis", shared)
        let alone = deciding("rate limit decisions without Redis", RedisRateLimiter(client: away))
        let pings = Contestant("PING", clients: RateLimits.clients) { seconds in
            try await Callers.atFullSpeed(RateLimits.clients, seconds: Double(seconds)) { _ in
                _ = try await client.command(["PING"])
                return 1
            }
        }
        return [
            try await Contest(inRedis, against: pings).run(pacing),
            try await Contest(alone, against: pings).run(pacing),
        ]
    }

    private func deciding(_ name: String, _ limiter: RedisRateLimiter) -> Contestant {
        Contestant(name, clients: RateLimits.clients) { seconds in
            try await Callers.atFullSpeed(RateLimits.clients, seconds: Double(seconds)) { random in
                let user = Int.random(in: 0..<10_000, using: &random)
                let decision = await limiter.decide(principal: "\(user)", route: "standard", limit: RateLimits.limit)
                guard decision.isAllowed else { throw Refused() }
                return 1
            }
        }
    }

    private struct Refused: Error {}
}
