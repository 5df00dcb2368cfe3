import Kernel
import Logging
import Metrics
import PostgreSQL
import ServiceLifecycle
import Synchronization

/// Up to which instant each domain's projections were complete when that was last looked at.
final class ProjectionWatch: Sendable {
    private let known = Mutex<[String: Timestamp]>([:])

    /// By domain; a domain that was never looked at is missing.
    var asOf: [String: Timestamp] { known.withLock { $0 } }

    func note(_ domain: String, _ instant: Timestamp) {
        known.withLock { known in
            // A later look may find an event that is older; what was complete stays complete.
            if known[domain].map({ $0 < instant }) ?? true { known[domain] = instant }
        }
    }
}

/// Measures the age of projections and summaries: `projection_age_seconds`, `summary_age_seconds`.
struct ProjectionAges: Service {
    /// Between two measurements.
    private static let pauseSeconds = 2.0

    let projections: Projections
    let watch: ProjectionWatch

    /// Measures until a graceful shutdown or cancellation.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await measure()
                try? await Task.sleep(for: .seconds(ProjectionAges.pauseSeconds))
            }
        }
    }

    private func measure() async {
        for source in projections.sources {
            let domain = source.schema.name
            do {
                let asOf = try await projections.asOf(source)
                watch.note(domain, asOf.instant)
                Gauge(label: "projection_age_seconds", dimensions: [("domain", domain)]).record(asOf.ageSeconds)
            } catch {
                projections.logger.warning(
                    "age of a projection not measured",
                    metadata: ["domain": "\(domain)", "error": "\(error)"]
                )
            }
        }
        for summary in (try? await projections.summaries()) ?? [] {
            guard let age = summary.ageSeconds else { continue }
            Gauge(label: "summary_age_seconds", dimensions: [("summary", summary.summary.rawValue)]).record(age)
        }
    }
}
