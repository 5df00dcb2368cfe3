public import PostgreSQL

/// Says that there is work for a queue of one schema, in this process at once and in the others by notification.
///
/// A signal is a hint: who waits for it also polls, so a lost one costs a second and nothing else.
public final class WorkSignal: Sendable {
    /// The queues that have signals.
    public enum Queue: String, Sendable {
        /// Events to publish.
        case outbox
        /// Events to handle.
        case inbox
    }

    /// Its name to other processes: `outbox:banking`.
    public let name: String
    let local = Flag()
    let remote = Flag()

    /// The signal of a queue; one instance for a process.
    public init(_ queue: Queue, of schema: Schema) { name = "\(queue.rawValue):\(schema)" }

    /// Raises it, after the work is committed; never waits.
    public func raise() {
        local.raise()
        remote.raise()
    }

    /// Waits until it is raised here or elsewhere, at most the time given.
    public func wait(timeoutSeconds: Double) async { await local.wait(timeoutSeconds: timeoutSeconds) }
}
