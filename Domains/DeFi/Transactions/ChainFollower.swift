import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL
import WalletCrypto

/// Follows a chain block by block, and lets each block happen to the transactions and strategies that it is about.
///
/// A block costs one full block and one question for its events, however many wallets there are. What a block does is
/// stored with the block itself in one transaction, so that nothing of it is lost or done twice.
struct ChainFollower: UserSignedFollower {
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
    let books: IntentBooks
    let strategies: StrategyWatch
    let wallets: WalletWatch
    let custody: CustodyWatch?
    let ledger: Ledger
    let logger: Logger
    var missingAfterSeconds = ChainFollower.missingAfterSeconds

    private var intents: Intents { books.store }
    var isLocal: Bool { chain.deployment.chainID == Self.localChainID }

    var steps: ChainSteps { ChainSteps(chain: chain.name, ledger: ledger, logger: logger) }

    /// Follows what is new, and looks after what waits; how many blocks there were.
    ///
    /// Nothing while another process follows the chain.
    ///
    /// - Throws: a `NodeError`, a `PostgresError`, `Foreign`; what was stored stays, the rest comes with the next step.
    @discardableResult func step() async throws -> Int { try await blocks.leading { try await advance() } }

    private func advance() async throws -> Int {
        let head = try await chain.nodes.head()
        var tip = try await blocks.tip()
        if let known = tip { tip = try await reconciled(known) }
        var followed = 0
        let first = tip.map { $0.number + 1 } ?? max(0, head)
        for number in stride(from: first, through: min(head, first + Self.blocksMax - 1), by: 1) {
            guard let block = try await chain.nodes.block(number) else { break }
            // The chain changed under our hands: the next step finds the fork.
            if let tip, block.parentHash != tip.hash { break }
            try await follow(block)
            tip = block.reference
            followed += 1
        }
        Gauge(label: "chain_blocks_behind", dimensions: [("chain", chain.name)]).record(
            Double(max(0, head - (tip?.number ?? head)))
        )
        try await chores(at: tip)
        return followed
    }

    func reference(at number: Int64) async throws -> BlockReference? { try await chain.nodes.reference(number) }

    // MARK: Blocks

    private func follow(_ block: EthereumBlock) async throws {
        var (items, moved): ([LedgerItem], Set<ID<Intent>>) = ([], [])
        let candidates = try await intents.open(
            on: chain.name,
            hashes: block.entries.map(\.hash),
            senders: Array(Set(block.entries.map(\.sender.description)))
        )
        for intent in candidates {
            if let entry = block.entries.first(where: { $0.hash == intent.signed?.hash }) {
                moved.insert(intent.root)
                items += try await holding(intent) {
                    try await included(intent, try await receipt(of: entry, in: block))
                }
            } else if block.entries.contains(where: {
                $0.sender == intent.address && $0.nonce == intent.transaction.nonce
            }) {
                moved.insert(intent.root)
                items.append(try await books.item(intent, .displaced(block.reference), because: "nonce_used"))
            }
        }
        items += try await settlements(at: block)
        let events = try await chain.nodes.events(in: block.reference, of: chain.deployment.watched)
        let watched = try await strategies.watch(block, events)
        var base = watched.items
        let effects = try await wallets.effects(of: block, events, moved: moved)
        let followed = FollowedBlockRow(
            chain: chain.name,
            block: block.reference,
            parentHash: block.parentHash,
            minedAt: block.timestamp,
            holder: blocks.holder
        )
        var rows: [any StoredRow] = [followed]
        if custody != nil { rows.append(CustodyBlockRow(chain: chain.name, block: block.reference)) }
        base.append(item(rows))
        try await steps.store(base, with: items, effects)
        for (wallet, error) in effects.unread { steps.tell(error, unread: wallet) }
        // Custody and what rules want are no part of the block: nothing of them can hold the chain up.
        await custody?.step(stillFollowed(at: block.reference), having: .ethereum(block, events))
        await strategies.act(on: watched.wishes, at: block, still: stillFollowed(at: block.reference), ledger)
    }

