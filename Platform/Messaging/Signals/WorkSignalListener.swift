public import Logging
public import PostgreSQL
public import ServiceLifecycle

/// Raises this process's signals when another process notifies of them.
public struct WorkSignalListener: Service {
    private let listener: Listener
    private let signals: [String: WorkSignal]

    /// A listener with a connection of its own; one process needs one for each database server.
    ///
    /// It runs once.
    public init(_ options: ConnectionOptions, signals: [WorkSignal], logger: Logger) {
        listener = Listener(options, channels: [WorkSignalNotifier.channel], logger: logger)
        self.signals = Dictionary(signals.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Listens until a graceful shutdown or cancellation.
    public func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await listener.run() }
            for await event in listener.events {
                switch event {
                // Whatever was notified while nobody listened.
                case .connected: for signal in signals.values { signal.local.raise() }
                case .notification(let notification): signals[notification.payload]?.local.raise()
                }
            }
        }
    }
}
