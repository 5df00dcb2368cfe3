import Synchronization
import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct RetryTests {
    @Test(arguments: [429, 502, 503, 504])
    func `an idempotent request is repeated after a transient status`(status: Int) async throws {
        let peer = try Peer { request, connection in
            connection.answer(request.number < 3 ? status : 200)
            return true
        }
        let response = try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url))
        #expect(response.status == 200 && response.attempts == 3)
    }

    @Test(arguments: [200, 400, 404, 500, 501])
    func `another status is the answer`(status: Int) async throws {
        let peer = try Peer { _, connection in
            connection.answer(status)
            return true
        }
        #expect(try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url)).status == status)
        #expect(peer.requests.count == 1)
    }

    @Test func `attempts end and the last response is the answer`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(503)
            return true
        }
        let response = try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url))
        #expect(response.status == 503 && response.attempts == 3)
        #expect(peer.requests.count == 3)
    }

    @Test func `a POST is repeated only if it carries an idempotency key`() async throws {
        let peer = try Peer { request, connection in
            connection.answer(request.number < 3 ? 503 : 200)
            return true
        }
        let client = HTTPClient(.forTests)
        var request = OutboundRequest(.post, peer.url, headers: [OutboundHeader("Idempotency-Key", "k")], body: [1])
        #expect(try await client.send(request).status == 503)
        #expect(peer.requests.count == 1)
        request.isIdempotent = true
        #expect(try await client.send(request).attempts == 2)
        #expect(peer.requests.allSatisfy { $0.header("idempotency-key") == "k" && $0.body == "\u{1}" })
    }

    @Test func `a connection that is lost before the response is repeated`() async throws {
        let peer = try Peer { request, connection in
            guard request.number > 1 else { return false }
            connection.answer(200)
            return true
        }
        #expect(try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url)).attempts == 2)
    }

    @Test func `an attempt without answer is repeated within the deadline`() async throws {
        let peer = try Peer { request, connection in
            guard request.number > 1 else {
                connection.waitUntilClosed()
                return false
            }
            connection.answer(200)
            return true
        }
        var request = OutboundRequest(.get, peer.url)
        request.attemptTimeoutSeconds = 0.1
        #expect(try await HTTPClient(.forTests).send(request).attempts == 2)
    }

    @Test func `a connect error is repeated`() async throws {
        let port = try freePort()
        var configuration = HTTPClientConfiguration.forTests
        configuration.circuit.consecutiveFailuresMax = 2
        let client = HTTPClient(configuration)
        let error = await client.failure(OutboundRequest(.get, "http://127.0.0.1:\(port)"))
        #expect(error == OutboundError(.connectFailed, .notSent))
        // Two attempts were made: they have opened the circuit.
        guard case .circuitOpen? = await client.failure(OutboundRequest(.get, "http://127.0.0.1:\(port)"))?.reason
        else {
            Issue.record("not repeated")
            return
        }
    }

    @Test func `what may have been sent once stays so in later attempts`() async throws {
        let holder = Mutex<Peer?>(nil)
        let peer = try Peer { _, _ in
            holder.withLock { $0 }?.stop()
            return false
        }
        holder.withLock { $0 = peer }
        let error = await HTTPClient(.forTests).failure(OutboundRequest(.get, peer.url))
        holder.withLock { $0 = nil }
        #expect(peer.requests.count == 1)
        #expect(error == OutboundError(.connectFailed, .outcomeUnknown))
    }

    @Test func `the peer's wish to wait is honoured within the deadline`() async throws {
        let peer = try Peer { request, connection in
            connection.answer(request.number == 1 ? 429 : 200, headers: ["Retry-After: 1"])
            return true
        }
        let client = HTTPClient(.forTests)
        let started = ContinuousClock.now
        #expect(try await client.send(OutboundRequest(.get, peer.url)).attempts == 2)
        #expect(ContinuousClock.now - started >= .seconds(1))
    }

    @Test func `a wish to wait beyond the deadline ends it at once`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(503, headers: ["Retry-After: 60"])
            return true
        }
        let response = try await HTTPClient(.forTests).send(OutboundRequest(.get, peer.url))
        #expect(response.status == 503 && response.retryAfterSeconds == 60 && response.attempts == 1)
    }

    @Test func `a cancellation between attempts says that it may have been sent`() async throws {
        let peer = try Peer { _, connection in
            connection.answer(503, headers: ["Retry-After: 5"])
            return true
        }
        let client = HTTPClient(.forTests)
        let error = await withTaskGroup(of: OutboundError?.self) { group in
            group.addTask { await client.failure(OutboundRequest(.get, peer.url)) }
            #expect(await eventually { !peer.requests.isEmpty })
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(error == OutboundError(.cancelled, .outcomeUnknown))
    }

    @Test func `delays double to a bound, half of them random`() {
        var random = SystemRandomNumberGenerator()
        var policy = RetryPolicy()
        (policy.attemptsMax, policy.firstDelaySeconds, policy.maxDelaySeconds) = (10, 1, 3)
        for (attempt, step) in [(1, 1.0), (2, 2), (3, 3), (9, 3)] {
            let delay = policy.delay(
                after: .notSent(.connectFailed),
                attempt: attempt,
                isIdempotent: true,
                remaining: .max,
                using: &random
            )
            #expect((step / 2...step).contains(Double(delay ?? 0) / 1e9))
        }
    }

    @Test(
        arguments: [
            .tlsFailed, .forbiddenAddress, .responseTooLarge, .cancelled, .overloaded, .invalidResponse, .stopped,
        ] as [OutboundError.Reason]
    )
    func `what waiting does not mend is not repeated`(reason: OutboundError.Reason) {
        var random = SystemRandomNumberGenerator()
        let delay = RetryPolicy().delay(
            after: .notSent(reason),
            attempt: 1,
            isIdempotent: true,
            remaining: .max,
            using: &random
        )
        #expect(delay == nil)
    }
}
