import HTTP
import Kernel
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite struct WebSocketTests {
    /// Says back what it is told, and some things about itself.
    final class Echo: WebSocketSession {
        private let opening: WebSocketEndpoint.Opening
        private let answers = Mutex<[String]>([])
        let ends = Atomic(0)

        init(_ opening: WebSocketEndpoint.Opening) { self.opening = opening }

        func receive(_ text: String) async {
            switch text {
            case "who": answer(opening.request.principal?.user.description ?? "nobody")
            case "close": opening.socket.close(WebSocketClose(.policy, "asked_for"))
            case _ where text.hasPrefix("token "):
                let principal = try? await opening.authenticate(String(text.dropFirst(6)))
                answer(principal?.user.description ?? "wrong")
            default: answer(text)
            }
        }

        private func answer(_ text: String) {
            answers.withLock { $0.append(text) }
            opening.socket.wake()
        }

        func take(countMax: Int) -> [WebSocketMessage] {
            answers.withLock { answers in
                defer { answers.removeFirst(min(countMax, answers.count)) }
                return answers.prefix(countMax).map { WebSocketMessage(text: Array($0.utf8)) }
            }
        }

        func fault() -> WebSocketClose? { nil }
        var isInUse: Bool { false }
        func ended() { ends.add(1, ordering: .relaxed) }
    }

    /// Runs a server with an echo at `/echo` for as long as `body` runs; `body` may shut it down by the group.
    private func serving(
        _ limits: WebSocketEndpoint.Limits = .init(),
        _ body: (Int, ServiceGroup, Sessions) async throws -> Void
    ) async throws {
        let sessions = Sessions()
        let endpoint = WebSocketEndpoint(limits: limits) { opening in
            let echo = Echo(opening)
            sessions.all.withLock { $0.append(echo) }
            return echo
        }
        let route = Route.webSocket("/echo", operationID: "echo", summary: "Echo", tag: "Other", endpoint: endpoint)
        let (ports, announced) = AsyncStream<Int>.makeStream()
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let server = APIServer(
            DemoAPI().make([route]),
            at: .host("127.0.0.1", port: 0),
            logger: quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        let services = ServiceGroup(services: [server], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(port, services, sessions)
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    private final class Sessions: Sendable { let all = Mutex<[Echo]>([]) }

    private func connect(_ port: Int, _ headers: String = "") async throws -> WebSocketClient {
        try await WebSocketClient.connect(port: port, path: "/echo", headers: headers)
    }

    private let upgrade = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    private let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    private let version = "Sec-WebSocket-Version: 13\r\n"

    @Test func `what opens no WebSocket is answered with a problem`() async throws {
        try await serving { port, _, _ in
            let (upgrade, key, version) = (upgrade, key, version)
            let cases: [(String, String, String)] = [
                ("GET", "", "426"), ("GET", upgrade + key + "Sec-WebSocket-Version: 8\r\n", "426"),
                ("GET", upgrade + key, "426"), ("GET", upgrade + version, "400"),
                ("GET", upgrade + version + key + key, "400"),
                ("GET", upgrade + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", "400"),
                ("GET", upgrade + version + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", "400"),
                ("GET", "Upgrade: websocket\r\n" + key + version, "400"),
                ("GET", "Upgrade: h2c\r\nConnection: Upgrade\r\n" + key + version, "426"),
                ("GET", upgrade + key + version + "Authorization: Bearer wrong\r\n", "401"),
                ("GET", upgrade + key + version + "Authorization: Basic wrong\r\n", "401"),
                ("POST", upgrade + key + version, "405"), ("HEAD", upgrade + key + version, "426"),
            ]
            for (method, fields, status) in cases {
                let text = "\(method) /echo HTTP/1.1\r\nHost: x\r\n\(fields)\r\n"
                let answer = await RawClient(port: port).exchange([text])
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(text)\(answer)")
                #expect(answer.contains("application/problem+json"), "\(text)\(answer)")
                if status == "426", method == "GET" {
                    #expect(answer.contains("Sec-WebSocket-Version: 13\r\n"))
                    #expect(answer.contains("Upgrade: websocket\r\n"))
                }
            }
            // Another route takes no upgrade, answers, and closes what it can't read further.
            let other = "GET /livez HTTP/1.1\r\nHost: x\r\n\(upgrade)\(key)\(version)\r\n"
            #expect(await RawClient(port: port).exchange([other]).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `messages, pings and the closing handshake go both ways`() async throws {
        try await serving { port, _, sessions in
            let client = try await connect(port)
            var events = client.events.makeAsyncIterator()
            client.send("hello")
            #expect(await events.next() == .text("hello"))
            client.send(frame: 0x01, Array("in ".utf8))
            client.send(frame: 0x89, [7])
            client.send(frame: 0x80, Array("parts".utf8))
            #expect(await events.next() == .pong([7]))
            #expect(await events.next() == .text("in parts"))
            let long = String(repeating: "x", count: 10_000)
            client.send(long)
            #expect(await events.next() == .text(long))
            client.send(frame: 0x88, [0x0F, 0xA1])
            #expect(await events.next() == .close(4001, ""))
            #expect(await events.next() == nil)
            let echo = try #require(sessions.all.withLock { $0.first })
            #expect(echo.ends.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `a token counts in the header and in a message`() async throws {
        try await serving { port, _, _ in
            let client = try await connect(port, "Authorization: Bearer writer\r\n")
            var events = client.events.makeAsyncIterator()
            client.send("who")
            #expect(await events.next() == .text(ID<User>(7).description))
            let other = try await connect(port)
            var answers = other.events.makeAsyncIterator()
            for text in ["who", "token reader", "token wrong"] { other.send(text) }
            #expect(await answers.next() == .text("nobody"))
            #expect(await answers.next() == .text(ID<User>(8).description))
            #expect(await answers.next() == .text("wrong"))
        }
    }

    @Test func `more messages at once than may wait are all answered, in order`() async throws {
        var limits = WebSocketEndpoint.Limits()
        limits.messagesPendingMax = 2
        try await serving(limits) { port, _, _ in
            let client = try await connect(port)
            var bytes: [UInt8] = []
            for number in 0..<5_000 { bytes += WebSocketClient.frame(0x81, Array("\(number)".utf8)) }
            client.send(bytes: bytes)
            var events = client.events.makeAsyncIterator()
            for number in 0..<5_000 { #expect(await events.next() == .text("\(number)")) }
        }
    }

    @Test(
        arguments: [
            (0x82, [65], true, 1003), (0x81, [65], false, 1002), (0xC1, [65], true, 1002), (0x80, [65], true, 1002),
            (0x81, [0xFF], true, 1007), (0x88, [1], true, 1002),
            (0x81, Array(repeating: 65, count: 20_000), true, 1009),
        ] as [(UInt8, [UInt8], Bool, UInt16)]
    )
    func `a broken frame closes the connection with its code`(
        first: UInt8,
        payload: [UInt8],
        isMasked: Bool,
        code: UInt16
    ) async throws {
        try await serving { port, _, _ in
            let client = try await connect(port)
            var events = client.events.makeAsyncIterator()
            client.send(frame: first, payload, isMasked: isMasked)
            guard case .close(let received, _) = await events.next() else {
                Issue.record("no close frame")
                return
            }
            #expect(received == code)
            #expect(await events.next() == nil)
        }
    }

    @Test func `random bytes don't disturb others`() async throws {
        try await serving { port, _, _ in
            let client = try await connect(port)
            var events = client.events.makeAsyncIterator()
            for _ in 0..<50 {
                let noise = try await connect(port)
                noise.send(bytes: (0..<Int.random(in: 1...3_000)).map { _ in UInt8.random(in: 0...255) })
                noise.drop()
                for await _ in noise.events {}
            }
            client.send("still here")
            #expect(await events.next() == .text("still here"))
        }
    }

    @Test func `there are only so many connections from one address`() async throws {
        var limits = WebSocketEndpoint.Limits()
        limits.connectionsPerAddressMax = 2
        try await serving(limits) { port, _, _ in
            let first = try await connect(port)
            _ = try await connect(port)
            let refusal = await #expect(throws: WebSocketClient.Refusal.self) { try await connect(port) }
            #expect(refusal?.answer.hasPrefix("HTTP/1.1 429 ") == true)
            #expect(refusal?.answer.contains("Retry-After: 5\r\n") == true)
            first.send(frame: 0x88, [])
            for await _ in first.events {}
            // The place is free once the server has seen the end.
            var isFree = false
            for _ in 0..<200 where !isFree { isFree = (try? await connect(port)) != nil }
            #expect(isFree)
        }
        limits.connectionsMax = 0
        try await serving(limits) { port, _, _ in
            let refusal = await #expect(throws: WebSocketClient.Refusal.self) { try await connect(port) }
            #expect(refusal?.answer.hasPrefix("HTTP/1.1 503 ") == true)
        }
    }

    @Test func `a silent peer and an idle one are closed, one that answers pings isn't silent`() async throws {
        var limits = WebSocketEndpoint.Limits()
        (limits.pingSeconds, limits.silenceSeconds, limits.idleSeconds) = (1, 3, 6)
        try await serving(limits) { port, _, _ in
            let mute = try await WebSocketClient.connect(port: port, path: "/echo", answersPings: false)
            let polite = try await connect(port)
            var ends: [WebSocketClient.Event] = []
            for await event in mute.events where event != .ping { ends.append(event) }
            for await event in polite.events where event != .ping { ends.append(event) }
            #expect(ends == [.close(4000, "silent"), .close(4001, "idle")])
        }
    }

    @Test func `a session closes with its own code`() async throws {
        try await serving { port, _, _ in
            let client = try await connect(port)
            var events = client.events.makeAsyncIterator()
            client.send("close")
            #expect(await events.next() == .close(1008, "asked_for"))
            #expect(await events.next() == nil)
        }
    }

    @Test func `a server that stops says so and waits for the answer`() async throws {
        try await serving { port, services, _ in
            let client = try await connect(port)
            var events = client.events.makeAsyncIterator()
            client.send("hello")
            #expect(await events.next() == .text("hello"))
            await services.triggerGracefulShutdown()
            #expect(await events.next() == .close(1001, "going_away"))
            #expect(await events.next() == nil)
        }
    }

    @Test func `the document has the route`() async throws {
        let endpoint = WebSocketEndpoint { Echo($0) }
        let route = Route.webSocket("/echo", operationID: "echo", summary: "Echo", tag: "Other", endpoint: endpoint)
        let api = DemoAPI().make([route])
        let document = try await api.respond("GET", "/openapi.json").json()
        let responses = document["paths"]?["/echo"]?["get"]?["responses"]
        for status in ["101", "401", "426", "429", "503"] { #expect(responses?[status] != nil, "\(status)") }
        #expect(await api.respond("GET", "/echo").status == 426)
    }
}
