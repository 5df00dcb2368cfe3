public import Logging
import Traces

extension Logger.MetadataProvider {
    /// `trace_id` and `span_id` of the running task, for log lines; nothing outside of a trace.
    public static let trace = Logger.MetadataProvider {
        guard let place = Traces.current else { return [:] }
        return ["trace_id": .string(place.traceID), "span_id": .string(place.spanID)]
    }
}
