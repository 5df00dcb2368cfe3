import Synchronization
public import Tracing

/// The process's traces: off until `record` is called, and then nothing is measured, made or looked up.
public enum Traces {
    private static let recording = Atomic<Bool>(false)
    private static let tracer = Mutex<TraceContextTracer?>(nil)
    @TaskLocal private static var ownTracer: TraceContextTracer?

    /// Whether spans may be made.
    public static var isOn: Bool { recording.load(ordering: .relaxed) }

    /// Has spans made from now on; at most once in a process, before anything runs that makes them.
    public static func record(_ chosen: TraceContextTracer) {
        let isFirst = tracer.withLock { tracer in
            defer { tracer = chosen }
            return tracer == nil
        }
        precondition(isFirst, "traces are recorded already")
        InstrumentationSystem.bootstrap(chosen)
        recording.store(true, ordering: .releasing)
    }

    /// Has spans of `body`, and of the tasks that it starts, made by a tracer of its own: for tests.
    public static func recorded<Value>(
        by chosen: TraceContextTracer,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Value
    ) async rethrows -> Value {
        recording.store(true, ordering: .releasing)
        return try await $ownTracer.withValue(chosen) { try await body() }
    }

    /// Where the running task stands; nil outside of a trace, and while traces are off.
    public static var current: TraceParent? {
        guard isOn else { return nil }
        return InstrumentationContext.current?[PlaceKey.self]
    }

    /// Begins a span that the caller ends; nil while traces are off.
    ///
    /// It is a part of `parent`, else of the current span, else it begins a trace. The name is only made when it is
    /// needed.
    public static func begin(
        _ name: @autoclosure () -> String,
        _ kind: SpanKind,
        parent: TraceParent? = nil
    ) -> RecordedSpan? {
        guard isOn, let tracer = ownTracer ?? tracer.withLock({ $0 }) else { return nil }
        var context = InstrumentationContext.current ?? .topLevel
        if let parent { context[PlaceKey.self] = parent }
        return tracer.startSpan(name(), context: context, ofKind: kind)
    }

    /// Runs something within a span that stays open.
    public static func within<Value>(
        _ span: RecordedSpan?,
        isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> Value
    ) async rethrows -> Value {
        guard let span else { return try await body() }
        return try await InstrumentationContext.$current.withValue(span.context) { try await body() }
    }

    /// Runs something as a span, which ends with it and notes what it throws.
    public static func span<Value>(
        _ name: @autoclosure () -> String,
        _ kind: SpanKind,
        parent: TraceParent? = nil,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (RecordedSpan?) async throws -> Value
    ) async rethrows -> Value {
        guard let span = begin(name(), kind, parent: parent) else { return try await body(nil) }
        defer { span.end() }
        do {
            return try await within(span) { try await body(span) }
        } catch {
            span.recordError(error)
            throw error
        }
    }
}
