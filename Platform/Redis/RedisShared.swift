import Logging
import Synchronization
import Threads

/// What a client and its thread share.
final class RedisShared: Sendable {
    let endpoint: RedisEndpoint
    let configuration: RedisConfiguration
    let metrics: RedisMetrics
    let logger: Logger
    let submissions: Submissions
    let subscribers: Subscribers
    private let stopping = Atomic(false)

    init(endpoint: RedisEndpoint, configuration: RedisConfiguration, metrics: RedisMetrics, logger: Logger) {
        (self.endpoint, self.configuration) = (endpoint, configuration)
        (self.metrics, self.logger) = (metrics, logger)
        submissions = Submissions(
            commandsInFlightMax: configuration.commandsInFlightMax,
            outgoingBytesMax: configuration.outgoingBytesMax
        )
        subscribers = Subscribers(wake: submissions.wake, metrics: metrics)
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Tells the thread to end.
    func stop() {
        stopping.store(true, ordering: .releasing)
        submissions.wake.raise()
    }
}
