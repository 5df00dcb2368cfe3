import Logging
import ServiceLifecycle

/// Follows a chain and sends to it until shutdown.
struct ChainService: Service {
    let follower: ChainFollower
    let sender: IntentSender
    let payouts: CustodySender?
    let reconciliation: CustodyReconciliation?
    let pollMilliseconds: Int
    let logger: Logger

    func run() async throws {
        try await follower.blocks.declare()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await repeatedly("following") { try await follower.step() > 0 } }
                group.addTask { await repeatedly("sending") { try await sender.round() > 0 } }
                if let payouts { group.addTask { await repeatedly("paying out") { try await payouts.round() > 0 } } }
                if let reconciliation { group.addTask { await reconcile(reconciliation) } }
            }
        }
        try? await follower.blocks.release()
    }

    private func reconcile(_ reconciliation: CustodyReconciliation) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(CustodyReconciliation.periodSeconds))
            do {
                try await reconciliation.reconcile()
            } catch {
                logger.info(
                    "custody is compared with the chain later",
                    metadata: ["chain": "\(follower.chain.name)", "error": "\(error)"]
                )
            }
        }
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
