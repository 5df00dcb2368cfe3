import HTTP
import Kernel
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct ServerTests {
    private let demo = DemoAPI()
    private let close = "Host: x\r\nConnection: close\r\n"
    private let bearer = "Authorization: Bearer writer\r\n"

    /// Runs a server for as long as `body` runs.
    private func serving(
        _ routes: [Route] = [],
        limits: APIServer.Limits = APIServer.Limits(),
        trustedProxies: Int = 0,
        _ body: (RawClient) async throws -> Void
    ) async throws {
        let (ports, announced) = AsyncStream<Int>.makeStream()
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let server = APIServer(
            demo.make(routes),
            at: .host("127.0.0.1", port: 0),
            limits: limits,
            trustedProxies: trustedProxies,
            logger: quiet,
            onRunning: { announced.yield($0 ?? 0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body(RawClient(port: port))
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    private func payment(_ body: String, _ more: String = "") -> String {
        "POST /v1/payments HTTP/1.1\r\n\(close)\(bearer)Idempotency-Key: k\r\nContent-Type: application/json\r\n"
            + "\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private let good = #"{"payee":"ada","amount":"1.00","asset":"USD"}"#

    @Test func `a request is answered over the network`() async throws {
        try await serving { client in
            let answer = await client.exchange([payment(good)])
            #expect(answer.hasPrefix("HTTP/1.1 201 Created\r\n"))
            #expect(answer.contains("Content-Type: application/json\r\n"))
            #expect(answer.contains("Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"))
            #expect(answer.contains(#""amount":"1.00""#))
        }
    }

    @Test func `requests in one packet are answered in order, a refused one between them`() async throws {
        try await serving { client in
            let first = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
            let refused = "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
            let last = "HEAD /livez HTTP/1.1\r\n\(close)\r\n"
            let answer = await client.exchange([first + refused + last])
            let statuses = answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "401", "200"])
            #expect(answer.hasSuffix("Content-Length: 15\r\nConnection: close\r\n\r\n"))
        }
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n", "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nBad\u{0}: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\u{0}b\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        "POST /v1/webhooks/stripe HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `what is no request is answered with a problem`(text: String) async throws {
        try await serving { client in
            let answer = await client.exchange([text])
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
            #expect(answer.contains("Content-Type: application/problem+json\r\n"))
            #expect(answer.contains(#""code":"malformed_request""#))
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n",
        "GET / HTTP/1.1\r\n" + (0..<200).map { "A\($0): b\r\n" }.joined() + "\r\n",
    ])
    func `header fields over the bound are 431`(text: String) async throws {
        try await serving { client in
            let answer = await client.exchange([text])
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
            #expect(answer.contains(#""code":"headers_too_large""#))
        }
    }

    @Test func `a chunked body is cut off at the bound`() async throws {
        try await serving { client in
            let head = "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n"
            // It never ends: only an answer before the end can close it.
            let answer = await client.exchange([head] + Array(repeating: chunk, count: 24))
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.contains("Connection: close\r\n"))
            #expect(answer.contains(#""code":"body_too_large""#))
        }
    }

    @Test func `a body up to the bound is taken`() async throws {
        try await serving { client in
            let size = BodyKind.rawLimitBytesDefault
            let head = "POST /v1/webhooks/stripe HTTP/1.1\r\n\(close)Content-Length: \(size)\r\n\r\n"
            let answer = await client.exchange([head, String(repeating: "x", count: size)])
            #expect(answer.hasSuffix("{\"bytes\":\(size)}"))
        }
    }

    @Test func `a client that waits for 100 gets it, or the refusal instead`() async throws {
        try await serving { client in
            let expectation = "Expect: 100-continue\r\n"
            let answer = await client.exchange([payment(good, expectation)])
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n"))
            let large = "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\n\(expectation)Content-Length: 99999999\r\n\r\n"
            #expect(await client.exchange([large]).hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func `a head that comes letter by letter is not waited for`() async throws {
        var limits = APIServer.Limits()
        limits.idleSeconds = 1
        try await serving(limits: limits) { client in
            var slow = client
            slow.pauseMilliseconds = 100
            // It would take twice as long as the client itself waits for.
            let head = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: " + String(repeating: "a", count: 400)
            let started = ContinuousClock.now
            let answer = await slow.exchange(head.map { String($0) })
            #expect(answer.isEmpty)
            #expect(ContinuousClock.now - started < .seconds(15))
            #expect(await client.exchange(["GET /livez HTTP/1.1\r\n\(close)\r\n"]).hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a body that comes too slowly is 408`() async throws {
        var limits = APIServer.Limits()
        limits.bodySeconds = 1
        try await serving(limits: limits) { client in
            let head = "POST /v1/webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
            let answer = await client.exchange([head])
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains(#""retryable":true"#))
            #expect(!answer.contains("still open"))
        }
    }

    @Test func `a handler that takes too long is cancelled and its client told`() async throws {
        let (cancelled, report) = AsyncStream<Void>.makeStream()
        let slow = Route(
            .get,
            "/v1/slow",
            operationID: "slow",
            summary: "Slow",
            tag: "Other",
            access: .public,
            responses: [204: ResponseShape("Never.")],
            timeoutSeconds: 1
        ) { _ in
            do { try await Task.sleep(for: .seconds(600)) } catch { report.yield() }
            return .noContent
        }
        try await serving([slow]) { client in
            let answer = await client.exchange(["GET /v1/slow HTTP/1.1\r\nHost: x\r\n\r\n"])
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(answer.contains("Retry-After: 2\r\n"))
            #expect(answer.contains(#""code":"timeout""#))
            var iterator = cancelled.makeAsyncIterator()
            #expect(await iterator.next() != nil)
        }
    }

    @Test func `the client's address is what our proxy says, not what the client says`() async throws {
        let request =
            "GET /v1/payments/pay_00000000000000000000000001 HTTP/1.1\r\n\(close)\(bearer)"
            + "X-Forwarded-For: 203.0.113.9, 198.51.100.4\r\n\r\n"
        try await serving { client in
            #expect(await client.exchange([request]).contains(#""address":"127.0.0.1""#))
        }
        try await serving(trustedProxies: 1) { client in
            #expect(await client.exchange([request]).contains(#""address":"198.51.100.4""#))
        }
    }

    @Test func `a shutdown waits for the request that it finds`() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let (gates, gate) = AsyncStream<Void>.makeStream()
        let waiting = Route(
            .get,
            "/v1/waiting",
            operationID: "waiting",
            summary: "Waits",
            tag: "Other",
            access: .public,
            responses: [204: ResponseShape("Done.")]
        ) { _ in
            arrived.yield()
            for await _ in gates { break }
            return .noContent
        }
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let api = demo.make([waiting])
        let server = APIServer(api, at: .host("127.0.0.1", port: 0)) { announced.yield($0 ?? 0) }
        let services = ServiceGroup(services: [server], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            var portIterator = ports.makeAsyncIterator()
            let client = RawClient(port: try #require(await portIterator.next()))
            async let answer = client.exchange(["GET /v1/waiting HTTP/1.1\r\nHost: x\r\n\r\n"])
            var arrivalIterator = arrivals.makeAsyncIterator()
            await arrivalIterator.next()
            await services.triggerGracefulShutdown()
            while await api.respond("GET", "/readyz").status == 200 { await Task.yield() }
            gate.yield()
            #expect(await answer.hasPrefix("HTTP/1.1 204 "))
            try await group.waitForAll()
        }
    }
}
