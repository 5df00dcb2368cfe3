import Ledger
public import Logging
import Messaging
public import ServiceLifecycle

/// Sweeps due reservations of a schema in the background.
public struct SweeperService: Service {
    /// Between two sweeps that found nothing.
    static let pauseSeconds = 5.0
    /// Reservations of one set: few enough that its locks are held for some milliseconds only.
    static let setMax = 250

    private let sweeper: ReservationSweeper
    private let outbox: WorkSignal
    private let logger: Logger

    /// A service around a sweeper.
    public init(_ runtime: DomainRuntime, logger: Logger) {
        (sweeper, outbox, self.logger) = (runtime.sweeper, runtime.outboxSignal, logger)
    }

    /// Sweeps until a graceful shutdown or cancellation.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let start = ContinuousClock.now
                    let report = try await sweeper.sweepOnce(limit: SweeperService.setMax)
                    if report.expired > 0 {
                        outbox.raise()
                        // As long a pause as the set took: whoever waited for its accounts comes first.
                        try? await Task.sleep(for: ContinuousClock.now - start)
                        continue
                    }
                } catch {
                    logger.warning(
                        "a sweep of reservations failed; the next one follows",
                        metadata: ["error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(SweeperService.pauseSeconds))
            }
        }
    }
}
