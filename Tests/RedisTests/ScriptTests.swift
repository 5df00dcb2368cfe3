import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct ScriptTests {
    @Test func `a script runs by its digest, also after the server has forgotten it`() async throws {
        try await RedisServer().withClient { client in
            let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
            #expect(try await script.run(on: client, keys: ["key"], arguments: [5]) == .integer(5))
            _ = try await client.command(["SCRIPT", "FLUSH"])
            #expect(try await script.run(on: client, keys: ["key"], arguments: [5]) == .integer(10))
            #expect(try await script.run(on: client, keys: ["key"], arguments: [5]) == .integer(15))
            let stats = try await client.command(["INFO", "commandstats"]).text ?? ""
            #expect(stats.contains("cmdstat_evalsha:calls=3"))
            #expect(stats.contains("cmdstat_eval:calls=1"))
        }
    }

    @Test func `an error of a script is thrown`() async throws {
        try await RedisServer().withClient { client in
            let script = RedisScript("return redis.error_reply('MINE went wrong')")
            await #expect(throws: RedisError.refused(RedisRefusal(message: "MINE went wrong"))) {
                try await script.run(on: client, keys: [])
            }
        }
    }

    @Test func `a lease has one holder and only he extends or releases it`() async throws {
        try await RedisServer().withClient { client in
            let first = try #require(try await RedisLease.acquire("job", on: client, seconds: 60))
            #expect(try await RedisLease.acquire("job", on: client, seconds: 60) == nil)
            #expect(try await first.extend(seconds: 120))
            #expect((try await client.command(["PTTL", "lease:job"]).integer ?? 0) > 60_000)
            #expect(try await first.release())
            let second = try #require(try await RedisLease.acquire("job", on: client, seconds: 60))
            #expect(!(try await first.extend(seconds: 60)))
            #expect(!(try await first.release()))
            #expect(first.token != second.token)
            #expect(try await second.extend(seconds: 0.001))
            #expect(await eventually { (try? await client.command(["EXISTS", "lease:job"])) == .integer(0) })
            #expect(!(try await second.release()))
        }
    }

    @Test func `while the server is away nobody gets a lease or keeps one`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            let lease = try #require(try await RedisLease.acquire("job", on: client, seconds: 60))
            server.stop()
            #expect(await eventually { !client.isConnected })
            await #expect(throws: RedisError.unavailable) { try await lease.extend(seconds: 60) }
            await #expect(throws: RedisError.unavailable) { try await lease.release() }
            await #expect(throws: RedisError.unavailable) {
                try await RedisLease.acquire("job", on: client, seconds: 60)
            }
        }
    }

    @Test func `a cache keeps a value for its time and is a miss while the server is away`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            let cache = RedisCache(client: client, name: "fees", timeoutSeconds: 10)
            #expect(await cache.get("a") == nil)
            #expect(await cache.set("a", [1, 2], expiresInSeconds: 60))
            #expect(await cache.get("a") == [1, 2])
            let timeLeft = try await client.command(["PTTL", "cache:fees:a"]).integer ?? 0
            #expect(timeLeft > 50_000)
            #expect(await cache.remove("a"))
            #expect(await cache.get("a") == nil)
            _ = await cache.set("b", [3], expiresInSeconds: 0.001)
            #expect(await eventually { await cache.get("b") == nil })
            server.stop()
            #expect(await eventually { !client.isConnected })
            #expect(await cache.get("a") == nil)
            #expect(!(await cache.set("a", [1], expiresInSeconds: 60)))
            #expect(!(await cache.remove("a")))
        }
    }
}
