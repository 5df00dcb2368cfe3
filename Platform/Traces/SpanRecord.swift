public import Tracing

/// A span that has ended.
public struct SpanRecord: Sendable {
    /// Its own place in the trace.
    public let place: TraceParent
    /// The span that it is a part of; nil for the first of a trace.
    public let parent: TraceParent?
    /// Spans of other traces that it served, too.
    public let links: [TraceParent]
    /// What was done: few different names.
    public let name: String
    /// Its role between processes.
    public let kind: SpanKind
    /// When it began, in nanoseconds since 1970.
    public let startNanoseconds: UInt64
    /// When it ended, in nanoseconds since 1970.
    public let endNanoseconds: UInt64
    /// Facts by name: no secrets, no names of people.
    public let attributes: SpanAttributes
    /// Why it failed, in a few words; nil when it didn't.
    public let failure: String?
}

/// Where spans go that have ended.
public protocol SpanSink: Sendable {
    /// Takes a span; must be quick and must not fail: what can't be kept is dropped and counted.
    func take(_ span: SpanRecord)
}
