import Logging
import ServiceLifecycle

/// Follows a chain and sends to it until shutdown.
struct ChainService: Service {
    /// Something that is done again and again, at once while there was something to do.
    struct Step: Sendable {
        let name: String
        let work: @Sendable () async throws -> Bool
    }

    let blocks: ChainBlocks
    let steps: [Step]
    var reconciliation: CustodyReconciliation?
    let pollMilliseconds: Int
    let logger: Logger

    func run() async throws {
        try await blocks.declare()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for step in steps { group.addTask { await repeatedly(step) } }
                if let reconciliation { group.addTask { await reconcile(reconciliation) } }
            }
        }
        try? await blocks.release()
    }

    private func reconcile(_ reconciliation: CustodyReconciliation) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(CustodyReconciliation.periodSeconds))
            do {
                try await reconciliation.reconcile()
            } catch {
                logger.info(
                    "custody is compared with the chain later",
                    metadata: ["chain": "\(blocks.chain)", "error": "\(error)"]
                )
            }
        }
    }

    private func repeatedly(_ step: Step) async {
        while !Task.isCancelled {
            do {
                if try await step.work() { continue }
            } catch {
                logger.warning(
                    "a step on a chain failed; the next one follows",
                    metadata: ["chain": "\(blocks.chain)", "step": "\(step.name)", "error": "\(error)"]
                )
            }
            try? await Task.sleep(for: .milliseconds(pollMilliseconds))
        }
    }
}

extension ChainService {
    /// A chain that follows Ethereum's rules.
    init(_ parts: ChainParts, pollMilliseconds: Int, logger: Logger) {
        let (follower, sender) = (parts.follower, parts.sender)
        let steps = [
            Step(name: "following") { try await follower.step() > 0 },
            Step(name: "sending") { try await sender.round() > 0 },
        ]
        self.init(follower.blocks, steps, parts.custody, pollMilliseconds: pollMilliseconds, logger: logger)
    }

    /// A chain of payments.
    init(_ parts: PaymentParts, pollMilliseconds: Int, logger: Logger) {
        let (follower, sender) = (parts.follower, parts.sender)
        let steps = [
            Step(name: "following") { try await follower.step() > 0 },
            Step(name: "sending") { try await sender.round() > 0 },
        ]
        self.init(follower.blocks, steps, parts.custody, pollMilliseconds: pollMilliseconds, logger: logger)
    }

    private init(
        _ blocks: ChainBlocks,
        _ steps: [Step],
        _ custody: CustodyParts?,
        pollMilliseconds: Int,
        logger: Logger
    ) {
        var steps = steps
        if let payouts = custody?.sender { steps.append(Step(name: "paying out") { try await payouts.round() > 0 }) }
        self.init(
            blocks: blocks,
            steps: steps,
            reconciliation: custody?.reconciliation,
            pollMilliseconds: pollMilliseconds,
            logger: logger
        )
    }
}
