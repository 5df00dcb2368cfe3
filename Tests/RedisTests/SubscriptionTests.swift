import MetricsTestKit
import Testing

@testable import Redis

@Suite(.timeLimit(.minutes(10))) struct SubscriptionTests {
    @Test func `messages reach those who listen to their channel`() async throws {
        try await RedisServer().withClient { client in
            var both = client.subscribe(to: ["one", "two"]).makeAsyncIterator()
            #expect(await both.next() == .subscribed)
            // The server sends channel one already.
            var one = client.subscribe(to: ["one"]).makeAsyncIterator()
            #expect(await one.next() == .subscribed)
            _ = try await client.command(["PUBLISH", "one", "first"])
            _ = try await client.command(["PUBLISH", "two", [0, 255] as [UInt8]])
            _ = try await client.command(["PUBLISH", "one", "third"])
            #expect(await both.next() == .message(channel: "one", payload: Array("first".utf8)))
            #expect(await both.next() == .message(channel: "two", payload: [0, 255]))
            #expect(await both.next() == .message(channel: "one", payload: Array("third".utf8)))
            #expect(await one.next() == .message(channel: "one", payload: Array("first".utf8)))
            #expect(await one.next() == .message(channel: "one", payload: Array("third".utf8)))
        }
    }

    @Test func `a subscription outlives the server`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            var events = client.subscribe(to: ["channel"]).makeAsyncIterator()
            #expect(await events.next() == .subscribed)
            server.stop()
            #expect(await events.next() == .interrupted)
            try server.start()
            #expect(await events.next() == .subscribed)
            #expect(await client.waitUntilConnected(timeoutSeconds: 120))
            #expect(try await client.command(["PUBLISH", "channel", "again"]) == .integer(1))
            #expect(await events.next() == .message(channel: "channel", payload: Array("again".utf8)))
        }
    }

    @Test func `a subscription that begins while the server is away begins when it comes`() async throws {
        let server = try RedisServer()
        try await server.withClient { client in
            server.stop()
            #expect(await eventually { !client.isConnected })
            var events = client.subscribe(to: ["channel"]).makeAsyncIterator()
            try server.start()
            #expect(await events.next() == .subscribed)
        }
    }

    @Test func `the server is told when nobody listens any more`() async throws {
        try await RedisServer().withClient { client in
            do {
                var events = client.subscribe(to: ["channel"]).makeAsyncIterator()
                #expect(await events.next() == .subscribed)
                let listening = try await client.command(["PUBSUB", "NUMSUB", "channel"])
                #expect(listening.elements?.last == .integer(1))
            }
            let isTold = try await eventually {
                try await client.command(["PUBSUB", "NUMSUB", "channel"]).elements?.last == .integer(0)
            }
            #expect(isTold)
            var again = client.subscribe(to: ["channel"]).makeAsyncIterator()
            #expect(await again.next() == .subscribed)
        }
    }

    @Test func `a subscriber that is too slow loses the oldest events and they are counted`() async throws {
        let metrics = TestMetrics()
        try await RedisServer().withClient(metrics: metrics) { client in
            let slow = client.subscribe(to: ["channel"], eventsMax: 2)
            var quick = client.subscribe(to: ["channel"]).makeAsyncIterator()
            #expect(await quick.next() == .subscribed)
            for number in 1...5 { _ = try await client.command(["PUBLISH", "channel", number]) }
            for number in 1...5 {
                #expect(await quick.next() == .message(channel: "channel", payload: Array("\(number)".utf8)))
            }
            // Subscribed and five messages, of which two stay.
            #expect(
                await eventually { (try? metrics.expectCounter("redis_messages_dropped").totalValue) == 4 }
            )
            var rest = slow.makeAsyncIterator()
            #expect(await rest.next() == .message(channel: "channel", payload: Array("4".utf8)))
        }
    }
}
