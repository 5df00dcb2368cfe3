import HTTP
import Kernel
import Logging
import OutboundHTTP
import Synchronization
import Testing
import Traces
import Tracing

@testable import Observability

struct TraceExporterTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Nobody: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            throw Problem.unauthenticated
        }
    }

    private static var client: HTTPClient {
        var rules = HTTPClientConfiguration()
        (rules.allowPlainHTTP, rules.allowPrivateAddresses, rules.retry.attemptsMax) = (true, true, 1)
        return HTTPClient(name: "test", configuration: rules, logger: quiet)
    }

    /// Makes a trace of two spans.
    private static func trace(into sink: any SpanSink) async {
        await Traces.recorded(by: TraceContextTracer(sink: sink)) {
            await Traces.span("outer", .server) { outer in
                outer?.attributes["status"] = 500
                outer?.setStatus(SpanStatus(code: .error, message: "status 500"))
                await Traces.span("inner", .client) { _ in }
            }
        }
    }

    /// Runs `body` with the URL of a collector that keeps what it is sent and answers with a status.
    private static func collector(_ status: Int, _ body: (String) async throws -> Void) async throws -> [JSON] {
        let taken = Mutex<[JSON]>([])
        let route = Route(
            .post,
            "/v1/traces",
            operationID: "takeTraces",
            summary: "Take traces",
            tag: "Traces",
            access: .public,
            body: .raw(mediaType: "application/json"),
            responses: [200: ResponseShape("Taken.")]
        ) { request in
            let json = try JSON.parse(request.rawBody)
            taken.withLock { $0.append(json) }
            return APIResponse(status: status)
        }
        let api = API(
            [route],
            description: APIDescription(title: "Collector", version: "1", text: "For tests."),
            services: API.Services(authenticator: Nobody(), logger: quiet)
        )
        let (ports, announced) = AsyncStream<Int>.makeStream()
        let server = APIServer(api, at: .host("127.0.0.1", port: 0), logger: quiet) { announced.yield($0 ?? 0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            try await body("http://127.0.0.1:\(port)")
            group.cancelAll()
        }
        return taken.withLock { $0 }
    }

    @Test func `spans reach a collector as OTLP`() async throws {
        let registry = PrometheusRegistry()
        let sent = try await TraceExporterTests.collector(200) { url in
            let exporter = TraceExporter(
                to: url,
                service: "diboas",
                client: TraceExporterTests.client,
                logger: TraceExporterTests.quiet,
                metrics: registry
            )
            await TraceExporterTests.trace(into: exporter)
            await exporter.flush()
            await exporter.flush()
        }
        #expect(sent.count == 1)
        let resource = try #require(sent.first?["resourceSpans"]?.elements?.first)
        let name = resource["resource"]?["attributes"]?.elements?.first
        #expect(name?["key"] == "service.name" && name?["value"]?["stringValue"] == "diboas")
        let spans = try #require(resource["scopeSpans"]?.elements?.first?["spans"]?.elements)
        let (inner, outer) = (try #require(spans.first), try #require(spans.last))
        #expect(inner["name"] == "inner" && outer["name"] == "outer")
        #expect(inner["traceId"] == outer["traceId"] && inner["parentSpanId"] == outer["spanId"])
        #expect(outer["traceId"]?.stringValue?.count == 32 && outer["spanId"]?.stringValue?.count == 16)
        #expect(outer["parentSpanId"] == nil)
        #expect(outer["kind"] == .integer(2) && inner["kind"] == .integer(3))
        #expect(outer["status"]?["code"] == .integer(2) && inner["status"] == nil)
        #expect(outer["attributes"]?.elements?.first?["value"]?["intValue"] == "500")
        let start = try #require(outer["startTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
        let end = try #require(outer["endTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
        #expect(start <= end && start > 1_700_000_000_000_000_000)
        #expect(registry.text().contains("trace_spans_exported_total 2\n"))
    }

    @Test func `what a collector doesn't take is dropped and counted`() async throws {
        let registry = PrometheusRegistry()
        _ = try await TraceExporterTests.collector(503) { url in
            let exporter = TraceExporter(
                to: url,
                service: "diboas",
                client: TraceExporterTests.client,
                logger: TraceExporterTests.quiet,
                metrics: registry
            )
            await TraceExporterTests.trace(into: exporter)
            await exporter.flush()
        }
        #expect(registry.text().contains(#"trace_spans_dropped_total{reason="not_taken"} 2"#))
    }

    @Test func `a full queue drops, and counts, and holds up nobody`() async throws {
        let registry = PrometheusRegistry()
        let exporter = TraceExporter(
            to: "http://127.0.0.1:1",
            service: "diboas",
            client: TraceExporterTests.client,
            queueMax: 1,
            logger: TraceExporterTests.quiet,
            metrics: registry
        )
        await TraceExporterTests.trace(into: exporter)
        #expect(registry.text().contains(#"trace_spans_dropped_total{reason="queue_full"} 1"#))
        await exporter.flush()
        #expect(registry.text().contains(#"trace_spans_dropped_total{reason="not_taken"} 1"#))
    }
}
