import TestSupport
import Testing

@testable import Redis

/// Replies that aren't what a server says: they end in errors, nothing falls over or waits for ever, and the client
/// works again once the server does.
@Suite(.timeLimit(.minutes(3))) struct GarbledReplyTests {
    @Test(arguments: UInt64(1)...3)
    func `garbled replies are errors or values, and the client works again`(seed: UInt64) async throws {
        let server = try RedisServer()
        try await server.withClient { client in _ = try await client.command(["PING"]) }
        let relay = try GarblingRelay(to: server.socket, seed: seed)
        var configuration = RedisConfiguration.forTests
        (configuration.commandTimeoutSeconds, configuration.stallSeconds) = (0.3, 0.1)
        let client = try RedisClient(
            url: "redis://127.0.0.1:\(relay.port)",
            configuration: configuration,
            logger: .quiet
        )
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            var (failures, asked) = (0, 0)
            let commands: [[any RedisArgument]] = [
                ["PING"], ["SET", "key", "value"], ["GET", "key"], ["INCR", "count"], ["LRANGE", "list", "0", "-1"],
                ["EVAL", "return {1,'two',{3,redis.error_reply('four')}}", "0"], ["NOSUCH"],
            ]
            for _ in 0..<60 {
                _ = await client.waitUntilConnected(timeoutSeconds: 2)
                for result in await client.pipeline(commands) {
                    asked += 1
                    if case .failure = result { failures += 1 }
                }
            }
            #expect(failures > 20 && relay.garbled > 10, "seed \(seed): \(failures) of \(asked), \(relay.garbled)")
            relay.behave()
            #expect(await eventually { (try? await client.command(["ECHO", "again"]).text) == "again" })
        }
    }
}
