extension Settings {
    /// Where traces go.
    public struct Traces: Sendable {
        /// The collector's URL without path; nil when no traces are made.
        public let collector: String?
        /// Of the traces that begin here, how many of a hundred are recorded.
        public let sampledPercent: Int

        init(_ reader: inout SettingsReader) {
            collector = reader.optional(
                "DIBOAS_TRACES_URL",
                .webURL,
                "Collector of traces, OTLP over HTTP, as http://127.0.0.1:4318; without it none are made."
            )
            sampledPercent = reader.value(
                "DIBOAS_TRACES_PERCENT",
                .integer(0...100),
                default: "100",
                "Of the traces that begin here, how many of a hundred are recorded."
            )
        }
    }
}
