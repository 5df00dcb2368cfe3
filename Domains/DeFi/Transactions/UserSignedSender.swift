import Kernel
import Ledger
import Logging

/// Sends signed transactions to their chain, each until a node has it.
///
/// What is signed was stored before, so that a process that ends between sending and storing sends it again, and the
/// node says that it has it. The chain takes it once: sending twice is sending once.
protocol UserSignedSender: Sendable {
    associatedtype Books: UserSignedBooks

    var queue: SendQueue { get }
    var books: Books { get }
    var ledger: Ledger { get }
    var logger: Logger { get }

    func send(_ signed: SignedTransaction) async -> Reception

    /// Whether the chain knows it: in a block, or waiting for one.
    func knows(_ signed: SignedTransaction) async throws -> Bool

    /// What it needs is used: by itself, which the follower finds in its block, or by others.
    func lookUp(_ value: Books.Value, _ signed: SignedTransaction) async throws
}

extension UserSignedSender {
    /// Sends what is due; how many there were.
    @discardableResult func round() async throws -> Int {
        let due = try await queue.claim()
        try await ChainSteps(chain: queue.chain, ledger: ledger, logger: logger).each(due) { try await send($0) }
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
        guard let value = try await books.store.find(id), let signed = value.signed, value.state.waitsToBeSent else {
            return
        }
        switch await send(signed) {
        case .accepted: try await store(value, .accepted)
        case .nonceTooLow: try await lookUp(value, signed)
        case .underpriced: try await postpone(value, "underpriced")
        case .insufficientFunds: try await postpone(value, "insufficient_funds")
        case .refused(let words): try await refuse(value, signed, words)
        case .unknown(let why):
            // Whether it arrived is looked up, not guessed.
            if (try? await knows(signed)) == true {
                try await store(value, .accepted)
            } else {
                try await postpone(value, why)
            }
        }
    }

    /// Ends what no node will ever take; what it held and used up is free again.
    private func refuse(_ value: Books.Value, _ signed: SignedTransaction, _ words: String) async throws {
        guard try await postpone(value, words, isRefused: true), try await !knows(signed) else { return }
        try await store(value, .settled, because: "refused_by_nodes")
        logger.error(
            "no node takes a transaction: it is over",
            metadata: ["intent": "\(value.id.wire)", "why": "\(words)"]
        )
    }

    func store(_ value: Books.Value, _ event: IntentState.Event, because reason: String? = nil) async throws {
        let item = try await books.item(value, event, because: reason)
        guard case .done = try await ledger.submit(batch: [item])[0] else {
            preconditionFailure("what moves no money was refused")
        }
    }

    /// Whether nodes have refused it for so long that none will ever take it.
    @discardableResult
    func postpone(_ value: Books.Value, _ why: String, isRefused: Bool = false) async throws -> Bool {
        try await queue.postpone(value.id, version: value.version, why, isRefused: isRefused)
    }
}
