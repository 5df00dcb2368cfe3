import CoreMetrics
import Metrics

/// What a client counts: `outbound_requests` by outcome, `outbound_retries`, `outbound_circuits_opened`,
/// `outbound_request_seconds`; all by the client's name, as hosts may be many.
struct OutboundMetrics: Sendable {
    private let client: String
    private let factory: any MetricsFactory
    private let retries: Counter
    private let circuitsOpened: Counter
    private let latency: Timer

    init(client: String, factory: any MetricsFactory) {
        (self.client, self.factory) = (client, factory)
        let dimensions = [("client", client)]
        retries = Counter(label: "outbound_retries", dimensions: dimensions, factory: factory)
        circuitsOpened = Counter(label: "outbound_circuits_opened", dimensions: dimensions, factory: factory)
        latency = Timer(
            label: "outbound_request_seconds",
            dimensions: dimensions,
            preferredDisplayUnit: .seconds,
            factory: factory
        )
    }

    /// Counts one request with all its attempts: the outcome is a status class as `2xx` or an error's code.
    func countRequest(outcome: String, nanoseconds: Int64) {
        let dimensions = [("client", client), ("outcome", outcome)]
        Counter(label: "outbound_requests", dimensions: dimensions, factory: factory).increment()
        latency.recordNanoseconds(nanoseconds)
    }

    func countRetry() { retries.increment() }

    func countCircuitOpened() { circuitsOpened.increment() }
}
