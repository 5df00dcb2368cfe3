public import Kernel
public import Logging

/// A log of one JSON object per line: `time`, `level`, `logger`, `message`, then the metadata by name.
///
/// Nothing that looks like a secret gets through: see `Redaction`.
public struct JSONLogHandler: LogHandler {
    /// Characters of a message or of a value; the rest is cut off.
    public static let valueLengthMax = 4096
    /// Members of one line beside the first four.
    public static let membersMax = 64

    /// The least level that is written.
    public var logLevel: Logger.Level
    /// What every line of this logger carries.
    public var metadata: Logger.Metadata = [:]
    /// What every line carries by its task.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let sink: any LogSink
    private let clock: any WallClock

    /// A handler for a logger of that label.
    public init(
        label: String,
        level: Logger.Level = .info,
        sink: any LogSink = StandardErrorSink(),
        clock: any WallClock = SystemClock(),
        metadataProvider: Logger.MetadataProvider? = nil
    ) {
        (self.label, self.logLevel, self.sink, self.clock) = (label, level, sink, clock)
        self.metadataProvider = metadataProvider
    }

    /// A value that every line of this logger carries.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error, all["error"] == nil { all["error"] = .string(String(reflecting: error)) }
        var members: [JSON.Member] = [
            JSON.Member("time", .string(clock.now().description)),
            JSON.Member("level", .string(event.level.rawValue)),
            JSON.Member("logger", .string(label)),
            JSON.Member("message", .string(JSONLogHandler.safe(event.message.description))),
        ]
        let reserved = Set(members.map(\.name))
        for (key, value) in all.sorted(by: { $0.key < $1.key }).prefix(JSONLogHandler.membersMax) {
            members.append(
                JSON.Member(reserved.contains(key) ? "metadata." + key : key, JSONLogHandler.json(key, value, depth: 0))
            )
        }
        sink.write(JSON.object(members).serialized() + [UInt8(ascii: "\n")])
    }

    private static func json(_ key: String, _ value: Logger.Metadata.Value, depth: Int) -> JSON {
        if Redaction.isSecret(name: key) { return .string(Redaction.mark) }
        if depth > 4 { return .string("…") }
        switch value {
        case .string(let text): return .string(safe(text))
        case .stringConvertible(let value): return .string(safe(value.description))
        case .array(let values):
            return .array(values.prefix(membersMax).map { json(key, $0, depth: depth + 1) })
        case .dictionary(let values):
            let entries = values.sorted { $0.key < $1.key }.prefix(membersMax)
            return .object(entries.map { JSON.Member($0.key, json($0.key, $0.value, depth: depth + 1)) })
        }
    }

    private static func safe(_ text: String) -> String {
        let redacted = Redaction.redact(text)
        guard redacted.utf8.count > valueLengthMax else { return redacted }
        return String(redacted.prefix(valueLengthMax)) + "…"
    }
}
