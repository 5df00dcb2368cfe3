import Logging
import ServiceLifecycle

/// Deletes challenges that prove nothing, in bounded sets, in the background.
struct ChallengeSweeper: Service {
    static let pauseSeconds = 600.0
    static let setMax = 1_000

    let challenges: Challenges
    let logger: Logger

    /// Sweeps until a graceful shutdown or cancellation.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await challenges.sweep(limit: ChallengeSweeper.setMax) == ChallengeSweeper.setMax {
                        continue
                    }
                } catch {
                    logger.warning(
                        "a sweep of wallet challenges failed; the next one follows",
                        metadata: ["error": "\(error)"]
                    )
                }
                try? await Task.sleep(for: .seconds(ChallengeSweeper.pauseSeconds))
            }
        }
    }
}
