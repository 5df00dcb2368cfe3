import Synchronization
import Traces

/// Spans in memory.
final class MemorySpans: SpanSink {
    private let taken = Mutex<[SpanRecord]>([])

    func take(_ span: SpanRecord) { taken.withLock { $0.append(span) } }

    var all: [SpanRecord] { taken.withLock { $0 } }
}
