import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// Follows a chain of payments block by block, and lets each block happen to the payments and wallets that it is about.
///
/// As on Ethereum, what a block does is stored with the block itself in one transaction, and a reorganisation takes it
/// back by reversals.
struct PaymentFollower: UserSignedFollower {
    let chain: any PaymentChain
    let blocks: ChainBlocks
    let books: PaymentBooks
    let wallets: PaymentWallets
    let custody: CustodyWatch?
    let ledger: Ledger
    let logger: Logger
    var missingAfterSeconds = ChainFollower.missingAfterSeconds

    private var payments: Payments { books.store }
    var isLocal: Bool { chain.network.kind == .local }

    var steps: ChainSteps { ChainSteps(chain: chain.name, ledger: ledger, logger: logger) }

    /// Follows what is new, and looks after what waits; how many blocks there were.
    ///
    /// Nothing while another process follows the chain.
    ///
    /// - Throws: a `NodeError`, a `PostgresError`, `ChainFollower.Foreign`, `ChainBlocks.Lost`; what was stored stays,
    ///   the rest comes with the next step.
    @discardableResult func step() async throws -> Int { try await blocks.leading { try await advance() } }

    private func advance() async throws -> Int {
        let head = try await chain.head()
        var tip = try await blocks.tip()
        if let known = tip { tip = try await reconciled(known) }
        var followed = 0
        while followed < ChainFollower.blocksMax, (tip?.number ?? -1) < head {
            guard let block = try await chain.block(after: tip?.number) else { break }
            // The chain changed under our hands: the next step finds the fork.
            if let tip, block.parentHash != tip.hash { break }
            try await follow(block)
            tip = block.reference
            followed += 1
        }
        let behind = max(0, head - (tip?.number ?? head))
        Gauge(label: "chain_blocks_behind", dimensions: [("chain", chain.name)]).record(Double(behind))
        if let tip { try await chores(at: tip, isNewest: behind == 0) }
        return followed
    }

    func reference(at number: Int64) async throws -> BlockReference? { try await chain.reference(at: number) }

    // MARK: Blocks

    private func follow(_ block: PaymentBlock) async throws {
        var (items, moved): ([LedgerItem], Set<ID<Intent>>) = ([], [])
        var unreached = 0
        for payment in try await payments.open(on: chain.name, in: block) {
            guard let item = try await alone(payment, in: block, change, &unreached) else { continue }
            items.append(item)
            moved.insert(payment.root)
        }
        let ripe = block.number - chain.confirmations + 1
        // Those that nodes are silent about are asked for again with the next block.
        for payment in try await payments.undecided(on: chain.name, upTo: ripe)
        where unreached < ChainSteps.failuresMax {
            if let item = try await alone(payment, in: block, settlement, &unreached) { items.append(item) }
        }
        let effects = try await wallets.effects(of: block, moved: moved)
        let row = FollowedBlockRow(
            chain: chain.name,
            block: block.reference,
            parentHash: block.parentHash,
            minedAt: block.timestamp,
            holder: blocks.holder
        )
        var rows: [any StoredRow] = [row]
        if custody != nil { rows.append(CustodyBlockRow(chain: chain.name, block: block.reference)) }
        try await steps.store([item(rows)], with: items, effects)
        // Custody is no part of the block: nothing of it can hold the chain up.
        await custody?.step(stillFollowed(at: block.reference), having: .payments(block))
        if let fault = effects.fault { throw fault }
    }

    /// What a block does to a payment; nil for nothing, and where the nodes don't say what has become of it, or say
    /// nothing at all: then it waits, and no other one with it, nor the block.
    private func alone(
        _ payment: Payment,
        in block: PaymentBlock,
        _ work: (Payment, PaymentBlock) async throws -> LedgerItem?,
        _ unreached: inout Int
    ) async throws -> LedgerItem? {
        do {
            return try await work(payment, block)
        } catch let error as NodeError {
            if !error.isOfAQuestion { unreached += 1 }
            steps.tell(error, of: payment.id)
            return nil
        }
    }

    /// What a block makes of a payment that is on its way.
    private func change(_ payment: Payment, at block: PaymentBlock) async throws -> LedgerItem? {
        if let entry = block.entries.first(where: { $0.id == payment.signed?.hash }) {
            return try await included(payment, block.reference, entry.succeeded, entry.fee)
        }
        let inputs = Set(payment.unsigned.inputs)
        if block.entries.contains(where: { $0.spends.contains(where: inputs.contains) }) {
            return try await books.item(payment, .displaced(block.reference), because: "inputs_spent")
        }
        guard try await isOver(payment) else { return nil }
        return try await books.item(payment, .displaced(block.reference), because: "too_late")
    }

