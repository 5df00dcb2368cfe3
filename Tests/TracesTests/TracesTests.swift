import Testing
import Tracing

@testable import Traces

struct TracesTests {
    private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private struct Fault: Error {}

    private struct Fields: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    @Test func `a header is read and written as it was`() throws {
        let place = try #require(TraceParent(TracesTests.header))
        #expect(place.description == TracesTests.header)
        #expect(place.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(place.spanID == "b7ad6b7169203331")
        #expect(place.isSampled)
        let small = "00-00000000000000000000000000000001-0000000000000002-00"
        #expect(TraceParent(small)?.description == small)
        #expect(TraceParent(small)?.isSampled == false)
    }

    @Test(arguments: [
        "", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",
    ])
    func `what isn't exactly a header is none`(header: String) {
        #expect(TraceParent(header) == nil)
    }

    @Test func `without a tracer there are no spans, and no name is made`() async {
        var names = 0
        func name() -> String {
            names += 1
            return "name"
        }
        #expect(Traces.begin(name(), .internal) == nil)
        let isNil = await Traces.span(name(), .internal) { $0 == nil }
        #expect(isNil && names == 0 && Traces.current == nil)
    }

    @Test func `spans within spans form one trace`() async throws {
        let spans = MemorySpans()
        let parent = try #require(TraceParent(TracesTests.header))
        await Traces.recorded(by: TraceContextTracer(sink: spans)) {
            await Traces.span("outer", .server, parent: parent) { outer in
                #expect(Traces.current == outer?.place)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await Traces.span("inner", .client) { $0?.attributes["size"] = 3 } }
                }
            }
            await Traces.span("other", .internal) { _ in }
        }
        let named = Dictionary(uniqueKeysWithValues: spans.all.map { ($0.name, $0) })
        let (inner, outer, other) = (named["inner"], named["outer"], named["other"])
        #expect(outer?.parent == parent && outer?.place.trace == parent.trace && outer?.kind == .server)
        #expect(inner?.parent == outer?.place && inner?.place.trace == parent.trace)
        #expect(inner?.attributes.get("size") == .int64(3))
        #expect(other?.parent == nil && other?.place.trace != parent.trace)
        for span in spans.all { #expect(span.endNanoseconds >= span.startNanoseconds && span.failure == nil) }
    }

    @Test func `a failure is noted by its kind, and thrown on`() async {
        let spans = MemorySpans()
        await #expect(throws: Fault.self) {
            try await Traces.recorded(by: TraceContextTracer(sink: spans)) {
                try await Traces.span("failing", .internal) { _ in throw Fault() }
            }
        }
        #expect(spans.all.map(\.failure) == ["Fault"])
    }

    @Test func `a trace that isn't recorded is passed on and not told of`() async throws {
        let spans = MemorySpans()
        let unrecorded = try #require(TraceParent(String(TracesTests.header.dropLast(2)) + "00"))
        await Traces.recorded(by: TraceContextTracer(sink: spans, sampledPercent: 0)) {
            await Traces.span("client's", .server, parent: unrecorded) { _ in
                #expect(Traces.current?.traceID == unrecorded.traceID)
            }
            await Traces.span("ours", .internal) { span in #expect(span?.isRecording == false) }
        }
        #expect(spans.all.isEmpty)
    }

    @Test func `a span ends once, and its links are bounded`() async throws {
        let spans = MemorySpans()
        let link = try #require(TraceParent(TracesTests.header))
        try await Traces.recorded(by: TraceContextTracer(sink: spans)) {
            let span = try #require(Traces.begin("batch", .internal))
            for _ in 0...RecordedSpan.linksMax { span.add(link: link) }
            span.operationName = "renamed"
            span.setStatus(SpanStatus(code: .error, message: "late"))
            span.end()
            span.end()
        }
        let span = try #require(spans.all.first)
        #expect(spans.all.count == 1 && span.name == "renamed" && span.failure == "late")
        #expect(span.links == Array(repeating: link, count: RecordedSpan.linksMax))
    }

    @Test func `libraries that know the tracer's protocol take part`() async {
        let spans = MemorySpans()
        let tracer = TraceContextTracer(sink: spans)
        var context = ServiceContext.topLevel
        tracer.extract(["traceparent": TracesTests.header], into: &context, using: Fields())
        let span = tracer.startSpan("library", context: context, ofKind: .client)
        var carrier: [String: String] = [:]
        tracer.inject(span.context, into: &carrier, using: Fields())
        span.addLink(SpanLink(context: context, attributes: [:]))
        span.end()
        #expect(spans.all.first?.parent?.description == TracesTests.header)
        #expect(carrier["traceparent"] == spans.all.first?.place.description)
        #expect(spans.all.first?.links.map(\.description) == [TracesTests.header])
    }
}
