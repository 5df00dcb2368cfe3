import Foundation
import HTTP
import Kernel
import NIOCore
import Streams
import Synchronization
import TestSupport
import Testing

@Suite struct DeliveryTests {
    private let depth = StreamChannelID("depth", "A")

    @Test func `who resumes inside the ring gets what follows, who comes too late gets the state`() async throws {
        let source = Source()
        let ring = StreamFamily.Ring(countMax: 100)
        try await Station.with(Station.families(source, ring: ring)) { station in
            for _ in 0..<150 { source.publish(station.hub) }
            for (from, isResumed) in [(50, true), (149, true), (150, true), (49, false), (0, false), (151, false)] {
                let client = try await station.connect()
                client.send(["op": "resume", "channel": "depth:A", "from": .integer(from)])
                let answer = try await client.next()
                #expect(answer["resumed"] == .bool(isResumed), "\(from)")
                if isResumed {
                    for number in (from + 1)..<151 {
                        #expect(try await client.brief() == "update depth:A \(number)")
                    }
                } else {
                    #expect(try await client.brief() == "snapshot depth:A 150")
                }
            }
        }
    }

    @Test func `bytes bound the ring too`() async throws {
        let source = Source()
        let ring = StreamFamily.Ring(countMax: 1_000, bytesMax: 1_000)
        try await Station.with(Station.families(source, ring: ring)) { station in
            for _ in 0..<100 { source.publish(station.hub) }
            let client = try await station.connect()
            client.send(["op": "resume", "channel": "depth:A", "from": .integer(10)])
            #expect(try await client.next()["resumed"] == false)
            #expect(try await client.brief() == "snapshot depth:A 100")
            client.send(["op": "resume", "channel": "depth:A", "from": .integer(95)])
            #expect(try await client.next()["resumed"] == true)
        }
    }

    @Test func `a gap in the numbers leads to the state again`() async throws {
        let source = Source()
        try await Station.with(Station.families(source)) { station in
            source.publish(station.hub)
            let client = try await station.connect()
            #expect(try await client.subscribe("depth:A") == "ack subscribe")
            #expect(try await client.brief() == "snapshot depth:A 1")
            source.publish(station.hub, isLost: true)
            source.publish(station.hub)
            #expect(try await client.brief() == "snapshot depth:A 3")
            source.publish(station.hub)
            #expect(try await client.brief() == "update depth:A 4")
        }
    }

    @Test func `a state that can't be had now comes later`() async throws {
        let source = Source()
        source.set(fails: true)
        try await Station.with(Station.families(source)) { station in
            let client = try await station.connect()
            #expect(try await client.subscribe("depth:A") == "ack subscribe")
            while source.asked < 3 { await Task.yield() }
            source.publish(station.hub)
            source.set(fails: false)
            #expect(try await client.brief() == "snapshot depth:A 1")
        }
    }

    @Test func `many who come at once share a few states`() async throws {
        let source = Source()
        try await Station.with(Station.families(source)) { station in
            source.publish(station.hub)
            for _ in 0..<50 {
                let client = try await station.connect()
                #expect(try await client.subscribe("depth:A") == "ack subscribe")
                #expect(try await client.brief() == "snapshot depth:A 1")
            }
            #expect(source.asked == 1)
        }
    }

    @Test func `who doesn't read is dropped with a code, and the others lose nothing`() async throws {
        let ring = StreamFamily.Ring(countMax: 200)
        try await Station.with(Station.families(Source(), ring: ring)) { station in
            let (slow, quick) = (try await station.connect(), try await station.connect())
            for client in [slow, quick] {
                #expect(try await client.subscribe("trades:A") == "ack subscribe")
                #expect(try await client.brief() == "live trades:A 0")
            }
            try await slow.socket.setReads(false)
            let text = JSON.string(String(repeating: "x", count: 60_000))
            var expected = 0
            for number in 1...400 {
                station.hub.publish(text, to: StreamChannelID("trades", "A"), sequence: Int64(number)...Int64(number))
                let json = try await quick.next()
                expected += 1
                #expect(json["seq"]?.integerValue == expected)
            }
            // Its end is decided within a second, while it still doesn't read; then it finds the reason.
            let ended = try await slow.socket.channel.getOption(.autoRead).get()
            #expect(!ended)
            for _ in 0..<3 {
                quick.send(["op": "ping"])
                #expect(try await quick.brief() == "ack ping")
                try await Task.sleep(for: .milliseconds(500))
            }
            try await slow.socket.setReads(true)
            var last = ""
            while !last.hasPrefix("closed"), last != "? ?" { last = try await slow.brief() }
            #expect(last == "closed 4008 slow_consumer")
        }
    }

