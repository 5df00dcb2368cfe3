import Testing

@testable import OutboundHTTP

@Suite(.timeLimit(.minutes(10))) struct CircuitBreakerTests {
    private static let second: Int64 = 1_000_000_000

    private func permit(_ breaker: inout CircuitBreaker, _ now: Int64) throws -> CircuitBreaker.Permit {
        guard case .admitted(let permit) = breaker.admit(now: now * Self.second) else {
            throw OutboundError(.circuitOpen(retryAfterSeconds: 0), .notSent)
        }
        return permit
    }

    private func run(_ breaker: inout CircuitBreaker, _ result: CircuitBreaker.Result, _ now: Int64) throws -> Bool {
        let permit = try permit(&breaker, now)
        return breaker.record(result, of: permit, now: now * Self.second)
    }

    @Test func `failures in a row open it, one success between them does not`() throws {
        var breaker = CircuitBreaker(policy: CircuitPolicy())
        for _ in 0..<4 { #expect(!(try run(&breaker, .failure, 0))) }
        #expect(!(try run(&breaker, .success, 0)))
        for _ in 0..<4 { #expect(!(try run(&breaker, .failure, 0))) }
        #expect(try run(&breaker, .failure, 0))
        #expect(breaker.admit(now: 4 * Self.second) == .refused(retryAfterNanoseconds: 6 * Self.second))
    }

    @Test func `a share of failures in a window opens it`() throws {
        var breaker = CircuitBreaker(policy: CircuitPolicy())
        for number in 0..<19 { #expect(!(try run(&breaker, number % 2 == 0 ? .failure : .success, 1))) }
        #expect(!(try run(&breaker, .success, 2)))
        #expect(try run(&breaker, .failure, 2))
    }

    @Test func `failures of an earlier window count no more`() throws {
        var breaker = CircuitBreaker(policy: CircuitPolicy())
        for number in 0..<19 { #expect(!(try run(&breaker, number % 2 == 0 ? .failure : .success, 1))) }
        #expect(!(try run(&breaker, .success, 40)))
        #expect(!(try run(&breaker, .failure, 40)))
        #expect(breaker.state == .closed)
    }

    private func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(policy: CircuitPolicy())
        for _ in 0..<5 { _ = try run(&breaker, .failure, 0) }
        return breaker
    }

    @Test func `after a time one request tries and its success closes it`() throws {
        var breaker = try opened()
        let probe = try permit(&breaker, 10)
        guard case .refused = breaker.admit(now: 10 * Self.second) else {
            Issue.record("a second probe")
            return
        }
        _ = breaker.record(.success, of: probe, now: 11 * Self.second)
        #expect(breaker.state == .closed && breaker.isPristine)
    }

    @Test func `the failure of the one opens it again, its cancellation lets another try`() throws {
        var breaker = try opened()
        #expect(try run(&breaker, .failure, 10))
        #expect(breaker.state == .open(until: 20 * Self.second))
        #expect(!(try run(&breaker, .neutral, 20)))
        #expect(!(try run(&breaker, .success, 20)))
        #expect(breaker.state == .closed)
    }

    @Test func `results of requests from before it opened count no more`() throws {
        var breaker = CircuitBreaker(policy: CircuitPolicy())
        let old = try permit(&breaker, 0)
        for _ in 0..<5 { _ = try run(&breaker, .failure, 0) }
        _ = try permit(&breaker, 10)
        let hasOpened = breaker.record(.success, of: old, now: 10 * Self.second)
        #expect(!hasOpened)
        #expect(breaker.state == .halfOpen)
    }

    @Test func `a host that fails is left alone, others are not, and a probe brings it back`() async throws {
        let good = try Peer { _, connection in
            connection.answer(200)
            return true
        }
        let bad = try Peer { request, connection in
            connection.answer(request.number <= 2 ? 500 : 200)
            return true
        }
        var configuration = HTTPClientConfiguration.forTests
        (configuration.circuit.consecutiveFailuresMax, configuration.circuit.openSeconds) = (2, 0.3)
        let client = HTTPClient(configuration)
        for _ in 0..<2 { #expect(try await client.send(OutboundRequest(.get, bad.url)).status == 500) }
        let error = await client.failure(OutboundRequest(.get, bad.url))
        #expect(error == OutboundError(.circuitOpen(retryAfterSeconds: 1), .notSent))
        #expect(bad.requests.count == 2)
        #expect(try await client.send(OutboundRequest(.get, good.url)).status == 200)
        #expect(await eventually { await client.failure(OutboundRequest(.get, bad.url)) == nil })
        #expect(await client.failure(OutboundRequest(.get, bad.url)) == nil)
    }

    @Test func `the number of hosts is bounded`() {
        let breakers = CircuitBreakers(policy: CircuitPolicy())
        for number in 0..<(CircuitBreakers.hostsMax * 2) { _ = breakers.admit("host-\(number)", now: 0) }
        #expect(breakers.count <= CircuitBreakers.hostsMax)
    }
}
