import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL
import WalletCrypto

/// Sends what users signed to a chain that follows Ethereum's rules.
struct IntentSender: UserSignedSender {
    let chain: EthereumChain
    let queue: SendQueue
    let books: IntentBooks
    let ledger: Ledger
    let logger: Logger

    init(_ chain: EthereumChain, _ runtime: DomainRuntime, books: IntentBooks, logger: Logger) {
        (self.chain, self.books, self.logger, ledger) = (chain, books, logger, runtime.ledger)
        queue = SendQueue(table: books.store.table, chain: chain.name, pool: runtime.pool, logger: logger)
    }

    func send(_ signed: SignedTransaction) async -> Reception { await chain.nodes.send(signed.raw) }

    func knows(_ signed: SignedTransaction) async throws -> Bool { try await chain.nodes.knows(signed.hash) }

    /// The nonce is used: by this transaction, which the follower finds in its block, or by another one.
    func lookUp(_ intent: Intent, _ signed: SignedTransaction) async throws {
        if try await knows(signed) { return try await store(intent, .accepted) }
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
}