    /// Counts the numbers in the frames of one channel without parsing more than it must.
    final class Counter: Sendable {
        struct State {
            var rest = ByteBuffer()
            var last = 0
            var gaps = 0
        }

        static let prefix = #"{"type":"update","channel":"trades:A","seq":"#.utf8.count
        let state = Mutex(State())
        let total: Int
        let finished: @Sendable () -> Void

        init(total: Int, finished: @escaping @Sendable () -> Void) { (self.total, self.finished) = (total, finished) }

        func take(_ bytes: ByteBuffer) {
            let isDone = state.withLock { state in
                state.rest.writeImmutableBuffer(bytes)
                let before = state.last
                while let head: UInt16 = state.rest.getInteger(at: state.rest.readerIndex),
                    state.rest.readableBytes >= 2 + Int(head & 0x7F)
                {
                    state.rest.moveReaderIndex(forwardBy: 2)
                    if head >> 8 == 0x81, let frame = state.rest.readSlice(length: Int(head & 0x7F)) {
                        count(frame, &state)
                    } else {
                        state.rest.moveReaderIndex(forwardBy: Int(head & 0x7F))
                    }
                }
                state.rest.discardReadBytes()
                return before < total && state.last == total
            }
            if isDone { finished() }
        }

        private func count(_ frame: ByteBuffer, _ state: inout State) {
            var number = 0
            var place = frame.readerIndex + Counter.prefix
            while let digit: UInt8 = frame.getInteger(at: place), digit >= 48, digit < 58 {
                number = number * 10 + Int(digit) - 48
                place += 1
            }
            // Acknowledgements and the like have no digits there.
            guard place > frame.readerIndex + Counter.prefix else { return }
            if number != state.last + 1 { state.gaps += 1 }
            state.last = number
        }
    }

    /// `DIBOAS_TEST_SUBSCRIBERS` asks for more: 1000, with as many messages, take one to two minutes.
    @Test(.timeLimit(.minutes(5))) func `hundreds of subscribers get hundreds of messages without a gap`() async throws
    {
        let asked = ProcessInfo.processInfo.environment["DIBOAS_TEST_SUBSCRIBERS"].flatMap { Int($0) }
        let (subscribers, messages) = (asked ?? 200, max(500, asked ?? 0))
        try await Station.with(Station.families(Source(), ring: StreamFamily.Ring())) { station in
            let (ends, end) = AsyncStream<Void>.makeStream()
            var counters: [Counter] = []
            var clients: [WebSocketClient] = []
            for _ in 0..<subscribers {
                let counter = Counter(total: messages) { end.yield() }
                counters.append(counter)
                let client = try await WebSocketClient.connect(port: station.port, tap: { counter.take($0) })
                client.send(#"{"op":"resume","channel":"trades:A","from":0}"#)
                clients.append(client)
            }
            for number in 1...messages {
                let sequence = Int64(number)...Int64(number)
                station.hub.publish(.integer(number), to: StreamChannelID("trades", "A"), sequence: sequence)
                if number.isMultiple(of: 10) { await Task.yield() }
            }
            var iterator = ends.makeAsyncIterator()
            for _ in 0..<subscribers { await iterator.next() }
            #expect(counters.allSatisfy { $0.state.withLock { $0.gaps == 0 && $0.last == messages } })
            for client in clients { client.drop() }
        }
    }

    @Test func `a subscriber that has gone is forgotten`() async throws {
        let source = Source()
        try await Station.with(Station.families(source)) { station in
            let client = try await station.connect()
            #expect(try await client.subscribe("depth:A") == "ack subscribe")
            #expect(try await client.brief() == "snapshot depth:A 0")
            client.socket.drop()
            for await _ in client.socket.events {}
            source.publish(station.hub)
            let next = try await station.connect()
            #expect(try await next.subscribe("depth:A") == "ack subscribe")
            #expect(try await next.brief() == "snapshot depth:A 0")
            #expect(try await next.brief() == "update depth:A 1")
        }
    }
}
