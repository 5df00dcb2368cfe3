import CHiredis
import Glibc
import Logging
import Threads

/// What the thread of a client does until it is told to stop: waits for its sockets and serves both lanes.
final class RedisLoop {
    /// Waits at most that long in one go, so that the thread is never further than this from noticing anything.
    private static let waitMillisecondsMax: Int64 = 1000

    private let shared: RedisShared
    private let commands: CommandLane
    private let subscriptions: SubscriptionLane

    init(shared: RedisShared) {
        self.shared = shared
        func link(_ name: String) -> Link {
            Link(
                name: name,
                endpoint: shared.endpoint,
                configuration: shared.configuration,
                metrics: shared.metrics,
                logger: shared.logger
            )
        }
        commands = CommandLane(
            link: link("commands"),
            submissions: shared.submissions,
            configuration: shared.configuration,
            metrics: shared.metrics
        )
        subscriptions = SubscriptionLane(
            link: link("subscriptions"),
            subscribers: shared.subscribers,
            configuration: shared.configuration
        )
    }

    func run() {
        let wake = shared.submissions.wake
        var polled = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0), pollfd(), pollfd()]
        while !shared.isStopping {
            polled[1] = commands.interest
            polled[2] = subscriptions.interest
            let wait = min(commands.due, subscriptions.due) - min(Monotonic.now(), .max / 2)
            let milliseconds = max(0, min(wait / 1_000_000 + 1, RedisLoop.waitMillisecondsMax))
            if poll(&polled, nfds_t(polled.count), Int32(milliseconds)) < 0 {
                // Interrupted by a signal: nothing is known of the sockets.
                for index in polled.indices { polled[index].revents = 0 }
            }
            if polled[0].revents != 0 { wake.clear() }
            let now = Monotonic.now()
            commands.step(now, revents: polled[1].revents)
            subscriptions.step(now, revents: polled[2].revents)
        }
        commands.stop()
        subscriptions.stop()
    }
}
