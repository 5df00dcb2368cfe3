import Logging
import Metrics
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
    var custody: CustodyParts?
    let pollMilliseconds: Int
    let logger: Logger

    func run() async throws {
        try await blocks.declare()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for step in steps { group.addTask { await repeatedly(step) } }
                if let custody { group.addTask { await lookAfter(custody) } }
            }
        }
        try? await blocks.release()
    }

    private func lookAfter(_ custody: CustodyParts) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(CustodyReconciliation.periodSeconds))
            await told("custody is compared with the chain later") { try await custody.reconciliation.reconcile() }
            await told("what of custody waits is looked at later") { try await custody.waiting.tell() }
        }
    }

    private func told<Found>(_ late: Logger.Message, _ work: () async throws -> Found) async {
        do {
            _ = try await work()
        } catch {
            logger.info(late, metadata: ["chain": "\(blocks.chain)", "error": "\(error)"])
        }
    }

    private func repeatedly(_ step: Step) async {
        while !Task.isCancelled {
            do {
                if try await step.work() { continue }
            } catch {
                Counter(
                    label: "chain_steps_failed_total",
                    dimensions: [("chain", blocks.chain), ("step", step.name)]
                ).increment()
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
            custody: custody,
            pollMilliseconds: pollMilliseconds,
            logger: logger
        )
    }
}
