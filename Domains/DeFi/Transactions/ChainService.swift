import Logging
import ServiceLifecycle

/// Follows a chain and sends to it until shutdown.
struct ChainService: Service {
    let follower: ChainFollower
    let sender: IntentSender
    let payouts: CustodySender?
    let pollMilliseconds: Int
    let logger: Logger

    func run() async throws {
        try await follower.blocks.declare()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await repeatedly("following") { try await follower.step() > 0 } }
                group.addTask { await repeatedly("sending") { try await sender.round() > 0 } }
                guard let payouts else { return }
                group.addTask { await repeatedly("paying out") { try await payouts.round() > 0 } }
            }
        }
        try? await follower.blocks.release()
    }

    /// Works, at once again while there was something to do.
    private func repeatedly(_ what: String, _ work: () async throws -> Bool) async {
        while !Task.isCancelled {
            do {
                if try await work() { continue }
            } catch {
                logger.warning(
                    "a step on a chain failed; the next one follows",
                    metadata: ["chain": "\(follower.chain.name)", "step": "\(what)", "error": "\(error)"]
                )
            }
            try? await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
    }
}