    /// A transaction in its block, with the number of the position that it made.
    private func included(
        _ intent: Intent,
        _ receipt: EthereumReceipt,
        adding known: [any StoredRow] = []
    ) async throws -> LedgerItem {
        var rows = known
        if let strategy = intent.strategy,
            let token = StrategyWatch.mintedToken(in: receipt, to: intent.address, chain.deployment)
        {
            rows.append(StrategyTokenRow(strategy: strategy, token: token))
        }
        return try await books.item(intent, .included(inclusion(intent, receipt)), adding: rows)
    }

    private func receipt(of entry: EthereumBlock.Entry, in block: EthereumBlock) async throws -> EthereumReceipt {
        guard let receipt = try await chain.nodes.receipt(entry.hash), receipt.block == block.reference else {
            throw NodeError.disagreement("a receipt of block \(block.number)")
        }
        return receipt
    }

    /// What the receipt says of an intent: what it cost, and what left the wallet and came to it.
    private func inclusion(_ intent: Intent, _ receipt: EthereumReceipt) -> IntentState.Inclusion {
        let offers = chain.deployment.offers.filter { offer in
            ProtocolDescription.Place.allCases.contains { offer.address($0) == intent.transaction.to }
        }
        let other = offers.lazy.compactMap { $0.pair ?? $0.rewardToken }.first?.contract
        var (own, pair) = (TokenFlow(), TokenFlow())
        for log in receipt.logs {
            if let token = chain.deployment.token(intent.amount.asset) { own.add(log, of: token, intent.address) }
            if let other { pair.add(log, of: other, intent.address) }
        }
        if receipt.succeeded, intent.amount.asset == EthereumChain.gasAsset {
            // Coins leave no event but what a contract says of them.
            own.paid = own.paid + intent.transaction.value
            for log in receipt.logs where offers.contains(where: { $0.address(.queue) == log.contract }) {
                own.received = own.received + (log.claimed(by: intent.address) ?? .zero)
            }
        }
        return IntentState.Inclusion(
            block: receipt.block,
            succeeded: receipt.succeeded,
            gasCost: Int128(clamping: receipt.gasCost),
            received: Int128(clamping: own.received),
            paid: Int128(clamping: own.paid),
            pairReceived: Int128(clamping: pair.received),
            pairPaid: Int128(clamping: pair.paid)
        )
    }

    /// What becomes final with a block: those whose block it and the ones between stand on.
    private func settlements(at block: EthereumBlock) async throws -> [LedgerItem] {
        let ripe = block.number - chain.confirmations + 1
        var items: [LedgerItem] = []
        for intent in try await intents.undecided(on: chain.name, upTo: ripe) {
            items += try await holding(intent) { try await settlement(of: intent) }
        }
        return items
    }

    private func settlement(of intent: Intent) async throws -> LedgerItem {
        guard case .included(let inclusion) = intent.state, let signed = intent.signed else {
            return try await displacement(intent)
        }
        guard try await blocks.holds(inclusion.block) else {
            return try await books.item(intent, .reorganised, because: "not_canonical")
        }
        // Final is said once, so the receipt is looked at once more, by all nodes.
        let receipt = try await chain.nodes.receipt(signed.hash)
        guard receipt?.block == inclusion.block, receipt?.succeeded == inclusion.succeeded else {
            throw NodeError.disagreement("the receipt of a transaction that becomes final")
        }
        return try await books.item(intent, .settled, adding: try await pairBasis(of: intent, inclusion))
    }

