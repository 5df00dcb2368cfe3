import Logging
import Observability
import OutboundHTTP
import Settings
import Traces

extension TraceExporter {
    /// Has traces made and gives the service that sends them; nil where the settings name no collector.
    ///
    /// At most once in a process, before what is to be traced.
    static func start(_ settings: Settings.Traces, logger: Logger) -> TraceExporter? {
        guard let collector = settings.collector else { return nil }
        var rules = HTTPClientConfiguration()
        // The operator names the collector, which stands beside the program.
        (rules.allowPrivateAddresses, rules.allowPlainHTTP) = (true, true)
        let client = HTTPClient(name: "traces", configuration: rules, logger: logger)
        let exporter = TraceExporter(to: collector, service: "diboas", client: client, logger: logger)
        Traces.record(TraceContextTracer(sink: exporter, sampledPercent: settings.sampledPercent))
        return exporter
    }
}
