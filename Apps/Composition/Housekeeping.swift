import DomainKit
import Kernel
import Logging
import Metrics
import ServiceLifecycle

/// Does the chores of a process, one after the other, every ten minutes.
struct Housekeeping: Service {
    static let pauseSeconds = 600.0
    /// Sets of one chore in a row; what is left is done the next time, so that no chore starves the others.
    static let setsMax = 200

    let chores: [Chore]
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await tidy()
                try? await Task.sleep(for: .seconds(Housekeeping.pauseSeconds))
            }
        }
    }

    /// Does every chore once; one that fails is told of, and the others are done.
    func tidy() async {
        for chore in chores where !Task.isCancelled {
            let dimensions = [("chore", chore.name), ("schema", chore.schema)]
            do {
                let tidied = try await Housekeeping.sets(of: chore)
                Counter(label: "housekeeping_tidied_total", dimensions: dimensions).increment(by: tidied)
            } catch {
                if Task.isCancelled { return }
                Counter(label: "housekeeping_failures_total", dimensions: dimensions).increment()
                logger.warning(
                    "a chore failed; it is done again",
                    metadata: ["chore": "\(chore.name)", "schema": "\(chore.schema)", "error": "\(error)"]
                )
            }
        }
    }

    private static func sets(of chore: Chore) async throws -> Int {
        var total = 0
        for _ in 0..<setsMax where !Task.isCancelled {
            let tidied = try await chore.work()
            total += tidied
            if tidied < chore.setMax { break }
        }
        return total
    }
}
