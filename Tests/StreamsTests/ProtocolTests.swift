import Kernel
import Streams
import TestSupport
import Testing

@Suite struct ProtocolTests {
    @Test func `a subscriber gets the state and then every change`() async throws {
        let source = Source()
        try await Station.with(Station.families(source)) { station in
            for _ in 0..<3 { source.publish(station.hub) }
            let client = try await station.connect()
            client.send(["op": "subscribe", "channels": ["depth:A"], "id": .integer(5)])
            let acknowledgement = try await client.next()
            let expected: JSON = ["type": "ack", "op": "subscribe", "id": .number("5"), "channels": ["depth:A"]]
            #expect(acknowledgement == expected)
            let snapshot = try await client.next()
            #expect(
                snapshot == [
                    "type": "snapshot", "channel": "depth:A", "seq": .integer(3), "data": ["book": .integer(3)],
                ]
            )
            source.publish(station.hub)
            source.publish(station.hub, count: 3)
            #expect(try await client.brief() == "update depth:A 4")
            let range = try await client.next()
            #expect(
                range == [
                    "type": "update", "channel": "depth:A", "first": .integer(5), "seq": .integer(7),
                    "data": ["n": .integer(7)],
                ]
            )
            client.send(["op": "unsubscribe", "channels": ["depth:A"]])
            #expect(try await client.brief() == "ack unsubscribe")
            source.publish(station.hub)
            client.send(["op": "ping", "id": "x"])
            #expect(try await client.next() == ["type": "ack", "op": "ping", "id": "x"])
        }
    }

    @Test func `families open with nothing, with the last message, or with the state`() async throws {
        let source = Source()
        try await Station.with(Station.families(source)) { station in
            for price in 1...3 { station.hub.publish(.integer(price), to: StreamChannelID("ticker", "A")) }
            station.hub.publish(.integer(1), to: StreamChannelID("trades", "A"))
            let client = try await station.connect()
            #expect(try await client.subscribe("ticker:A") == "ack subscribe")
            #expect(try await client.next()["data"] == .integer(3))
            #expect(try await client.subscribe("trades:A") == "ack subscribe")
            let live = try await client.next()
            #expect(live["type"] == "live")
            station.hub.publish(.integer(2), to: StreamChannelID("trades", "A"))
            let trade = try await client.next()
            #expect(trade["data"] == .integer(2))
            #expect(trade["seq"]?.integerValue == live["seq"]?.integerValue.map { $0 + 1 })
        }
    }

    @Test func `what isn't understood is answered with a stable code`() async throws {
        try await Station.with(Station.families(Source()), limits: { $0.subscriptionsMax = 2 }) { station in
            let client = try await station.connect()
            let cases: [(String, String)] = [
                ("[]", "malformed_message"), ("{", "malformed_message"), (#"{"op":1}"#, "unknown_op"),
                (#"{"op":"dance"}"#, "unknown_op"), (#"{"op":"ping","id":[]}"#, "bad_id"),
                (#"{"op":"ping","extra":1}"#, "unknown_field"), (#"{"op":"subscribe"}"#, "bad_channels"),
                (#"{"op":"subscribe","channels":[]}"#, "bad_channels"),
                (#"{"op":"subscribe","channels":[1]}"#, "bad_channels"),
                (#"{"op":"subscribe","channels":["depth:B"]}"#, "unknown_channel"),
                (#"{"op":"subscribe","channels":["depth"]}"#, "unknown_channel"),
                (#"{"op":"subscribe","channels":["depth:"]}"#, "unknown_channel"),
                (#"{"op":"subscribe","channels":["orders:usr_7"]}"#, "unknown_channel"),
                (#"{"op":"subscribe","channels":["orders"]}"#, "unauthenticated"),
                (#"{"op":"unsubscribe","channels":["depth:A"]}"#, "not_subscribed"),
                (#"{"op":"resume","from":1}"#, "bad_channel"), (#"{"op":"resume","channel":"depth:A"}"#, "bad_from"),
                (#"{"op":"resume","channel":"depth:A","from":-1}"#, "bad_from"),
                (#"{"op":"resume","channel":"depth:B","from":1}"#, "unknown_channel"),
                (#"{"op":"authenticate"}"#, "bad_token"), (#"{"op":"authenticate","token":"x"}"#, "unauthenticated"),
            ]
            for (text, code) in cases {
                client.socket.send(text)
                #expect(try await client.brief() == "error \(code)", "\(text)")
            }
            #expect(try await client.subscribe("trades:A", "trades:B", "trades:C") == "ack subscribe")
            let rest = [try await client.brief(), try await client.brief(), try await client.brief()]
            #expect(rest.contains("error too_many_subscriptions"))
            #expect(rest.count { $0.hasPrefix("live ") } == 2)
        }
    }

    @Test func `a personal channel is the caller's alone`() async throws {
        try await Station.with(Station.families(Source())) { station in
            let ada = try await station.connect("Authorization: Bearer ada\r\n")
            let bob = try await station.connect()
            bob.send(["op": "authenticate", "token": "bob"])
            #expect(try await bob.brief() == "ack authenticate")
            for client in [ada, bob] {
                #expect(try await client.subscribe("orders") == "ack subscribe")
                #expect(try await client.brief() == "live orders 0")
            }
            station.hub.publish("ada's", to: StreamChannelID("orders", ID<User>(7).wire), sequence: 1...1)
            station.hub.publish("bob's", to: StreamChannelID("orders", ID<User>(8).wire), sequence: 1...1)
            #expect(try await ada.next()["data"] == "ada's")
            #expect(try await bob.next()["data"] == "bob's")
            bob.send(["op": "authenticate", "token": "ada"])
            #expect(try await bob.brief() == "error other_user")
            let eve = try await station.connect("Authorization: Bearer eve\r\n")
            #expect(try await eve.subscribe("orders") == "error forbidden")
        }
    }

    @Test func `tokens can't be guessed, and don't count for ever`() async throws {
        let families = Station.families(Source())
        try await Station.with(families, limits: { $0.authenticationSeconds = 1 }) { station in
            let guesser = try await station.connect()
            for number in 1...5 { guesser.send(["op": "authenticate", "token": .string("\(number)")]) }
            var last = ""
            while !last.hasPrefix("closed") { last = try await guesser.brief() }
            #expect(last == "closed 1008 wrong_tokens")
            let ada = try await station.connect("Authorization: Bearer ada\r\n")
            #expect(try await ada.subscribe("orders") == "ack subscribe")
            #expect(try await ada.brief() == "live orders 0")
            #expect(try await ada.brief() == "closed 1008 authentication_expired")
        }
    }
}
