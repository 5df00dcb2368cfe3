public import Tracing

/// A tracer that places spans by W3C's trace context and hands them to a sink when they end.
///
/// Whether a trace is recorded is decided where it begins; who takes it on keeps to that.
public struct TraceContextTracer: Tracer {
    /// Spans of ours.
    public typealias Span = RecordedSpan

    private let sink: any SpanSink
    private let sampledPercent: Int

    /// A tracer; of the traces that begin here `sampledPercent` of a hundred are recorded, 0 to 100.
    public init(sink: any SpanSink, sampledPercent: Int = 100) {
        precondition((0...100).contains(sampledPercent), "a share outside 0 to 100 percent")
        (self.sink, self.sampledPercent) = (sink, sampledPercent)
    }

    /// Begins a span within the context's, or a trace.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> RecordedSpan {
        let context = context()
        let parent = context[PlaceKey.self]
        return RecordedSpan(
            operationName,
            kind,
            at: TraceParent(
                trace: parent?.trace ?? UInt128.random(in: 1...UInt128.max),
                span: UInt64.random(in: 1...UInt64.max),
                flags: parent?.flags ?? (Int.random(in: 0..<100) < sampledPercent ? 1 : 0)
            ),
            in: parent,
            context: context,
            start: instant().nanosecondsSinceEpoch,
            sink: sink
        )
    }

    /// Spans go to the sink by themselves.
    public func forceFlush() {}

    /// Takes `traceparent` from a carrier.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let place = extractor.extract(key: "traceparent", from: carrier).flatMap({ TraceParent($0) }) else {
            return
        }
        context[PlaceKey.self] = place
    }

    /// Puts `traceparent` into a carrier.
    public func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let place = context[PlaceKey.self] else { return }
        injector.inject(place.description, forKey: "traceparent", into: &carrier)
    }
}