    /// What becomes of one transaction; nothing, for now, while nodes don't say the same of it or answer nonsense.
    ///
    /// The chain goes on without it: what is missing is found by its receipt, or with the next block.
    private func holding(_ intent: Intent, _ work: () async throws -> LedgerItem?) async throws -> [LedgerItem] {
        do {
            return [try await work()].compactMap(\.self)
        } catch let error as NodeError where error.isAboutAnswer {
            Counter(label: "chain_held_total", dimensions: [("chain", chain.name)]).increment()
            logger.error(
                "a transaction is held: what nodes say of it can't be believed",
                metadata: ["chain": "\(chain.name)", "intent": "\(intent.id.wire)", "error": "\(error)"]
            )
            return []
        }
    }

    /// What the pair's other token that a transaction put in was worth in the asset, in its own block.
    private func pairBasis(
        of intent: Intent,
        _ inclusion: IntentState.Inclusion
    ) async throws -> [any StoredRow] {
        guard intent.kind == .start, inclusion.pairPaid > 0, let strategy = intent.strategy,
            let offer = chain.deployment.offers.first(where: { $0.contract == intent.transaction.to }),
            let price = try await chain.nodes.price(of: offer, at: .number(inclusion.block.number))
        else { return [] }
        let basis = Int128(clamping: price.inFirst(BigUInt(inclusion.pairPaid)))
        return [StrategyEffect(strategy: strategy, pairBasis: basis)]
    }

    /// Whether another transaction has used the nonce for good: by the node's word at first, by its block now.
    private func displacement(_ intent: Intent) async throws -> LedgerItem {
        guard let block = intent.state.block, try await chain.nodes.reference(block.number) == block,
            try await chain.nodes.nonce(of: intent.address) > intent.transaction.nonce,
            let signed = intent.signed, try await !chain.nodes.knows(signed.hash)
        else { return try await books.item(intent, .reorganised, because: "nonce_free") }
        if try await intents.ownTook(intent.transaction.nonce, of: intent) {
            return try await books.item(intent, .settled, because: "own_transaction")
        }
        // Somebody with the wallet's key has sent something else: its owner should know.
        Counter(label: "chain_foreign_total", dimensions: [("chain", chain.name)]).increment()
        logger.warning(
            "a transaction that isn't ours took the place of one that is",
            metadata: ["chain": "\(chain.name)", "intent": "\(intent.id.wire)"]
        )
        let reason = "foreign_transaction"
        return try await books.item(intent, .settled, because: reason, adding: [books.alert(intent, reason)])
    }

    // MARK: What no block is about

    private func chores(at tip: BlockReference?) async throws {
        var items: [LedgerItem] = []
        for intent in try await intents.unsigned(on: chain.name, limit: Self.choresMax) {
            items.append(try await books.item(intent, .timedOut, because: "not_signed_in_time"))
        }
        let waiting = try await intents.waiting(on: chain.name, seconds: missingAfterSeconds, limit: Self.choresMax)
        // Those that nothing is found of have their turn again after the others.
        try await intents.looked(at: waiting.map(\.id))
        for intent in waiting {
            items += try await holding(intent) { try await found(intent) }
        }
        guard let tip else { return }
        try await steps.clear(wallets.books.unclear, on: stillFollowed(at: tip)) { try await wallets.cleared($0) }
        await custody?.step(stillFollowed(at: tip))
        guard !items.isEmpty else { return }
        // Another process that took over meanwhile sees what is there now.
        try await steps.store([item([stillFollowed(at: tip)])], with: items)
    }

    /// What is found of a transaction that no block was about so far; nil for nothing new.
    private func found(_ intent: Intent) async throws -> LedgerItem? {
        guard let signed = intent.signed else { return nil }
        if let receipt = try await chain.nodes.receipt(signed.hash) {
            // Its block was followed before it was ours to look for.
            guard try await blocks.holds(receipt.block) else { return nil }
            // Its wallet was read without knowing that this had moved.
            return try await included(intent, receipt, adding: [WalletsDueRow(wallets: [intent.wallet])])
        }
        guard try await !chain.nodes.knows(signed.hash) else { return nil }
        return try await books.item(intent, .lost, because: "not_in_pool", nextAt: intent.createdAt)
    }
}
