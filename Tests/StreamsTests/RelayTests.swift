import HTTP
import Kernel
import Logging
import Metrics
import Redis
@testable import Streams
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

    /// Runs a process of an installation with a relay of its own.
    private func process(
        _ redis: RedisServer,
        _ source: Source,
        _ body: (Station, RedisStreamRelay) async throws -> Void
    ) async throws {
        try await redis.withRelay { relay in
            try await Station.with(Station.families(source), relay: relay) { try await body($0, relay) }
        }
    }

    /// Waits until so many publications are kept.
    private func untilKept(_ count: Int, _ relay: RedisStreamRelay) async throws {
        for _ in 0..<500 {
            if await relay.recall(StreamChannelID("depth", "A")).count >= count { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(count) publications aren't kept")
    }

    private func resume(_ station: Station, from: Int) async throws -> (client: Client, isResumed: Bool?) {
        let client = try await station.connect()
        client.send(["op": "resume", "channel": "depth:A", "from": .integer(from)])
        return (client, try await client.next()["resumed"]?.boolValue)
    }

    /// Resumes and gets what was missed; again where the process began to hear of others at that very moment.
    private func resume(_ station: Station, from: Int, until last: Int) async throws -> Client {
        for _ in 0..<100 {
            let (client, isResumed) = try await resume(station, from: from)
            let wanted = (from + 1...last).map { "update depth:A \($0)" }
            var messages: [String] = []
            while isResumed == true, messages.last != wanted.last, messages.last?.hasPrefix("snapshot") != true {
                messages.append(try await client.brief())
            }
            if messages == wanted { return client }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("what came after \(from) can't be resumed")
        throw CancellationError()
    }

    @Test func `who resumes after a restart, or at another process, gets what was missed`() async throws {
        let (redis, source) = (try RedisServer(), Source())
        try await process(redis, source) { station, relay in
            for _ in 0..<5 { source.publish(station.hub) }
            try await untilKept(5, relay)
        }
        try await process(redis, source) { station, _ in
            let client = try await resume(station, from: 2, until: 5)
            source.publish(station.hub)
            #expect(try await client.brief() == "update depth:A 6")
            let elsewhere = Source()
            elsewhere.set(isHere: false)
            try await process(redis, elsewhere) { other, relay in
                try await untilKept(6, relay)
                _ = try await resume(other, from: 4, until: 6)
            }
            _ = try await resume(station, from: 0, until: 6)
        }
    }

    @Test func `what Redis lost, or kept of other times, isn't resumed from`() async throws {
        let (redis, source) = (try RedisServer(), Source())
        try await process(redis, source) { station, relay in
            for _ in 0..<5 { source.publish(station.hub) }
            try await untilKept(5, relay)
        }
        // The publisher's numbers begin anew, as with another database.
        let other = Source()
        try await process(redis, other) { station, _ in
            let client = try await resume(station, from: 2, until: 5)
            other.publish(station.hub)
            #expect(try await client.brief() == "snapshot depth:A 1")
        }
        redis.stop()
        try redis.start()
        try await process(redis, source) { station, _ in
            let (client, isResumed) = try await resume(station, from: 2)
            #expect(isResumed == false)
            #expect(try await client.brief() == "snapshot depth:A 5")
        }
    }

    @Test func `a ring takes earlier publications in only where they join, and as many as it has room for`() {
        func entry(_ first: Int64, _ last: Int64) -> StreamRing.Entry {
            StreamRing.Entry(sequence: first...last, message: StreamText.publication(.update, "d", first...last, [48]))
        }
        var ring = StreamRing(StreamFamily.Ring(countMax: 4))
        ring.append(entry(7, 8))
        let isGap = !ring.prepend([entry(1, 5)])
        #expect(isGap, "6 is missing")
        let isTaken = ring.prepend((1...8).map { entry($0, $0) })
        #expect(isTaken)
        #expect(ring.floor == 3 && ring.last == 8)
        var empty = StreamRing(StreamFamily.Ring(countMax: 4))
        let isBegun = empty.prepend([entry(1, 2), entry(3, 3)])
        #expect(isBegun)
        #expect(empty.floor == 0 && empty.last == 3)
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
