import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL

/// Sends signed payments to their chain, each until a node has it.
///
/// What is signed was stored before, so that a process that ends between sending and storing sends it again, and the
/// node says that it has it. The chain takes it once: sending twice is sending once.
struct PaymentSender: Sendable {
    let chain: any PaymentChain
    let schema: Schema
    let pool: Pool
    let payments: Payments
    let books: PaymentBooks
    let ledger: Ledger
    let logger: Logger

    private var queue: SendQueue {
        SendQueue(table: "\(schema).payments", chain: chain.name, pool: pool, logger: logger)
    }

    /// Sends what is due; how many there were.
    @discardableResult func round() async throws -> Int {
        let due = try await queue.claim()
        try await ChainSteps(chain: chain.name, ledger: ledger, logger: logger).each(due) { try await send($0) }
        return due.count
    }

    /// Sends one now, if it is due and nobody else does.
    func sendNow(_ id: ID<Intent>) async {
        do {
            for claimed in try await queue.claim(only: id) { try await send(claimed) }
        } catch {
            logger.warning("a payment is sent later", metadata: ["intent": "\(id.wire)", "error": "\(error)"])
        }
    }

    private func send(_ id: ID<Intent>) async throws {
        guard let payment = try await payments.find(id), let signed = payment.signed, payment.state.waitsToBeSent
        else { return }
        switch await chain.send(signed) {
        case .accepted: try await store(payment, .accepted)
        case .nonceTooLow: try await lookUp(payment, signed)
        case .underpriced: try await postpone(payment, "underpriced")
        case .insufficientFunds: try await postpone(payment, "insufficient_funds")
        case .refused(let words): try await refuse(payment, signed, words)
        case .unknown(let why):
            // Whether it arrived is looked up, not guessed.
            switch try? await chain.status(of: signed.id) {
            case .pending?, .included?: try await store(payment, .accepted)
            case .unknown?, nil: try await postpone(payment, why)
            }
        }
    }

    /// What it needs is used: by itself, which the follower finds in its block, or by others; or it is too late.
    private func lookUp(_ payment: Payment, _ signed: SignedPayment) async throws {
        let outlook = try await chain.outlook(of: payment.unsigned)
        // Asked last: what came into a block meanwhile is known.
        guard try await chain.status(of: signed.id) == .unknown else { return try await store(payment, .accepted) }
        let blocks = ChainBlocks(schema: schema, pool: pool, chain: chain.name, holder: 0)
        let tip = try await blocks.tip()
        switch (outlook, tip) {
        // No block can have it any more, whichever is followed next.
        case (.late, let tip?): try await store(payment, .displaced(tip), because: "too_late")
        case (.spent, let tip?) where try await chain.head() == tip.number:
            try await store(payment, .displaced(tip), because: "inputs_spent")
        // Something in the pool is in its way, or in a block that is followed next; it may yet go.
        default: try await postpone(payment, "inputs_used")
        }
    }

    private func store(_ payment: Payment, _ event: IntentState.Event, because reason: String? = nil) async throws {
        let item = try await books.item(payment, event, because: reason)
        guard case .done = try await ledger.submit(batch: [item])[0] else {
            preconditionFailure("what moves no money was refused")
        }
    }

    /// Ends what no node will ever take; what it held and used up is free again.
    private func refuse(_ payment: Payment, _ signed: SignedPayment, _ words: String) async throws {
        guard try await postpone(payment, words, isRefused: true) else { return }
        guard try await chain.status(of: signed.id) == .unknown else { return }
        try await store(payment, .settled, because: "refused_by_nodes")
        queue.tellOver(payment.id, words)
    }

    @discardableResult
    private func postpone(_ payment: Payment, _ why: String, isRefused: Bool = false) async throws -> Bool {
        try await queue.postpone(payment.id, version: payment.version, why, isRefused: isRefused)
    }
}
