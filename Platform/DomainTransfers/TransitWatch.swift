import Kernel
import Logging
import Metrics
import ServiceLifecycle

/// Measures how long money has been in transit, and complains when it is too long.
struct TransitWatch: Service {
    /// Between two measurements.
    static let pauseSeconds = 5.0
    /// What has not arrived or come back after this long needs a person.
    static let alarmSeconds = 300.0

    private let domain: String
    private let transfers: Transfers
    private let logger: Logger
    private let ages: [String: Gauge]

    init(domain: String, others: [String], transfers: Transfers, logger: Logger) {
        (self.domain, self.transfers, self.logger) = (domain, transfers, logger)
        ages = Dictionary(
            others.map { ($0, Gauge(label: "in_transit_age_seconds", dimensions: [("from", domain), ("to", $0)])) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Measures until a graceful shutdown or cancellation.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var late: Set<String> = []
            while !Task.isCancelled {
                do {
                    late = try await measure(late)
                } catch {
                    logger.warning(
                        "money in transit not measured",
                        metadata: ["domain": "\(domain)", "error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(TransitWatch.pauseSeconds))
            }
        }
    }

    /// Records the ages and answers with the domains to which money is late; `late` are those already complained of.
    func measure(_ late: Set<String>) async throws -> Set<String> {
        let oldest = try await transfers.oldestInTransit()
        for (other, gauge) in ages { gauge.record(oldest[other] ?? 0) }
        let now = Set(oldest.filter { $0.value > TransitWatch.alarmSeconds }.keys)
        for other in now.subtracting(late).sorted() {
            logger.error(
                "money is in transit for too long",
                metadata: ["from": "\(domain)", "to": "\(other)", "seconds": "\(Int(oldest[other] ?? 0))"]
            )
        }
        return now
    }
}
