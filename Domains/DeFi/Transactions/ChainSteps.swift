import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import WalletCrypto

/// Stores what the steps of a chain do, so that what is wrong with one transaction, or with one wallet, holds up
/// nothing but itself.
struct ChainSteps: Sendable {
    /// Transactions of one round that a node may fail before the rest waits for the next.
    static let failuresMax = 3
    /// Transactions that one line of the log names.
    private static let shownMax = 20

    /// CAIP-2.
    let chain: String
    let ledger: Ledger
    let logger: Logger

    /// Stores a step of the chain with what it does to transactions and wallets, all in one.
    ///
    /// Where the database refuses something of a transaction, the step is stored without it, so that it doesn't hold
    /// the chain up, and what it does to each transaction after it, each for itself. What is missing then is found
    /// again: an inclusion by its receipt, a reorganisation and what is final by the block that the transaction is in.
    /// What it refuses of wallets comes after the step in the same way, and what they have is read anew.
    ///
    /// - Throws: a `PostgresError` that is the fault of none of them.
    func store(
        _ step: [LedgerItem],
        with transactions: [LedgerItem],
        _ wallets: WalletEffects = WalletEffects()
    ) async throws {
        do {
            return try await store(transactions + wallets.items + step)
        } catch let error as PostgresError where error.isOfARow && !error.isStale {
            if transactions.isEmpty && wallets.items.isEmpty { throw error }
        }
        do {
            try await store(wallets.items + step)
        } catch let error as PostgresError where error.isOfARow && !error.isStale && !wallets.items.isEmpty {
            try await store(wallets.later + step)
            for item in wallets.apart {
                try await alone(item) { tell($0, ofWallet: item.operation.cast()) }
            }
        }
        for item in transactions { try await alone(item) { tell($0, of: item.operation.cast()) } }
    }

    /// Stores items, all or none.
    func store(_ items: [LedgerItem]) async throws {
        for outcome in try await ledger.submit(batch: items) {
            guard case .refused(let refusal, _) = outcome else { continue }
            logger.critical(
                "the ledger refused what the chain did; an operator must look",
                metadata: ["chain": "\(chain)", "refusal": "\(refusal)"]
            )
        }
    }

    private func alone(_ item: LedgerItem, _ tell: (PostgresError) -> Void) async throws {
        do {
            try await store([item])
        } catch let error as PostgresError where error.isOfARow {
            tell(error)
        }
    }

    /// Sends each of those that are due; one that fails keeps no other from it.
    ///
    /// - Throws: as the other one.
    func each(_ due: [ID<Intent>], _ send: (ID<Intent>) async throws -> Void) async throws {
        try await each(
            due,
            refused: { id, error in
                if error is UnreadableIntent || error is DecodingFailure { return tell(unreadable: id, error) }
                guard let error = error as? PostgresError, error.isOfARow else { throw error }
                tell(error, of: id)
            },
            send
        )
    }

    /// Sends each of those that are due; `refused` keeps what is wrong with one, or throws what isn't about it.
    ///
    /// - Throws: the first `NodeError`, once others had their turn; what `refused` throws.
    func each<Item>(
        _ due: [ID<Item>],
        refused: (ID<Item>, any Error) async throws -> Void,
        _ send: (ID<Item>) async throws -> Void
    ) async throws {
        var failures: [NodeError] = []
        for id in due where failures.count < Self.failuresMax {
            do {
                try await send(id)
            } catch let error as PostgresError where error.isStale {
                // Somebody else moved it meanwhile: what it needs now is found in the next round.
                continue
            } catch let error as NodeError {
                // It may be about this one alone: those behind it have their turn.
                failures.append(error)
            } catch {
                // Sent or not, it is tried again; those behind it don't wait for that.
                try await refused(id, error)
            }
        }
        if let failure = failures.first { throw failure }
    }

    // MARK: What operators are told

    /// A transaction's change that the database refused; nothing of it is lost.
    func tell(_ error: PostgresError, of intent: ID<Intent>) {
        guard !error.isStale else { return }
        refused("what became of a transaction was refused and is tried again", "intent", intent.wire, "\(error)")
    }

    /// A transaction that can't be read; it is tried again.
    private func tell(unreadable intent: ID<Intent>, _ error: any Error) {
        refused("a transaction can't be read and isn't sent", "intent", intent.wire, "\(error)")
    }

    /// What a block did to a wallet, or what a wallet has, that the database refused.
    func tell(_ error: PostgresError, ofWallet wallet: ID<Wallet>) {
        guard !error.isStale else { return }
        refused("what a block did to a wallet was refused", "wallet", wallet.wire, "\(error)")
    }

    private func refused(_ what: String, _ kind: String, _ id: String, _ error: String) {
        Counter(label: "chain_refused_total", dimensions: [("chain", chain)]).increment()
        logger.error(
            "\(what); an operator must look",
            metadata: ["chain": "\(chain)", "\(kind)": "\(id)", "error": "\(error)"]
        )
    }

    /// A transaction of which the nodes don't say what has become of it: it waits until they do.
    func tell(_ error: NodeError, of intent: ID<Intent>) {
        Counter(label: "chain_held_total", dimensions: [("chain", chain)]).increment()
        logger.error(
            "what became of a transaction can't be said and is asked again; an operator must look",
            metadata: ["chain": "\(chain)", "intent": "\(intent.wire)", "error": "\(error)"]
        )
    }

    /// Transactions in a block of which the nodes don't say the same: what they moved isn't counted until they do.
    func tell(unclear hashes: [[UInt8]], in block: BlockReference, because error: NodeError? = nil) {
        guard !hashes.isEmpty else { return }
        Counter(label: "chain_held_total", dimensions: [("chain", chain)]).increment(by: hashes.count)
        let shown = hashes.prefix(Self.shownMax).map { Chain.shown($0, on: chain) }.joined(separator: " ")
        logger.error(
            "what transactions moved isn't counted yet: the nodes don't give the same of it; an operator must look",
            metadata: [
                "chain": "\(chain)", "block": "\(block.number)", "transactions": "\(shown)",
                "error": "\(error.map(String.init(describing:)) ?? "disputed, or no receipt yet")",
            ]
        )
    }

    /// What has become clear of a block's transactions, and the database refused.
    func tell(_ error: PostgresError, of block: BlockReference) {
        guard !error.isStale else { return }
        refused("what transactions moved was refused and is tried again", "block", "\(block.number)", "\(error)")
    }

    /// A wallet that couldn't be read alone: it is read again later.
    func tell(_ error: any Error, unread wallet: ID<Wallet>) {
        Counter(label: "chain_unread_total", dimensions: [("chain", chain)]).increment()
        logger.error(
            "a wallet can't be read and is read again later; an operator must look",
            metadata: ["chain": "\(chain)", "wallet": "\(wallet.wire)", "error": "\(error)"]
        )
    }
}

/// What a block does to wallets.
struct WalletEffects: Sendable {
    /// All of it.
    var items: [LedgerItem] = []
    /// In its place, where the database refuses something of it: all that it touched are to be read anew.
    var later: [LedgerItem] = []
    /// With `later`: what came to each and left it, each for itself.
    var apart: [LedgerItem] = []
    /// Why what they have isn't among it; they are to be read anew.
    var fault: NodeError?
    /// Wallets that couldn't be read, and why.
    var unread: [ID<Wallet>: NodeError] = [:]
}