    private func included(
        _ payment: Payment,
        _ block: BlockReference,
        _ succeeded: Bool,
        _ fee: Int128,
        adding rows: [any StoredRow] = []
    ) async throws -> LedgerItem {
        let inclusion = IntentState.Inclusion(block: block, succeeded: succeeded, gasCost: fee, received: 0)
        return try await books.item(payment, .included(inclusion), adding: rows)
    }

    /// Whether no block will have a payment any more, by the word of all nodes.
    ///
    /// - Throws: `disagreement` while they don't say the same.
    private func isOver(_ payment: Payment) async throws(NodeError) -> Bool {
        let outlook = try await chain.outlook(of: payment.unsigned)
        if outlook == .unclear { throw .disagreement("whether a payment is possible") }
        guard outlook.isOver, let signed = payment.signed else { return false }
        // Asked last: what came into a block meanwhile is known.
        return try await chain.status(of: signed.hash) == .unknown
    }

    /// Whether a block makes it final what became of a payment: its block and the ones between stand.
    private func settlement(of payment: Payment, at block: PaymentBlock) async throws -> LedgerItem? {
        guard case .included(let inclusion) = payment.state, let signed = payment.signed else {
            // What took its place is final now, or never came.
            let isOver = try await isOver(payment)
            return try await books.item(payment, isOver ? .settled : .reorganised, because: isOver ? nil : "possible")
        }
        // What is final where it is followed is looked up however long ago it was.
        let isThere = chain.isFinal ? true : try await blocks.holds(inclusion.block)
        guard isThere else { return try await books.item(payment, .reorganised, because: "not_canonical") }
        // Final is said once, so it is looked at once more, by all nodes.
        guard case .included(inclusion.block, inclusion.succeeded, _) = try await chain.status(of: signed.hash) else {
            throw NodeError.disagreement("the block of a payment that becomes final")
        }
        return try await books.item(payment, .settled)
    }

    // MARK: What no block is about

    private func chores(at tip: BlockReference, isNewest: Bool) async throws {
        var items: [LedgerItem] = []
        for payment in try await payments.unsigned(on: chain.name, limit: ChainFollower.choresMax) {
            items.append(try await books.item(payment, .timedOut, because: "not_signed_in_time"))
        }
        let limit = ChainFollower.choresMax
        let waiting = try await payments.waiting(on: chain.name, seconds: missingAfterSeconds, limit: limit)
        // Those that nothing is found of have their turn again after the others.
        try await payments.looked(at: waiting.map(\.id))
        for payment in waiting {
            do {
                if let item = try await found(payment, upTo: tip) { items.append(item) }
            } catch let error as NodeError where error.isOfAQuestion {
                steps.tell(error, of: payment.id)
            }
        }
        // Another process that took over meanwhile sees what is there now.
        if !items.isEmpty { try await steps.store([item([stillFollowed(at: tip)])], with: items) }
        try await steps.clear(wallets.books.unclear, on: stillFollowed(at: tip)) { try await wallets.cleared($0) }
        await custody?.step(stillFollowed(at: tip))
        if isNewest { try await readWallets(at: tip) }
    }

    /// What has become of a payment that no block told of; nil for nothing.
    private func found(_ payment: Payment, upTo tip: BlockReference) async throws -> LedgerItem? {
        guard let signed = payment.signed else { return nil }
        switch try await chain.status(of: signed.hash) {
        case .pending: return nil
        case .unknown: return try await books.item(payment, .lost, because: "not_in_pool", nextAt: payment.createdAt)
        case .included(let block, let succeeded, let fee):
            // Its block was followed before it was ours to look for.
            let isFollowed = chain.isFinal ? block.number <= tip.number : try await blocks.holds(block)
            // Its wallet was read without knowing that this had moved.
            let due = WalletsDueRow(wallets: [payment.draft.wallet.id])
            return isFollowed ? try await included(payment, block, succeeded, fee, adding: [due]) : nil
        }
    }

    /// Reads the wallets whose turn it is; what can't be read, or isn't stored, rests and keeps no other one waiting.
    private func readWallets(at tip: BlockReference) async throws {
        let due = WalletBooks.turn(of: try await wallets.books.due([]))
        guard !due.isEmpty else { return }
        do {
            let items = try await wallets.items(of: due, at: tip)
            if !items.isEmpty { try await steps.store(items + [item([stillFollowed(at: tip)])]) }
        } catch let error where Self.isOfWallets(error) {
            if due.count == 1 { steps.tell(error, unread: due[0].id) }
            logger.notice(
                "wallets are read again later",
                metadata: ["chain": "\(chain.name)", "wallets": "\(due.count)", "error": "\(error)"]
            )
            try await wallets.books.postpone(due, at: tip)
        }
    }

    private static func isOfWallets(_ error: any Error) -> Bool {
        if let error = error as? PostgresError { return error.isOfARow && !error.isStale }
        return error is NodeError
    }
}
