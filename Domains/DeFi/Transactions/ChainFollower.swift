import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import WalletCrypto

/// Follows a chain block by block, and lets each block happen to the transactions and strategies that it is about.
///
/// A block costs one full block and one range of events, however many wallets there are. What a block does is stored
/// with the block itself in one transaction, so that nothing of it is lost or done twice.
struct ChainFollower: Sendable {
    /// Blocks of one step.
    static let blocksMax: Int64 = 64
    /// Intents that are looked after in one step beside what blocks are about.
    static let choresMax = 100
    /// After so many seconds without a block, a sent transaction is looked for.
    static let missingAfterSeconds = 30.0

    /// The id that chains on one's own machine have.
    static let localChainID: UInt64 = 31_337

    /// A chain that isn't the one that was followed.
    struct Foreign: Error, Sendable {
        let tip: BlockReference
    }

    let chain: EthereumChain
    let blocks: ChainBlocks
    let intents: Intents
    let books: IntentBooks
    let strategies: StrategyWatch
    let custody: CustodyWatch?
    let ledger: Ledger
    let logger: Logger
    var missingAfterSeconds = ChainFollower.missingAfterSeconds

    /// Follows what is new, and looks after what waits; how many blocks there were.
    ///
    /// Nothing while another process follows the chain.
    ///
    /// - Throws: a `NodeError`, a `PostgresError`, `Foreign`; what was stored stays, the rest comes with the next step.
    @discardableResult func step() async throws -> Int {
        guard try await blocks.lease() else { return 0 }
        let head = try await chain.nodes.head()
        var tip = try await blocks.tip()
        if let known = tip { tip = try await reconciled(known) }
        var followed = 0
        let first = tip.map { $0.number + 1 } ?? max(0, head)
        for number in stride(from: first, through: min(head, first + Self.blocksMax - 1), by: 1) {
            guard let block = try await chain.nodes.block(number) else { break }
            // The chain changed under our hands: the next step finds the fork.
            if let tip, block.parentHash != tip.hash { break }
            try await follow(block, isFirst: tip == nil)
            tip = block.reference
            followed += 1
        }
        Gauge(label: "chain_blocks_behind", dimensions: [("chain", chain.name)]).record(
            Double(max(0, head - (tip?.number ?? head)))
        )
        try await chores()
        return followed
    }

    // MARK: Reorganisations

    /// The tip, or where the chain forked off below it, once what lies above is undone; nil for another chain.
    private func reconciled(_ tip: BlockReference) async throws -> BlockReference? {
        if try await chain.nodes.block(tip.number)?.hash == tip.hash { return tip }
        let known = try await blocks.canonical(from: tip.number, limit: ChainBlocks.reorganisationMax)
        var abandoned: [BlockReference] = []
        for block in known {
            if try await chain.nodes.block(block.number)?.hash == block.hash {
                try await undo(abandoned, back: block)
                return block
            }
            abandoned.append(block)
        }
        // A chain on this machine begins anew with each start.
        guard chain.deployment.chainID == Self.localChainID else { throw Foreign(tip: tip) }
        try await startOver()
        return nil
    }

