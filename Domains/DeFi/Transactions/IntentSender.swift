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
    /// Transactions of one round.
    static let roundMax = 32
    /// How long another process leaves a transaction to the one that sends it.
    static let leaseSeconds = 20.0
    /// From so many failed attempts on operators are told.
    static let attemptsAlarming = 8
    /// What every node has refused so often for what it is, over some ten minutes, is over.
    static let refusalsMax = 10
    /// The longest wait between two attempts.
    static let delaySecondsMax = 300.0

    let chain: EthereumChain
    let schema: Schema
    let pool: Pool
    let intents: Intents
    let books: IntentBooks
    let ledger: Ledger
    let logger: Logger

    init(_ chain: EthereumChain, _ runtime: DomainRuntime, intents: Intents, books: IntentBooks, logger: Logger) {
        (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        (self.chain, self.intents, self.books, self.logger) = (chain, intents, books, logger)
    }

    /// Sends what is due; how many there were.
    @discardableResult func round() async throws -> Int {
        let due = try await claim()
        try await ChainSteps(chain: chain.name, ledger: ledger, logger: logger).each(due) { try await send($0) }
        return due.count
    }

    /// Sends one now, if it is due and nobody else does.
    func sendNow(_ id: ID<Intent>) async {
        do {
            for claimed in try await claim(only: id) { try await send(claimed) }
        } catch {
            logger.warning("a transaction is sent later", metadata: ["intent": "\(id.wire)", "error": "\(error)"])
        }
    }

    private func claim(only id: ID<Intent>? = nil) async throws -> [ID<Intent>] {
        let rows = try await pool.query(
            """
            update \(schema).intents i
            set next_at = clock_timestamp() + make_interval(secs => \(IntentSender.leaseSeconds)),
                attempts = attempts + 1
            where id in (
                select id from \(schema).intents
                where chain = \(chain.name) and next_at <= clock_timestamp() and (\(id)::uuid is null or id = \(id))
                order by next_at limit \(IntentSender.roundMax) for no key update skip locked)
            returning id
            """
        )
        return try rows.map { try $0["id"] }
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
        guard try await postpone(intent, words, isRefused: true) >= Self.refusalsMax else { return }
        guard let signed = intent.signed, try await !chain.nodes.knows(signed.hash) else { return }
        try await store(intent, .settled, because: "refused_by_nodes")
        logger.error(
            "no node takes a transaction: it is over",
            metadata: ["intent": "\(intent.id.wire)", "why": "\(words)"]
        )
    }

    /// Tries it again later; how often it was refused for what it is.
    @discardableResult
    private func postpone(_ intent: Intent, _ why: String, isRefused: Bool = false) async throws -> Int {
        let rows = try await pool.query(
            """
            update \(schema).intents
            set reason = \(why), refusals = refusals + \(isRefused ? 1 : 0),
                next_at = clock_timestamp()
                    + make_interval(secs => least(\(IntentSender.delaySecondsMax), 0.25 * 2 ^ least(attempts, 12)))
            where id = \(intent.id) and version = \(intent.version) and next_at is not null
            returning attempts, refusals
            """
        )
        let attempts: Int = try rows.first?["attempts"] ?? 0
        logger.log(
            level: attempts >= IntentSender.attemptsAlarming ? .error : .info,
            "a transaction is not on the chain yet",
            metadata: ["intent": "\(intent.id.wire)", "why": "\(why)", "attempts": "\(attempts)"]
        )
        return try rows.first?["refusals"] ?? 0
    }
}
