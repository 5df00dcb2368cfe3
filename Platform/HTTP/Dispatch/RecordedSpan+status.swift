import Traces
import Tracing

extension RecordedSpan {
    /// Ends a request's span with the status of its answer; a fault of ours counts as a failure.
    func end(status: Int) {
        attributes["http.response.status_code"] = status
        if status >= 500 { setStatus(SpanStatus(code: .error, message: "status \(status)")) }
        end()
    }
}
