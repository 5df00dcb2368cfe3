import Kernel
import Traces
import Tracing

/// Spans as OTLP's JSON has them: ids in hex, 64-bit numbers as strings
/// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
enum TraceDocument {
    static func json(_ spans: [SpanRecord], service: String) -> JSON {
        [
            "resourceSpans": [
                [
                    "resource": ["attributes": [attribute("service.name", ["stringValue": .string(service)])]],
                    "scopeSpans": [["scope": ["name": "diboas"], "spans": .array(spans.map(json))]],
                ]
            ]
        ]
    }

    private static func json(_ span: SpanRecord) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member("traceId", .string(span.place.traceID)),
            JSON.Member("spanId", .string(span.place.spanID)),
            JSON.Member("name", .string(span.name)),
            JSON.Member("kind", .integer(Int(code(span.kind)))),
            JSON.Member("startTimeUnixNano", .string(String(span.startNanoseconds))),
            JSON.Member("endTimeUnixNano", .string(String(span.endNanoseconds))),
        ]
        if let parent = span.parent { members.append(JSON.Member("parentSpanId", .string(parent.spanID))) }
        var attributes: [JSON] = []
        span.attributes.forEach { name, value in attributes.append(attribute(name, json(value))) }
        if !attributes.isEmpty { members.append(JSON.Member("attributes", .array(attributes))) }
        if !span.links.isEmpty {
            let links = span.links.map { link -> JSON in
                ["traceId": .string(link.traceID), "spanId": .string(link.spanID)]
            }
            members.append(JSON.Member("links", .array(links)))
        }
        if let failure = span.failure {
            members.append(JSON.Member("status", ["code": .integer(2), "message": .string(failure)] as JSON))
        }
        return .object(members)
    }

    private static func attribute(_ name: String, _ value: JSON) -> JSON { ["key": .string(name), "value": value] }

    private static func json(_ value: SpanAttribute) -> JSON {
        switch value {
        case .int32(let number): ["intValue": .string(String(number))]
        case .int64(let number): ["intValue": .string(String(number))]
        case .bool(let flag): ["boolValue": .bool(flag)]
        case .string(let text): ["stringValue": .string(text)]
        case .stringConvertible(let value): ["stringValue": .string(value.description)]
        default: ["stringValue": .string("\(value)")]
        }
    }

    /// The numbers of `SpanKind` in OTLP's trace.proto.
    private static func code(_ kind: SpanKind) -> Int {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }
}
