import Metrics
import Observability
import Testing

@Suite struct PrometheusTests {
    private let registry = PrometheusRegistry(helps: ["jobs_total": "Jobs\ndone."], buckets: ["size": [1, 10]])

    @Test func `an empty registry counts what it dropped`() {
        #expect(registry.text() == "# TYPE metrics_series_dropped_total counter\nmetrics_series_dropped_total 0\n")
    }

    @Test func `counters count and end in total`() {
        let counter = Counter(label: "jobs", dimensions: [("queue", "a\"b\\c\nd")], factory: registry)
        counter.increment()
        counter.increment(by: 4)
        let expected = """
            # HELP jobs_total Jobs\\ndone.
            # TYPE jobs_total counter
            jobs_total{queue="a\\"b\\\\c\\nd"} 5

            """
        #expect(registry.text().hasPrefix(expected))
    }

    @Test func `the same labels are the same series, whatever their order`() {
        Counter(label: "x_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "x_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.text().contains("x_total{a=\"1\",b=\"2\"} 2\n"))
    }

    @Test func `gauges go up and down`() {
        let meter = Meter(label: "connections", factory: registry)
        meter.set(10)
        meter.decrement(by: 2.5)
        #expect(registry.text().contains("# TYPE connections gauge\nconnections 7.5\n"))
        Gauge(label: "level", factory: registry).record(-3)
        #expect(registry.text().contains("# TYPE level gauge\nlevel -3\n"))
    }

    @Test func `a histogram's buckets are cumulative`() {
        let recorder = Recorder(label: "size", dimensions: [("kind", "x")], factory: registry)
        for value in [0.5, 1, 5, 100] { recorder.record(value) }
        let expected = """
            # TYPE size histogram
            size_bucket{kind="x",le="1"} 2
            size_bucket{kind="x",le="10"} 3
            size_bucket{kind="x",le="+Inf"} 4
            size_sum{kind="x"} 106.5
            size_count{kind="x"} 4

            """
        #expect(registry.text().contains(expected))
    }

    @Test func `a timer is in seconds`() {
        Timer(label: "wait_seconds", factory: registry).recordMilliseconds(1500)
        let text = registry.text()
        #expect(text.contains("wait_seconds_sum 1.5\n"))
        #expect(text.contains("wait_seconds_bucket{le=\"1\"} 0\n"))
        #expect(text.contains("wait_seconds_bucket{le=\"2.5\"} 1\n"))
    }

    @Test func `names are made fit`() {
        Counter(label: "9 lives.total", dimensions: [("a:b", "c")], factory: registry).increment()
        #expect(registry.text().contains("_9_lives_total{a_b=\"c\"} 1\n"))
    }

    @Test func `one name has one type`() {
        Meter(label: "thing", factory: registry).set(1)
        Recorder(label: "thing", factory: registry).record(5)
        let text = registry.text()
        #expect(text.contains("# TYPE thing gauge\nthing 1\n"))
        #expect(text.contains("metrics_series_dropped_total 1\n"))
    }

    @Test func `series are bounded`() {
        for number in 0...PrometheusRegistry.seriesMax {
            Counter(label: "many_total", dimensions: [("n", String(number))], factory: registry).increment()
        }
        #expect(registry.text().contains("metrics_series_dropped_total 1\n"))
    }

    @Test func `a destroyed series is gone`() {
        let counter = Counter(label: "gone_total", factory: registry)
        counter.increment()
        counter.destroy()
        #expect(!registry.text().contains("gone_total"))
    }
}
