import Logging
import Metrics
import MetricsTestKit
import Synchronization
import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct ExchangeTests {
    @Test(arguments: OutboundRequest.Method.allCases)
    func `a request arrives as it was made`(method: OutboundRequest.Method) async throws {
        let peer = try Peer { request, connection in
            connection.answer(201, method == .head ? "" : "made", headers: ["X-Word: two words ", "x-word: b"])
            return true
        }
        let hasBody = method != .get && method != .head
        let request = OutboundRequest(
            method,
            peer.url + "/a?b=c#d",
            headers: [OutboundHeader("X-Key", "v"), OutboundHeader("X-Empty", "")],
            body: hasBody ? Array("{\"a\":1}".utf8) : []
        )
        let response = try await HTTPClient(.forTests).send(request)
        #expect(response.status == 201 && response.attempts == 1)
        #expect(response.header("X-WORD") == "two words")
        #expect(response.body == Array((method == .head ? "" : "made").utf8))
        let seen = try #require(peer.requests.first)
        #expect(seen.line == "\(method.rawValue) /a?b=c HTTP/1.1")
        #expect(seen.header("x-key") == "v" && seen.head.contains("X-Empty:"))
        #expect(seen.body == (hasBody ? "{\"a\":1}" : ""))
        #expect(seen.header("expect") == nil && seen.header("content-type") == nil)
    }

    @Test func `an empty POST has a length of nothing`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(204)
            return true
        }
        #expect(try await HTTPClient(.forTests).send(OutboundRequest(.post, peer.url)).status == 204)
        #expect(peer.requests.first?.header("content-length") == "0")
    }

    @Test func `many requests at once share the thread and get their own responses`() async throws {
        let peer = try Peer { request, connection in
            connection.answer(200, request.line)
            return true
        }
        let client = HTTPClient(.forTests)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let response = try? await client.send(OutboundRequest(.get, "\(peer.url)/\(number)"))
                    #expect(response?.body == Array("GET /\(number) HTTP/1.1".utf8))
                }
            }
        }
    }

    @Test func `no peer at the address means not sent`() async throws {
        let url = "http://127.0.0.1:\(try freePort())"
        #expect(
            await HTTPClient(.forTests).failure(OutboundRequest(.post, url)) == OutboundError(.connectFailed, .notSent)
        )
    }

    @Test func `a name without an address means not sent`() async {
        let error = await HTTPClient(.forTests).failure(OutboundRequest(.post, "http://nothing.invalid/"))
        #expect(error == OutboundError(.nameNotResolved, .notSent))
    }

    @Test func `a peer that never takes the connection up means not sent`() async throws {
        // Nobody accepts; once the backlog is full, the system leaves further attempts without an answer.
        let listener = try SilentListener()
        var configuration = HTTPClientConfiguration.forTests
        configuration.connectTimeoutSeconds = 0.2
        let request = OutboundRequest(.post, "http://127.0.0.1:\(listener.port)")
        #expect(await HTTPClient(configuration).failure(request) == OutboundError(.connectTimedOut, .notSent))
    }

    @Test func `a peer that reads and does not answer leaves the outcome unknown`() async throws {
        let peer = try Peer { _, connection in
            connection.waitUntilClosed()
            return false
        }
        var request = OutboundRequest(.post, peer.url)
        request.deadlineSeconds = 0.2
        #expect(await HTTPClient(.forTests).failure(request) == OutboundError(.timedOut, .outcomeUnknown))
    }

    @Test func `a peer that closes instead of answering leaves the outcome unknown`() async throws {
        let peer = try Peer { _, _ in false }
        let error = await HTTPClient(.forTests).failure(OutboundRequest(.post, peer.url))
        #expect(error == OutboundError(.connectionLost, .outcomeUnknown))
        #expect(peer.requests.count == 1)
    }

    @Test func `a kept connection that dies under a POST does not send it twice`() async throws {
        let peer = try Peer { request, connection in
            guard request.number == 1 else { return false }
            connection.answer(200)
            return true
        }
        let client = HTTPClient(.forTests)
        #expect(try await client.send(OutboundRequest(.get, peer.url)).status == 200)
        let error = await client.failure(OutboundRequest(.post, peer.url, body: [1]))
        #expect(error == OutboundError(.connectionLost, .outcomeUnknown))
        #expect(peer.requests.map(\.line) == ["GET / HTTP/1.1", "POST / HTTP/1.1"])
    }

    @Test func `a truncated response is no response`() async throws {
        let peer = try Peer { _, connection in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
            return false
        }
        let error = await HTTPClient(.forTests).failure(OutboundRequest(.get, peer.url))
        #expect(error == OutboundError(.connectionLost, .outcomeUnknown))
        #expect(peer.requests.count == 1)
    }

    @Test(arguments: ["", "Content-Length: 5000000\r\n", "Transfer-Encoding: chunked\r\n"])
    func `a body without end is cut off`(header: String) async throws {
        let peer = try Peer { _, connection in
            connection.write("HTTP/1.1 200 OK\r\n\(header)\r\n")
            let chunk = (header.hasPrefix("T") ? "400\r\n" : "") + String(repeating: "x", count: 1024) + "\r\n"
            while connection.write(chunk) {}
            return false
        }
        var request = OutboundRequest(.get, peer.url)
        request.responseBytesMax = 100_000
        let error = await HTTPClient(.forTests).failure(request)
        #expect(error == OutboundError(.responseTooLarge, .outcomeUnknown))
    }

    @Test func `a body of just the bound passes`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(200, "12345")
            return true
        }
        var request = OutboundRequest(.get, peer.url)
        request.responseBytesMax = 5
        let client = HTTPClient(.forTests)
        #expect(try await client.send(request).body.count == 5)
        request.responseBytesMax = 4
        #expect(await client.failure(request)?.reason == .responseTooLarge)
    }

    @Test func `headers without end are cut off`() async throws {
        let peer = try Peer { _, connection in
            connection.write("HTTP/1.1 200 OK\r\n")
            while connection.write("X-Word: \(String(repeating: "x", count: 1000))\r\n") {}
            return false
        }
        #expect(await HTTPClient(.forTests).failure(OutboundRequest(.get, peer.url))?.reason == .responseTooLarge)
    }

    @Test func `something that is not HTTP is an invalid response`() async throws {
        let peer = try Peer { _, connection in
            connection.write("220 mail.example ESMTP\r\n")
            return false
        }
        let error = await HTTPClient(.forTests).failure(OutboundRequest(.post, peer.url))
        #expect(error == OutboundError(.invalidResponse, .outcomeUnknown))
    }

    @Test func `a cancelled request ends at once and says what is known`() async throws {
        let arrived = Mutex(false)
        let peer = try Peer { _, connection in
            arrived.withLock { $0 = true }
            connection.waitUntilClosed()
            return false
        }
        let client = HTTPClient(.forTests)
        let error = await withTaskGroup(of: OutboundError?.self) { group in
            group.addTask { await client.failure(OutboundRequest(.post, peer.url)) }
            #expect(await eventually { arrived.withLock { $0 } })
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(error == OutboundError(.cancelled, .outcomeUnknown))
        let early = await withTaskGroup(of: OutboundError?.self) { group in
            group.cancelAll()
            group.addTask { await client.failure(OutboundRequest(.post, peer.url)) }
            return await group.next() ?? nil
        }
        #expect(early?.reason == .cancelled)
    }

    @Test func `more requests than allowed are refused at once`() async throws {
        let peer = try Peer { request, connection in
            connection.waitUntilClosed()
            return false
        }
        var configuration = HTTPClientConfiguration.forTests
        configuration.requestsMax = 1
        let client = HTTPClient(configuration)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await client.failure(OutboundRequest(.post, peer.url)) }
            #expect(await eventually { !peer.requests.isEmpty })
            #expect(await client.failure(OutboundRequest(.post, peer.url)) == OutboundError(.overloaded, .notSent))
            group.cancelAll()
        }
    }

    @Test func `a shutdown ends what is on its way and refuses the rest`() async throws {
        let peer = try Peer { request, connection in
            connection.waitUntilClosed()
            return false
        }
        let client = HTTPClient(.forTests)
        async let waiting = client.failure(OutboundRequest(.post, peer.url))
        #expect(await eventually { !peer.requests.isEmpty })
        await client.shutdown()
        #expect(await waiting == OutboundError(.stopped, .outcomeUnknown))
        #expect(await client.failure(OutboundRequest(.post, peer.url)) == OutboundError(.stopped, .notSent))
        await client.shutdown()
    }

    @Test func `metrics and log lines tell the outcome and no secret`() async throws {
        let peer = try Peer { request, connection in
            connection.answer(request.number == 1 ? 503 : 200, "secret-body")
            return true
        }
        let (metrics, lines) = (TestMetrics(), LogLines())
        var logger = Logger(label: "test") { _ in lines }
        logger.logLevel = .trace
        let client = HTTPClient(name: "peer", configuration: .forTests, logger: logger, metrics: metrics)
        let request = OutboundRequest(
            .put,
            peer.url + "/secret-path?key=secret-query",
            headers: [OutboundHeader("Authorization", "secret-key")],
            body: Array("secret-body".utf8)
        )
        let response = try await client.send(request)
        #expect(response.attempts == 2)
        #expect(
            try metrics.expectCounter("outbound_requests", [("client", "peer"), ("outcome", "2xx")]).totalValue == 1
        )
        #expect(try metrics.expectCounter("outbound_retries", [("client", "peer")]).totalValue == 1)
        #expect(try metrics.expectTimer("outbound_request_seconds", [("client", "peer")]).values.count == 1)
        #expect(lines.all.count == 2)
        var shown = lines.all
        for value in [request, response] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            shown += ["\(value)", String(reflecting: value), dumped]
        }
        for text in shown { #expect(!text.contains("secret")) }
    }
}
