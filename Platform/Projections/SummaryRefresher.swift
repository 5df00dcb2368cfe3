import Logging
import ServiceLifecycle

/// Refreshes the summaries from time to time; several at once share the work.
struct SummaryRefresher: Service {
    let projections: Projections
    let pauseSeconds: Double

    /// Refreshes until a graceful shutdown or cancellation.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await projections.refresh()
                } catch {
                    projections.logger.warning("summaries not refreshed", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(pauseSeconds))
            }
        }
    }
}