    private func startOver() async throws {
        var items: [LedgerItem] = []
        for intent in try await intents.undecided(on: chain.name, upTo: .max) {
            items.append(try await books.item(intent, .reorganised, because: "another_chain"))
        }
        items += try await custody?.itemsOfNewChain() ?? []
        let row = NewChainRow(chain: chain.name, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
        logger.notice("the local chain is another one", metadata: ["chain": "\(chain.name)"])
    }

    private func undo(_ abandoned: [BlockReference], back fork: BlockReference) async throws {
        let affected = try await intents.decided(by: abandoned.map(\.hash), on: chain.name)
        var items: [LedgerItem] = []
        for intent in affected {
            items.append(try await books.item(intent, .reorganised, because: "reorganised"))
        }
        items += try await custody?.items(without: abandoned) ?? []
        let row = AbandonedBlocksRow(chain: chain.name, fork: fork, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
        Counter(label: "chain_reorganisations_total", dimensions: [("chain", chain.name)]).increment()
        logger.notice(
            "the chain was reorganised",
            metadata: [
                "chain": "\(chain.name)", "depth": "\(abandoned.count)", "transactions": "\(affected.count)",
            ]
        )
    }

    // MARK: Blocks

    private func follow(_ block: EthereumBlock, isFirst: Bool) async throws {
        var items: [LedgerItem] = []
        var receipts: [EthereumReceipt] = []
        let candidates = try await intents.open(
            on: chain.name,
            hashes: block.entries.map(\.hash),
            senders: Array(Set(block.entries.map(\.sender.description)))
        )
        for intent in candidates {
            if let entry = block.entries.first(where: { $0.hash == intent.signed?.hash }) {
                let receipt = try await receipt(of: entry, in: block)
                receipts.append(receipt)
                let token = StrategyWatch.mintedToken(in: receipt, to: intent.address, chain.deployment)
                let tokenRow = intent.strategy.flatMap { strategy in
                    token.map { StrategyTokenRow(strategy: strategy, token: $0) }
                }
                let rows: [any StoredRow] = [tokenRow].compactMap(\.self)
                items.append(try await books.item(intent, .included(inclusion(intent, receipt)), adding: rows))
            } else if block.entries.contains(where: {
                $0.sender == intent.address && $0.nonce == intent.transaction.nonce
            }) {
                items.append(try await books.item(intent, .displaced(block.reference), because: "nonce_used"))
            }
        }
        items += try await settlements(at: block)
        items += try await strategies.items(at: block)
        items += try await custody?.items(at: block, isFirst: isFirst) ?? []
        let row = FollowedBlockRow(chain: chain.name, block: block, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
    }

    private func receipt(of entry: EthereumBlock.Entry, in block: EthereumBlock) async throws -> EthereumReceipt {
        guard let receipt = try await chain.nodes.receipt(entry.hash), receipt.block == block.reference else {
            throw NodeError.disagreement("a receipt of block \(block.number)")
        }
        return receipt
    }

    /// What the receipt says of an intent: what it cost, and what came back to the wallet of its asset.
    private func inclusion(_ intent: Intent, _ receipt: EthereumReceipt) -> IntentState.Inclusion {
        var received = BigUInt.zero
        if let token = chain.deployment.token(intent.amount.asset) {
            for log in receipt.logs where log.isTransfer(of: token, to: intent.address) {
                received = received + BigUInt(bigEndian: log.data)
            }
        }
        return IntentState.Inclusion(
            block: receipt.block,
            succeeded: receipt.succeeded,
            gasCost: Int128(clamping: receipt.gasCost),
            received: Int128(clamping: received)
        )
    }

    /// What becomes final with a block: those whose block it and the ones between stand on.
    private func settlements(at block: EthereumBlock) async throws -> [LedgerItem] {
        let ripe = block.number - chain.confirmations + 1
        var items: [LedgerItem] = []
        for intent in try await intents.undecided(on: chain.name, upTo: ripe) {
            guard case .included(let inclusion) = intent.state, let signed = intent.signed else {
                items.append(try await displacement(intent))
                continue
            }
            // Final is said once, so the receipt is looked at once more, by all nodes.
            let receipt = try await chain.nodes.receipt(signed.hash)
            guard receipt?.block == inclusion.block, receipt?.succeeded == inclusion.succeeded else {
                throw NodeError.disagreement("the receipt of a transaction that becomes final")
            }
            items.append(try await books.item(intent, .settled))
        }
        return items
    }

    /// Whether another transaction has used the nonce for good: by the node's word at first, by its block now.
    private func displacement(_ intent: Intent) async throws -> LedgerItem {
        guard let block = intent.state.block, try await chain.nodes.block(block.number)?.hash == block.hash,
            try await chain.nodes.nonce(of: intent.address) > intent.transaction.nonce,
            let signed = intent.signed, try await !chain.nodes.knows(signed.hash)
        else { return try await books.item(intent, .reorganised, because: "nonce_free") }
        return try await books.item(intent, .settled)
    }

    // MARK: What no block is about

    private func chores() async throws {
        var items: [LedgerItem] = []
        for intent in try await intents.unsigned(limit: Self.choresMax) where intent.chain == chain.name {
            items.append(try await books.item(intent, .timedOut, because: "not_signed_in_time"))
        }
        let waiting = try await intents.waiting(on: chain.name, seconds: missingAfterSeconds, limit: Self.choresMax)
        for intent in waiting {
            guard let signed = intent.signed else { continue }
            if let receipt = try await chain.nodes.receipt(signed.hash) {
                // Its block was followed before it was ours to look for.
                guard try await blocks.holds(receipt.block) else { continue }
                items.append(try await books.item(intent, .included(inclusion(intent, receipt))))
            } else if try await !chain.nodes.knows(signed.hash) {
                items.append(try await books.item(intent, .lost, because: "not_in_pool", nextAt: intent.createdAt))
            }
        }
        items += try await custody?.chores() ?? []
        guard !items.isEmpty else { return }
        try await store(items)
    }

    private func store(_ items: [LedgerItem]) async throws {
        for outcome in try await ledger.submit(batch: items) {
            guard case .refused(let refusal, _) = outcome else { continue }
            logger.critical(
                "the ledger refused what the chain did; an operator must look",
                metadata: ["chain": "\(chain.name)", "refusal": "\(refusal)"]
            )
        }
    }
}

extension EthereumLog {
    /// `Transfer(address,address,uint256)` (ERC-20).
    static let transferTopic: [UInt8] =
        HexText.decode(
            "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
        ) ?? []

    /// Whether it says that a token went to an account.
    func isTransfer(of token: EthereumAddress, to account: EthereumAddress) -> Bool {
        contract == token && topics.count == 3 && topics[0] == Self.transferTopic
            && topics[2] == [UInt8](repeating: 0, count: 12) + account.bytes && data.count == 32
    }
}
