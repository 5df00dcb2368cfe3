public import Logging
public import PostgreSQL
public import ServiceLifecycle

/// Raises this process's signals when another process notifies of them.
public struct WorkSignalListener: Service {
    /// How often the listening connection is asked whether it lives.
    static let checkSeconds = 5.0
    private static let reconnectSeconds = 1.0

    private let options: ConnectionOptions
    private let signals: [String: WorkSignal]
    private let logger: Logger

    /// A listener with a connection of its own; one process needs one for each database server.
    public init(_ options: ConnectionOptions, signals: [WorkSignal], logger: Logger) {
        self.options = options
        self.signals = Dictionary(signals.map { ($0.name, $0) }) { first, _ in first }
        self.logger = logger
    }

    /// Listens until a graceful shutdown or cancellation, and reconnects by itself.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await listen()
                } catch {
                    logger.debug("not listening", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(WorkSignalListener.reconnectSeconds))
            }
        }
    }

    private func listen() async throws {
        let connection = try await Connection.open(options)
        defer { connection.close() }
        connection.onNotification { [signals] in signals[$0.payload]?.local.raise() }
        _ = try await connection.query("listen diboas_work")
        // What was notified while nobody listened.
        for signal in signals.values { signal.local.raise() }
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(WorkSignalListener.checkSeconds))
            _ = try await connection.query("select 1")
        }
    }
}
