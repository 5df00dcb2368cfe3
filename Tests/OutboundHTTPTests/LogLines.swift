import Logging
import Synchronization

/// Keeps what is logged, as text.
final class LogLines: LogHandler {
    private let lines = Mutex<[String]>([])
    private let level = Mutex(Logger.Level.trace)
    private let keys = Mutex<Logger.Metadata>([:])

    var all: [String] { lines.withLock { $0 } }

    var logLevel: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }

    var metadata: Logger.Metadata {
        get { keys.withLock { $0 } }
        set { keys.withLock { $0 = newValue } }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { keys.withLock { $0[key] } }
        set { keys.withLock { $0[key] = newValue } }
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
}
