public import Logging
public import PostgreSQL
public import ServiceLifecycle

/// Tells other processes of raised signals by PostgreSQL's `notify`.
///
/// `notify` takes a lock of the whole database until its transaction has ended. Inside a ledger batch it would line up
/// the commits of all schemas, each with its flush to disk. So it is sent after the commit, in a transaction of its own
/// that waits for no flush, and at most fifty times a second; one lost in between is made up for by the listeners'
/// polling.
public struct WorkSignalNotifier: Service {
    /// The channel that all signals share; the payload is the signal's name.
    public static let channel = "diboas_work"
    /// Signals raised within this time of a notification wait for the next.
    static let pauseMilliseconds = 20
    private static let idleSeconds = 60.0

    private let pool: Pool
    private let signals: [WorkSignal]
    private let logger: Logger

    /// A notifier of signals over a pool; one process needs one for each database server.
    public init(pool: Pool, signals: [WorkSignal], logger: Logger) {
        (self.pool, self.signals, self.logger) = (pool, signals, logger)
    }

    /// Notifies until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for signal in signals { group.addTask { await notify(signal) } }
            }
        }
    }

    private func notify(_ signal: WorkSignal) async {
        while !Task.isCancelled {
            // It may end by the time-out too: one notification too many does no harm.
            await signal.remote.wait(timeoutSeconds: WorkSignalNotifier.idleSeconds)
            if Task.isCancelled { return }
            do {
                _ = try await pool.query(
                    """
                    select pg_notify(\(WorkSignalNotifier.channel), \(signal.name)),
                        set_config('synchronous_commit', 'off', true)
                    """
                )
            } catch {
                logger.debug("no notification sent", metadata: ["signal": "\(signal.name)", "error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(WorkSignalNotifier.pauseMilliseconds))
        }
    }
}
