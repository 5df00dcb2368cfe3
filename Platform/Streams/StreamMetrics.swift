import Metrics

/// What a hub counts.
struct StreamMetrics: Sendable {
    let publications: Counter
    let gaps: Counter
    let fetchFailures: Counter
    let slowConsumers: Counter
    let unreadable: Counter

    init(_ factory: any MetricsFactory) {
        publications = Counter(label: "stream_publications_total", factory: factory)
        gaps = Counter(label: "stream_gaps_total", factory: factory)
        fetchFailures = Counter(label: "stream_snapshot_failures_total", factory: factory)
        slowConsumers = Counter(label: "stream_slow_consumers_total", factory: factory)
        unreadable = Counter(label: "stream_relay_unreadable_total", factory: factory)
    }
}
