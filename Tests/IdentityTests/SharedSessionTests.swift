import EmbeddedServers
import Kernel
import Logging
import PostgreSQL
import Redis
import TestSupport
import Testing

/// Sessions over several processes, with a Redis of their own.
@Suite(.timeLimit(.minutes(5))) struct SharedSessionTests {
    /// Runs `body` with a user who is signed in, and a client of a Redis server.
    private func with(
        _ body: (Fixture, (token: String, id: ID<User>), EmbeddedRedis, RedisClient) async throws -> Void
    ) async throws {
        try await TestRedis.withServer { server in
            try await Fixture.with { world in
                let client = try RedisClient(
                    url: server.url,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await client.run() }
                    try #require(await client.waitUntilConnected(timeoutSeconds: 60))
                    try await body(world, try await world.customer(), server, client)
                    group.cancelAll()
                }
            }
        }
    }

    private func status(_ process: Fixture, _ token: String) async throws -> Int {
        try await process.send("GET", "/v1/probe", token: token).status
    }

    @Test func `a session is read once for all processes, for as long as it counts`() async throws {
        try await with { world, user, _, client in
            let processes = [try await world.sibling(redis: client), try await world.sibling(redis: client)]
            #expect(try await status(processes[0], user.token) == 200)
            let key = "session:\(user.id)"
            #expect(try await client.command(["HLEN", key]).integer == 1)
            #expect((86_000...86_400).contains(try await client.command(["TTL", key]).integer ?? 0))
            // Behind all backs, so that the answer tells where it comes from.
            _ = try await world.pool.query(
                "update platform.sessions set revoked_at = now(), revoked_because = 'signed_out'"
            )
            #expect(try await status(processes[1], user.token) == 200)
            world.clock.advance(seconds: 5)
            for process in processes { #expect(try await status(process, user.token) == 401) }
        }
    }

    @Test func `the end of a session is known at once to whoever hasn't just looked`() async throws {
        try await with { world, user, _, client in
            let (here, there) = (try await world.sibling(redis: client), try await world.sibling(redis: client))
            #expect(try await status(here, user.token) == 200)
            #expect(try await here.send("POST", "/v1/auth/logout", token: user.token).status == 204)
            #expect(try await status(here, user.token) == 401)
            #expect(try await status(there, user.token) == 401)
            let known = try await client.command(["HVALS", "session:\(user.id)"])
            #expect(known.elements?.compactMap(\.text) == ["ended"])
            // What is ended stays so, whatever is asked later.
            world.clock.advance(seconds: 60)
            #expect(try await status(there, user.token) == 401)
        }
    }

    @Test func `a revoked session is refused with Redis gone, and a live one counts`() async throws {
        try await with { world, user, server, client in
            let process = try await world.sibling(redis: client)
            let other = try #require(try await world.signIn().text("access_token"))
            for token in [user.token, other] { #expect(try await status(process, token) == 200) }
            await server.stop()
            #expect(try await world.send("POST", "/v1/auth/logout", token: user.token).status == 204)
            world.clock.advance(seconds: 5)
            #expect(try await status(process, user.token) == 401)
            #expect(try await status(process, other) == 200)
        }
    }

    @Test func `what stands there otherwise is not believed`() async throws {
        try await with { world, user, _, client in
            let session: String = try await world.value("select id::text from platform.sessions")
            let later = world.clock.now().adding(seconds: 3_600).microseconds
            let texts = [
                "", "live", "ended twice", "1 factor", "\(later) password", "x due", "\(later) factor \(later)",
                String(repeating: "9", count: 40) + " password",
            ]
            _ = try await world.pool.query(
                "update platform.sessions set revoked_at = now(), revoked_because = 'signed_out'"
            )
            for text in texts {
                let words: [any RedisArgument] = ["HSET", "session:\(user.id)", session, text]
                _ = try await client.command(words)
                let process = try await world.sibling(redis: client)
                #expect(try await status(process, user.token) == 401, "\(text)")
            }
        }
    }
}
