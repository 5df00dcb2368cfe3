import DomainKit
import Kernel
import Ledger
import Logging
import Messaging
import PostgreSQL
import WalletCrypto

/// Sends signed transactions to the chain, each until a node has it.
///
/// What is signed was stored before, so that a process that ends between sending and storing sends it again, and the
/// node says that it has it. The chain takes a nonce once: sending twice is sending once.
struct IntentSender: Sendable {
    let chain: EthereumChain
    let queue: SendQueue
    let intents: Intents
    let books: IntentBooks
    let ledger: Ledger
    let logger: Logger

    init(_ chain: EthereumChain, _ runtime: DomainRuntime, intents: Intents, books: IntentBooks, logger: Logger) {
        (self.chain, self.intents, self.books, self.logger, ledger) = (chain, intents, books, logger, runtime.ledger)
        queue = SendQueue(
            table: "\(runtime.schema).intents",
            chain: chain.name,
            pool: runtime.pool,
            logger: logger
        )
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
            logger.warning("a transaction is sent later", metadata: ["intent": "\(id.wire)", "error": "\(error)"])
        }
    }

    private func send(_ id: ID<Intent>) async throws {
        guard let intent = try await intents.find(id), let signed = intent.signed, intent.state.waitsToBeSent else {
            return
        }
        switch await chain.nodes.send(signed.raw) {
        case .accepted: try await store(intent, .accepted)
        case .nonceTooLow: try await lookUp(intent, signed)
        case .underpriced: try await postpone(intent, "underpriced")
        case .insufficientFunds: try await postpone(intent, "insufficient_funds")
        case .refused(let words): try await refuse(intent, words)
        case .unknown(let why):
            // Whether it arrived is looked up, not guessed.
            if (try? await chain.nodes.knows(signed.hash)) == true {
                try await store(intent, .accepted)
            } else {
                try await postpone(intent, why)
            }
        }
    }

    /// The nonce is used: by this transaction, which the follower finds in its block, or by another one.
    private func lookUp(_ intent: Intent, _ signed: Intent.Signed) async throws {
        if try await chain.nodes.knows(signed.hash) { return try await store(intent, .accepted) }
        let head = try await chain.nodes.head()
        guard let block = try await chain.nodes.block(head) else {
            try await postpone(intent, "no head")
            return
        }
        let used = try await chain.nodes.nonce(of: intent.address)
        // A node that lags may still say so of a nonce that a reorganisation set free.
        guard used > intent.transaction.nonce else {
            try await postpone(intent, "nonce_unclear")
            return
        }
        try await store(intent, .displaced(block.reference), because: "nonce_used")
    }

    private func store(_ intent: Intent, _ event: IntentState.Event, because reason: String? = nil) async throws {
        let item = try await books.item(intent, event, because: reason)
        guard case .done = try await ledger.submit(batch: [item])[0] else {
            preconditionFailure("what moves no money was refused")
        }
    }

    /// Ends what no node will ever take; what it held is free again, and its nonce goes to another one.
    private func refuse(_ intent: Intent, _ words: String) async throws {
        guard try await postpone(intent, words, isRefused: true) else { return }
        guard let signed = intent.signed, try await !chain.nodes.knows(signed.hash) else { return }
        try await store(intent, .settled, because: "refused_by_nodes")
        queue.tellOver(intent.id, words)
    }

    @discardableResult
    private func postpone(_ intent: Intent, _ why: String, isRefused: Bool = false) async throws -> Bool {
        try await queue.postpone(intent.id, version: intent.version, why, isRefused: isRefused)
    }
}
