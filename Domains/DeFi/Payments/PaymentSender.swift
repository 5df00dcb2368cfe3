import DomainKit
import Kernel
import Ledger
import Logging
import PostgreSQL

/// Sends payments that users signed to their chain.
struct PaymentSender: UserSignedSender {
    let chain: any PaymentChain
    let books: PaymentBooks
    let ledger: Ledger
    let logger: Logger

    var queue: SendQueue {
        SendQueue(table: books.store.table, chain: chain.name, pool: books.store.pool, logger: logger)
    }

    func send(_ signed: SignedTransaction) async -> Reception { await chain.send(signed) }

    func knows(_ signed: SignedTransaction) async throws -> Bool {
        try await chain.status(of: signed.hash) != .unknown
    }

    /// What it needs is used: by itself, which the follower finds in its block, or by others; or it is too late.
    func lookUp(_ payment: Payment, _ signed: SignedTransaction) async throws {
        let outlook = try await chain.outlook(of: payment.unsigned)
        // Asked last: what came into a block meanwhile is known.
        if try await knows(signed) { return try await store(payment, .accepted) }
        let blocks = ChainBlocks(schema: books.store.schema, pool: books.store.pool, chain: chain.name, holder: 0)
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
}
