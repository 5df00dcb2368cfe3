import DequeModule
import Kernel
public import Logging
public import Metrics
public import OutboundHTTP
public import ServiceLifecycle
import Synchronization
public import Traces

/// Sends spans to a collector in OTLP over HTTP, as JSON
/// (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request).
///
/// Spans wait in a bounded queue. What doesn't fit, and what the collector doesn't take, is dropped and counted in
/// `trace_spans_dropped_total`: tracing never holds up the work that it tells of.
public final class TraceExporter: SpanSink, Service {
    /// Spans of one request.
    public static let batchMax = 512
    private static let pauseSeconds = 1.0
    /// Seconds for one request, a retry included.
    private static let deadlineSeconds = 5.0

    private let client: HTTPClient
    private let url: String
    private let service: String
    private let queueMax: Int
    private let queue = Mutex<Deque<SpanRecord>>([])
    private let logger: Logger
    private let exported: Counter
    private let crowdedOut: Counter
    private let notTaken: Counter

    /// An exporter to a collector's URL without path, as `http://127.0.0.1:4318`, under a service's name.
    public init(
        to collector: String,
        service: String,
        client: HTTPClient,
        queueMax: Int = 8_192,
        logger: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        (url, self.service, self.client) = (collector + "/v1/traces", service, client)
        (self.queueMax, self.logger) = (queueMax, logger)
        exported = Counter(label: "trace_spans_exported_total", dimensions: [], factory: metrics)
        func dropped(_ reason: String) -> Counter {
            Counter(label: "trace_spans_dropped_total", dimensions: [("reason", reason)], factory: metrics)
        }
        (crowdedOut, notTaken) = (dropped("queue_full"), dropped("not_taken"))
    }

    /// Puts a span in the queue, or drops it when the queue is full.
    public func take(_ span: SpanRecord) {
        let isTaken = queue.withLock { queue in
            guard queue.count < queueMax else { return false }
            queue.append(span)
            return true
        }
        if !isTaken { crowdedOut.increment() }
    }

    /// Sends what waits once a second until a graceful shutdown or cancellation, then once more.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.flush()
                try? await Task.sleep(for: .seconds(TraceExporter.pauseSeconds))
            }
        }
        await flush()
    }

    /// Sends what waits now; what comes meanwhile is left for the next time.
    public func flush() async {
        var left = queue.withLock { $0.count }
        while left > 0 {
            let batch = queue.withLock { queue in
                let batch = Array(queue.prefix(TraceExporter.batchMax))
                queue.removeFirst(batch.count)
                return batch
            }
            guard !batch.isEmpty else { return }
            left -= batch.count
            await send(batch)
        }
    }

    private func send(_ batch: [SpanRecord]) async {
        var request = OutboundRequest(
            .post,
            url,
            headers: [OutboundHeader("Content-Type", "application/json")],
            body: TraceDocument.json(batch, service: service).serialized()
        )
        request.deadlineSeconds = TraceExporter.deadlineSeconds
        do {
            let response = try await client.send(request)
            guard response.status / 100 == 2 else { return drop(batch, because: "status \(response.status)") }
            exported.increment(by: batch.count)
        } catch {
            drop(batch, because: "\(error)")
        }
    }

    private func drop(_ batch: [SpanRecord], because reason: String) {
        notTaken.increment(by: batch.count)
        logger.warning("spans dropped", metadata: ["spans": "\(batch.count)", "reason": "\(reason)"])
    }
}
