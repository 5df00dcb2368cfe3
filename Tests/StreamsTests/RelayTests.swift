import HTTP
import Kernel
import Logging
import Metrics
import Redis
import Streams
import TestSupport
import Testing

@Suite struct RelayTests {
    /// Two hubs of one installation, and a Redis that can be killed.
    private func withPair(
        _ source: Source,
        _ body: (Station, Station, RedisServer) async throws -> Void
    ) async throws {
        let redis = try RedisServer()
        // Only the publisher has the book.
        let elsewhere = Source()
        elsewhere.set(isHere: false)
        try await redis.withRelay { first in
            try await redis.withRelay { second in
                try await Station.with(Station.families(source), relay: first) { publisher in
                    try await Station.with(Station.families(elsewhere), relay: second) { other in
                        try await body(publisher, other, redis)
                    }
                }
            }
        }
    }

    @Test func `what is published in one process reaches the subscribers of another`() async throws {
        let source = Source()
        try await withPair(source) { publisher, other, _ in
            source.publish(publisher.hub)
            let client = try await other.connect()
            #expect(try await client.subscribe("depth:A") == "ack subscribe")
            try await client.catchUp(with: source, publisher.hub)
        }
    }

    @Test func `while Redis is away the publisher's go on, the others know it and are caught up`() async throws {
        let source = Source()
        try await withPair(source) { publisher, other, redis in
            source.publish(publisher.hub)
            let (near, far) = (try await publisher.connect(), try await other.connect())
            #expect(try await near.subscribe("depth:A") == "ack subscribe")
            #expect(try await far.subscribe("depth:A") == "ack subscribe")
            try await far.catchUp(with: source, publisher.hub)
            redis.stop()
            var message = ""
            while message != "stale depth:A" { message = try await far.brief() }
            source.publish(publisher.hub, count: 1_000)
            let last = source.last
            repeat { message = try await near.brief() } while message != "update depth:A \(last)"
            try redis.start()
            repeat { message = try await far.brief() } while message != "snapshot depth:A \(last)"
            source.publish(publisher.hub)
            repeat { message = try await far.brief() } while message.hasPrefix("snapshot")
            #expect(message == "update depth:A \(last + 1)")
        }
    }
}

extension Client {
    /// Publishes until one arrives, then sees to it that each follows the one before or a state.
    fileprivate func catchUp(with source: Source, _ hub: StreamHub) async throws {
        var last: Int?
        var isUpdated = false
        while !isUpdated {
            source.publish(hub)
            let json = try await next()
            let sequence = json["seq"]?.integerValue
            switch json["type"]?.stringValue {
            case "snapshot": last = sequence
            case "update":
                #expect(last.map { $0 + 1 } == json["first"]?.integerValue ?? sequence)
                last = sequence
                isUpdated = true
            default: continue
            }
        }
    }
}
