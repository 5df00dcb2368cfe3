import CoreMetrics
import Metrics

/// What the client counts: `redis_commands`, `redis_errors` by kind, `redis_reconnects`, `redis_messages_dropped`,
/// `redis_command_seconds`.
struct RedisMetrics: Sendable {
    let commands: Counter
    let reconnects: Counter
    let messagesDropped: Counter
    let latency: Timer
    private let refused: Counter
    private let unavailable: Counter
    private let overloaded: Counter
    private let late: Counter
    private let lost: Counter
    private let cancelled: Counter
    private let unexpected: Counter

    init(factory: any MetricsFactory) {
        func errors(_ kind: String) -> Counter {
            Counter(label: "redis_errors", dimensions: [("kind", kind)], factory: factory)
        }
        commands = Counter(label: "redis_commands", dimensions: [], factory: factory)
        reconnects = Counter(label: "redis_reconnects", dimensions: [], factory: factory)
        messagesDropped = Counter(label: "redis_messages_dropped", dimensions: [], factory: factory)
        latency = Timer(
            label: "redis_command_seconds",
            dimensions: [],
            preferredDisplayUnit: .seconds,
            factory: factory
        )
        refused = errors("refused")
        unavailable = errors("unavailable")
        overloaded = errors("overloaded")
        late = errors("deadline_exceeded")
        lost = errors("connection_lost")
        cancelled = errors("cancelled")
        unexpected = errors("unexpected_reply")
    }

    /// Counts one command that has no good reply.
    func count(_ error: RedisError) {
        switch error {
        case .refused: refused.increment()
        case .unavailable: unavailable.increment()
        case .overloaded: overloaded.increment()
        case .deadlineExceeded: late.increment()
        case .connectionLost: lost.increment()
        case .cancelled: cancelled.increment()
        case .unexpectedReply: unexpected.increment()
        }
    }
}
