public import Logging
public import Metrics
import Threads
import Traces
import Tracing

/// A client of HTTP peers outside, on libcurl and a thread of its own.
///
/// It follows redirects only where a request asks for it, verifies TLS, repeats only what is safe to repeat, leaves a
/// host alone that fails, and logs neither paths nor headers nor bodies.
public final class HTTPClient: Sendable {
    private let configuration: HTTPClientConfiguration
    private let inbox: TransferInbox
    private let breakers: CircuitBreakers
    private let metrics: OutboundMetrics
    private let logger: Logger

    /// A client; its name, as `stripe`, tells its metrics and log lines from those of others.
    public init(
        name: String,
        configuration: HTTPClientConfiguration = HTTPClientConfiguration(),
        logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.configuration = configuration
        inbox = TransferInbox(requestsMax: configuration.requestsMax)
        breakers = CircuitBreakers(policy: configuration.circuit)
        self.metrics = OutboundMetrics(client: name, factory: metrics)
        var logger = logger
        logger[metadataKey: "client"] = "\(name)"
        self.logger = logger
        let inbox = inbox
        let rules = TransferRules(configuration)
        OwnThread.start(name: "http-\(name)") {
            TransferLoop(inbox: inbox, rules: rules).run()
            inbox.end()
        }
    }

    deinit { inbox.stop() }

    /// Ends what is on its way with `stopped` and waits for the thread; later requests get `stopped`, too.
    public func shutdown() async {
        inbox.stop()
        await inbox.waitUntilEnded()
    }

    /// The peer's response, whatever its status, or the error that says whether the peer may have acted.
    ///
    /// A request that is idempotent is repeated after connect errors, timeouts and lost connections before the response
    /// began, and 429, 502, 503 and 504, `Retry-After` honoured, all within the deadline. A redirect is followed with
    /// GET and HEAD where the request allows it; to another origin go only the headers that carry no secrets. One
    /// redirect more than allowed is returned as it is.
    ///
    /// Within a trace the call is a span; the peer isn't told of it, since it is somebody else's.
    public func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        guard Traces.current != nil, let span = Traces.begin(request.description, .client) else {
            return try await exchange(request)
        }
        defer { span.end() }
        do throws(OutboundError) {
            let response = try await exchange(request)
            span.attributes["http.response.status_code"] = response.status
            return response
        } catch {
            span.setStatus(SpanStatus(code: .error, message: error.reason.code))
            throw error
        }
    }

    private func exchange(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let startedAt = Monotonic.now()
        var exchange = Exchange(
            request,
            configuration,
            deadline: startedAt + Monotonic.nanoseconds(request.deadlineSeconds)
        )
        do throws(OutboundError) {
            let response = try await follow(&exchange)
            metrics.countRequest(outcome: "\(response.status / 100)xx", nanoseconds: Monotonic.now() - startedAt)
            return response
        } catch {
            metrics.countRequest(outcome: error.reason.code, nanoseconds: Monotonic.now() - startedAt)
            throw error
        }
    }

    private func follow(_ exchange: inout Exchange) async throws(OutboundError) -> OutboundResponse {
        try exchange.prepare()
        for _ in 0..<max(0, exchange.request.redirectsMax) {
            let response = try await attempts(&exchange)
            guard try exchange.redirect(by: response) else { return response }
        }
        return try await attempts(&exchange)
    }

    /// Sends to one target until there is an outcome that stands.
    private func attempts(_ exchange: inout Exchange) async throws(OutboundError) -> OutboundResponse {
        var random = SystemRandomNumberGenerator()
        var outcome = try await firstAttempt(&exchange)
        // `RetryPolicy.attemptsMax` ends it.
        for attempt in 1... {
            let delay = configuration.retry.delay(
                after: outcome,
                attempt: attempt,
                isIdempotent: exchange.request.isIdempotent,
                remaining: exchange.deadline - Monotonic.now(),
                using: &random
            )
            guard let delay else { break }
            do { try await Task.sleep(for: .nanoseconds(delay)) } catch { throw exchange.error(.cancelled) }
            // The host was given up meanwhile: what is known already is the better answer.
            guard case .admitted(let permit) = breakers.admit(exchange.origin, now: Monotonic.now()) else { break }
            metrics.countRetry()
            outcome = await perform(&exchange, permit)
        }
        switch outcome {
        case .response(var response):
            response.attempts = exchange.attempts
            return response
        case .failed(let failure): throw exchange.error(failure.reason)
        }
    }

    private func firstAttempt(_ exchange: inout Exchange) async throws(OutboundError) -> AttemptOutcome {
        switch breakers.admit(exchange.origin, now: Monotonic.now()) {
        case .admitted(let permit): return await perform(&exchange, permit)
        case .refused(let nanoseconds):
            throw exchange.error(.circuitOpen(retryAfterSeconds: Int((nanoseconds + 999_999_999) / 1_000_000_000)))
        }
    }

    private func perform(_ exchange: inout Exchange, _ permit: CircuitBreaker.Permit) async -> AttemptOutcome {
        guard let order = exchange.order(id: inbox.nextID(), now: Monotonic.now()) else {
            // No time left for an attempt says nothing about the host.
            _ = breakers.record(.neutral, of: permit, exchange.origin, now: Monotonic.now())
            return .notSent(.timedOut)
        }
        let outcome = await inbox.perform(order)
        exchange.note(outcome)
        let result = CircuitBreaker.Result(outcome)
        if breakers.record(result, of: permit, exchange.origin, now: Monotonic.now()) {
            metrics.countCircuitOpened()
            logger.warning("host left alone after failures", metadata: ["host": "\(exchange.origin)"])
        }
        logger.debug(
            "outbound attempt",
            metadata: [
                "method": "\(exchange.request.method.rawValue)", "host": "\(exchange.origin)",
                "outcome": "\(outcome.code)",
            ]
        )
        return outcome
    }
}

extension AttemptOutcome {
    /// The status or the error's code.
    fileprivate var code: String {
        switch self {
        case .response(let response): String(response.status)
        case .failed(let failure): failure.reason.code
        }
    }
}
