import Kernel
import Synchronization

/// Looks at every connection four times a second and gives up those that take too long.
///
/// A timer per request would cost more than the request's routing; a quarter of a second too late costs nothing.
final class Deadlines: Sendable {
    private static let period = Duration.milliseconds(250)
    private let connections = Mutex<[ObjectIdentifier: Connection]>([:])

    func add(_ connection: Connection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: Connection) {
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Runs until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Deadlines.period)
            sweep(at: MonotonicTime.nanoseconds())
        }
    }

    func sweep(at now: UInt64) {
        let present = connections.withLock { Array($0.values) }
        for connection in present {
            guard let (phase, exchange) = connection.expire(at: now) else { continue }
            connection.giveUp(exchange?.answer(to: phase))
        }
    }
}
