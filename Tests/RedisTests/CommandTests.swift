import Glibc
import MetricsTestKit
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct CommandTests {
    @Test func `each kind of reply has its value`() async throws {
        try await RedisServer().withClient { client in
            let bytes: [UInt8] = [0, 13, 10, 255]
            #expect(try await client.command(["SET", "key", bytes]) == .status("OK"))
            #expect(try await client.command(["GET", "key"]).bytes == bytes)
            #expect(try await client.command(["GET", "nothing"]).isNull)
            #expect(try await client.command(["INCRBY", "number", -5]) == .integer(-5))
            #expect(try await client.command(["GET", "number"]).integer == -5)
            _ = try await client.command(["RPUSH", "list", "a", "", "c"])
            let list = try await client.command(["LRANGE", "list", 0, -1])
            #expect(list.elements?.map(\.text) == ["a", "", "c"])
            #expect(try await client.command(["XADD", "stream", "*", "a", "1"]).text?.contains("-") == true)
        }
    }

    @Test func `a refused command says why and harms no other`() async throws {
        let metrics = TestMetrics()
        try await RedisServer().withClient(metrics: metrics) { client in
            _ = try await client.command(["SET", "key", "text"])
            let results = await client.pipeline([["INCR", "key"], ["GET", "key"], ["NOSUCH"]])
            guard case .failure(.refused(let refusal)) = results[0] else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.code == "ERR")
            #expect(try results[1].get().text == "text")
            await #expect { try await client.command(["LPUSH", "key", "x"]) } throws: { error in
                guard case .refused(let refusal)? = error as? RedisError else { return false }
                return refusal.code == "WRONGTYPE"
            }
        }
        #expect(try metrics.expectCounter("redis_errors", [("kind", "refused")]).totalValue == 3)
        #expect(try metrics.expectCounter("redis_commands").totalValue == 5)
    }

    @Test func `replies find their callers when many ask at once`() async throws {
        try await RedisServer().withClient { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<64 {
                    group.addTask {
                        for round in 0..<50 {
                            let text = "\(caller)-\(round)"
                            let reply = try await client.command(["ECHO", text])
                            #expect(reply.text == text)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a large value and a long pipeline pass`() async throws {
        try await RedisServer().withClient { client in
            let large = [UInt8](repeating: 7, count: 5_000_000)
            _ = try await client.command(["SET", "large", large])
            #expect(try await client.command(["GET", "large"]).bytes == large)
            let results = await client.pipeline((0..<10_000).map { ["ECHO", $0] })
            #expect(try results.map { try $0.get().integer } == Array(0..<10_000))
        }
    }

    @Test func `nothing that is asked before the client runs is sent`() async throws {
        let client = try RedisClient(url: "redis://127.0.0.1:1", logger: .quiet)
        await #expect(throws: RedisError.unavailable) { try await client.command(["PING"]) }
        #expect(RedisError.unavailable.isSurelyNotExecuted)
    }

    @Test func `a late reply is given up and the next command gets its own`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            await #expect(throws: RedisError.deadlineExceeded) {
                try await client.command(["BLPOP", "nothing", "0.3"], timeoutSeconds: 0.05)
            }
            let reply = try await client.command(["ECHO", "next"])
            #expect(reply.text == "next")
        }
    }

    @Test func `more commands than allowed are refused at once`() async throws {
        var configuration = RedisConfiguration.forTests
        configuration.commandsInFlightMax = 2
        let server = try RedisServer()
        try await server.withClient(configuration) { client in
            async let blocked = client.pipeline([["BLPOP", "list", 0], ["PING"]])
            try await server.withClient { other in
                #expect(await eventually { await client.pipeline([["PING"]]) == [.failure(.overloaded)] })
                _ = try await other.command(["RPUSH", "list", "go"])
            }
            #expect(await blocked.last == .success(.status("PONG")))
            #expect(await eventually { await client.pipeline([["PING"]]) == [.success(.status("PONG"))] })
        }
    }

    @Test func `more bytes than allowed are refused at once`() async throws {
        var configuration = RedisConfiguration.forTests
        configuration.outgoingBytesMax = 1000
        try await RedisServer().withClient(configuration) { client in
            await #expect(throws: RedisError.overloaded) {
                try await client.command(["SET", "key", [UInt8](repeating: 0, count: 1000)])
            }
            let reply = try await client.command(["EXISTS", "key"])
            #expect(reply == .integer(0))
        }
    }

    @Test func `bytes that the server does not read count until it does`() async throws {
        var configuration = RedisConfiguration.forTests
        configuration.outgoingBytesMax = 20_000_000
        let server = try RedisServer()
        try await server.withClient(configuration) { client in
            kill(server.pid, SIGSTOP)
            let value = [UInt8](repeating: 0, count: 5_000_000)
            let errors = await withTaskGroup(of: RedisError?.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        do throws(RedisError) {
                            _ = try await client.command(["SET", "key\(number)", value], timeoutSeconds: 0.2)
                            return nil
                        } catch { return error }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            kill(server.pid, SIGCONT)
            #expect(errors.count { $0 == .overloaded } >= 4)
            #expect(errors.count { $0 == .deadlineExceeded } >= 3)
            let isRoom = await eventually {
                await client.pipeline([["SET", "again", value]]) == [.success(.status("OK"))]
            }
            #expect(isRoom)
            // Four values more, one after another, are more than the bound: what was written makes room.
            for number in 0..<5 {
                let reply = try await client.command(["SET", "again\(number)", value])
                #expect(reply == .status("OK"))
            }
        }
    }

    @Test func `one after another never meets the bound of one`() async throws {
        var configuration = RedisConfiguration.forTests
        configuration.commandsInFlightMax = 1
        try await RedisServer().withClient(configuration) { client in
            for number in 0..<2000 {
                let reply = try await client.command(["ECHO", number])
                #expect(reply.integer == number)
            }
        }
    }

    @Test func `a cancelled caller is answered at once and the next command gets its own reply`() async throws {
        try await RedisServer().withClient { client in
            let error = await withTaskGroup(of: RedisError?.self) { group in
                group.addTask {
                    do throws(RedisError) {
                        _ = try await client.command(["BLPOP", "nothing", "0.3"])
                        return nil
                    } catch { return error }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error == .cancelled)
            let reply = try await client.command(["ECHO", "next"])
            #expect(reply.text == "next")
        }
    }

    @Test func `a reply that is too long breaks the connection`() async throws {
        var configuration = RedisConfiguration.forTests
        configuration.replyBytesMax = 100_000
        try await RedisServer().withClient(configuration) { client in
            _ = try await client.command(["SETRANGE", "key", 1_000_000, "x"])
            await #expect(throws: RedisError.connectionLost) { try await client.command(["GET", "key"]) }
            #expect(await client.waitUntilConnected(timeoutSeconds: 120))
        }
    }
}
