import Synchronization
public import Tracing

/// A span under way.
///
/// It reaches the sink once, when it ends for the first time; one that never ends is never told of.
public final class RecordedSpan: Span {
    /// Links of one span; the rest is left out.
    public static let linksMax = 128

    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var links: [TraceParent] = []
        var failure: String?
        var hasEnded = false
    }

    /// Its place in the trace.
    public let place: TraceParent
    /// The context of what runs within it.
    public let context: InstrumentationContext

    private let parent: TraceParent?
    private let kind: SpanKind
    private let start: UInt64
    private let sink: any SpanSink
    private let state: Mutex<State>

    init(
        _ name: String,
        _ kind: SpanKind,
        at place: TraceParent,
        in parent: TraceParent?,
        context: InstrumentationContext,
        start: UInt64,
        sink: any SpanSink
    ) {
        (self.place, self.parent, self.kind, self.start, self.sink) = (place, parent, kind, start, sink)
        var context = context
        context[PlaceKey.self] = place
        self.context = context
        state = Mutex(State(name: name))
    }

    /// Its name.
    public var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    /// Facts by name.
    public var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    /// Whether its trace is recorded.
    public var isRecording: Bool { place.isSampled }

    /// Says whether it failed.
    public func setStatus(_ status: SpanStatus) {
        guard status.code == .error else { return }
        state.withLock { $0.failure = status.message ?? $0.failure ?? "error" }
    }

    /// Events within spans aren't kept.
    public func addEvent(_ event: SpanEvent) {}

    /// Notes the kind of an error; its text may hold what doesn't belong into a trace.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        state.withLock { $0.failure = String(describing: type(of: error)) }
    }

    /// Names a span of another trace that this one served, too.
    public func addLink(_ link: SpanLink) {
        guard let place = link.context[PlaceKey.self] else { return }
        add(link: place)
    }

    /// Names a span of another trace that this one served, too.
    public func add(link place: TraceParent) {
        state.withLock { if $0.links.count < RecordedSpan.linksMax { $0.links.append(place) } }
    }

    /// Ends it; a second time does nothing.
    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let ended = state.withLock { state -> State? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state
        }
        guard let ended, place.isSampled else { return }
        sink.take(
            SpanRecord(
                place: place,
                parent: parent,
                links: ended.links,
                name: ended.name,
                kind: kind,
                startNanoseconds: start,
                endNanoseconds: max(start, instant().nanosecondsSinceEpoch),
                attributes: ended.attributes,
                failure: ended.failure
            )
        )
    }
}

/// Where a context stands in a trace.
enum PlaceKey: InstrumentationContextKey {
    typealias Value = TraceParent
    static let nameOverride: String? = "traceparent"
}
