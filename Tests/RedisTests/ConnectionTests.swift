import Glibc
import MetricsTestKit
import ServiceLifecycle
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct ConnectionTests {
    @Test func `while the server is away commands fail at once and later work again`() async throws {
        let server = try RedisServer()
        let metrics = TestMetrics()
        try await server.withClient(metrics: metrics) { client in
            server.stop()
            #expect(await eventually { !client.isConnected })
            await #expect(throws: RedisError.unavailable) { try await client.command(["PING"]) }
            try server.start()
            #expect(await client.waitUntilConnected(timeoutSeconds: 120))
            #expect(try await client.command(["PING"]) == .status("PONG"))
        }
        #expect(try metrics.expectCounter("redis_reconnects").totalValue == 1)
    }

    @Test func `a command that was sent when the server died may have been executed`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            async let blocked = client.pipeline([["INCR", "key"], ["BLPOP", "nothing", 0], ["PING"]])
            try await server.withClient { other in
                #expect(await eventually { (try? await other.command(["GET", "key"]).integer) == 1 })
            }
            server.stop()
            let results = await blocked
            #expect(results == [.success(.integer(1)), .failure(.connectionLost), .failure(.connectionLost)])
            #expect(!RedisError.connectionLost.isSurelyNotExecuted)
        }
    }

    @Test func `a server that stands still is given up and found again`() async throws {
        var configuration = RedisConfiguration.forTests
        (configuration.commandTimeoutSeconds, configuration.stallSeconds) = (0.1, 0.1)
        (configuration.heartbeatSeconds, configuration.connectTimeoutSeconds) = (0.1, 0.2)
        let server = try RedisServer()
        let metrics = TestMetrics()
        try await server.withClient(configuration, metrics: metrics) { client in
            kill(server.pid, SIGSTOP)
            // Nobody asks for anything: the heartbeat notices.
            #expect(await eventually { !client.isConnected })
            kill(server.pid, SIGCONT)
            #expect(await client.waitUntilConnected(timeoutSeconds: 120))
            #expect(await eventually { (try? await client.command(["PING"])) == .status("PONG") })
        }
        #expect(try metrics.expectCounter("redis_reconnects").totalValue >= 1)
    }

    @Test func `the client logs in and selects its database over TCP`() async throws {
        let port = try freePort()
        let server = try RedisServer(["--port", "\(port)", "--requirepass", "p@ss:word/1"])
        try await server.withClient(url: "redis://:p%40ss%3Aword%2F1@127.0.0.1:\(port)/3") { client in
            _ = try await client.command(["SET", "key", "3"])
            #expect(try await client.command(["CLIENT", "INFO"]).text?.contains(" db=3 ") == true)
        }
        try await server.withClient(url: "unix://default:p%40ss%3Aword%2F1@\(server.socket)?db=3") { client in
            let reply = try await client.command(["GET", "key"])
            #expect(reply.integer == 3)
        }
    }

    @Test(arguments: ["redis://:wrong@127.0.0.1:PORT", "redis://127.0.0.1:PORT", "redis://:secret@127.0.0.1:PORT/99"])
    func `a refused login is no connection`(template: String) async throws {
        let port = try freePort()
        let server = try RedisServer(["--port", "\(port)", "--requirepass", "secret"])
        try await server.withClient(url: "redis://:secret@127.0.0.1:\(port)") { _ in }
        let client = try RedisClient(
            url: template.replacing("PORT", with: "\(port)"),
            configuration: .forTests,
            logger: .quiet
        )
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            #expect(!(await client.waitUntilConnected(timeoutSeconds: 0.5)))
            await #expect(throws: RedisError.unavailable) { try await client.command(["PING"]) }
            group.cancelAll()
        }
    }

    @Test func `bytes that are not the protocol's break the connection`() async throws {
        let peer = try RawPeer(answer: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        let client = try RedisClient(
            url: "redis://127.0.0.1:\(peer.port)",
            configuration: .forTests,
            logger: .quiet
        )
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            #expect(await eventually { peer.connections >= 3 })
            #expect(!client.isConnected)
            group.cancelAll()
        }
    }

    @Test func `a graceful shutdown answers who waits and ends the streams`() async throws {
        let server = try RedisServer()
        let client = try RedisClient(url: server.url, configuration: .forTests, logger: .quiet)
        let group = ServiceGroup(services: [client], logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try #require(await client.waitUntilConnected(timeoutSeconds: 120))
            var events = client.subscribe(to: ["channel"]).makeAsyncIterator()
            #expect(await events.next() == .subscribed)
            async let blocked = client.pipeline([["INCR", "key"], ["BLPOP", "nothing", 0]])
            try await server.withClient { other in
                #expect(await eventually { (try? await other.command(["GET", "key"]).integer) == 1 })
            }
            await group.triggerGracefulShutdown()
            #expect(await blocked.last == .failure(.connectionLost))
            #expect(await events.next() == nil)
            try await tasks.waitForAll()
        }
        await #expect(throws: RedisError.unavailable) { try await client.command(["PING"]) }
        #expect(!(await client.waitUntilConnected(timeoutSeconds: 120)))
        var late = client.subscribe(to: ["channel"]).makeAsyncIterator()
        #expect(await late.next() == nil)
    }
}
