import Metrics
import Synchronization

/// `http_server_request_duration_seconds` by route, method and status; one series is made when it is first needed.
///
/// The labels are bounded: routes are declared, methods are those declared (else `other`), statuses are ours.
final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let status: Int
    }

    private let labels: [String]
    private let factory: any MetricsFactory
    // One more than there are routes: the last is for requests that match none.
    private let timers: Mutex<[[Key: Metrics.Timer]]>

    init(_ routes: [Route], factory: any MetricsFactory) {
        labels = routes.map(\.path.description) + ["unmatched"]
        self.factory = factory
        timers = Mutex(Array(repeating: [:], count: routes.count + 1))
    }

    /// Ends the measurement of an exchange.
    func record(_ exchange: Exchange, status: Int) {
        let nanoseconds = Int64(MonotonicTime.nanoseconds() - exchange.startedAt)
        let place = exchange.route ?? labels.count - 1
        let key = Key(method: exchange.methodLabel, status: status)
        let timer = timers.withLock { timers -> Metrics.Timer in
            if let timer = timers[place][key] { return timer }
            let dimensions = [("route", labels[place]), ("method", key.method), ("status", String(status))]
            let timer = Metrics.Timer(
                label: "http_server_request_duration_seconds",
                dimensions: dimensions,
                factory: factory
            )
            timers[place][key] = timer
            return timer
        }
        timer.recordNanoseconds(nanoseconds)
    }
}
