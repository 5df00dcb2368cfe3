import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// Follows a chain of payments block by block, and lets each block happen to the payments and wallets that it is about.
///
/// As on Ethereum, what a block does is stored with the block itself in one transaction, and a reorganisation takes it
/// back by reversals.
struct PaymentFollower: Sendable {
    let chain: any PaymentChain
    let blocks: ChainBlocks
    let payments: Payments
    let books: PaymentBooks
    let wallets: PaymentWallets
    let ledger: Ledger
    let logger: Logger
    var missingAfterSeconds = ChainFollower.missingAfterSeconds

    /// Follows what is new, and looks after what waits; how many blocks there were.
    ///
    /// Nothing while another process follows the chain.
    ///
    /// - Throws: a `NodeError`, a `PostgresError`, `ChainFollower.Foreign`; what was stored stays, the rest comes with
    ///   the next step.
    @discardableResult func step() async throws -> Int {
        guard try await blocks.lease() else { return 0 }
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

    // MARK: Reorganisations

    /// The tip, or where the chain forked off below it, once what lies above is undone; nil for another chain.
    private func reconciled(_ tip: BlockReference) async throws -> BlockReference? {
        let isLocal = chain.network.kind == .local
        if tip.stands(beside: try await chain.reference(at: tip.number)?.hash, isLocal: isLocal) { return tip }
        var abandoned: [BlockReference] = []
        for block in try await blocks.canonical(from: tip.number, limit: ChainBlocks.reorganisationMax) {
            let there = try await chain.reference(at: block.number)
            guard there != nil || isLocal else { throw ChainFollower.Foreign(tip: tip) }
            if there == block {
                try await undo(abandoned, back: block)
                return block
            }
            abandoned.append(block)
        }
        // A chain on this machine begins anew with each start.
        guard isLocal else { throw ChainFollower.Foreign(tip: tip) }
        var items: [LedgerItem] = []
        for payment in try await payments.undecided(on: chain.name, upTo: .max) {
            items.append(try await books.item(payment, .reorganised, because: "another_chain"))
        }
        let row = NewChainRow(chain: chain.name, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
        logger.notice("the local chain is another one", metadata: ["chain": "\(chain.name)"])
        return nil
    }

    private func undo(_ abandoned: [BlockReference], back fork: BlockReference) async throws {
        let affected = try await payments.decided(by: abandoned.map(\.hash), on: chain.name)
        var items: [LedgerItem] = []
        for payment in affected {
            items.append(try await books.item(payment, .reorganised, because: "reorganised"))
        }
        let row = AbandonedBlocksRow(chain: chain.name, fork: fork, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
        let broken = try await payments.settled(above: fork.number, on: chain.name)
        if !broken.isEmpty {
            Counter(label: "chain_final_broken_total", dimensions: [("chain", chain.name)]).increment(by: broken.count)
            logger.critical(
                "a reorganisation reached payments that counted as final; an operator must look",
                metadata: ["chain": "\(chain.name)", "intents": "\(broken.map(\.wire).joined(separator: " "))"]
            )
        }
        Counter(label: "chain_reorganisations_total", dimensions: [("chain", chain.name)]).increment()
        logger.notice(
            "the chain was reorganised",
            metadata: [
                "chain": "\(chain.name)", "depth": "\(abandoned.count)", "transactions": "\(affected.count)",
            ]
        )
    }

    // MARK: Blocks

    private func follow(_ block: PaymentBlock) async throws {
        var items: [LedgerItem] = []
        let spent = Set(block.entries.flatMap(\.spends))
        for payment in try await payments.open(on: chain.name, in: block) {
            if let entry = block.entries.first(where: { $0.id == payment.signed?.id }) {
                items.append(try await included(payment, block.reference, entry.succeeded, entry.fee))
            } else if !spent.isDisjoint(with: payment.unsigned.inputs) {
                items.append(try await books.item(payment, .displaced(block.reference), because: "inputs_spent"))
            } else if try await isOver(payment) {
                items.append(try await books.item(payment, .displaced(block.reference), because: "too_late"))
            }
        }
        items += try await settlements(at: block)
        items += try await wallets.items(at: block)
        let row = FollowedBlockRow(
            chain: chain.name,
            block: block.reference,
            parentHash: block.parentHash,
            minedAt: block.timestamp,
            holder: blocks.holder
        )
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
        try await store(items)
    }

    private func included(
        _ payment: Payment,
        _ block: BlockReference,
        _ succeeded: Bool,
        _ fee: Int128
    ) async throws -> LedgerItem {
        let inclusion = IntentState.Inclusion(block: block, succeeded: succeeded, gasCost: fee, received: 0)
        return try await books.item(payment, .included(inclusion))
    }

    /// Whether no block will have a payment any more, by the node's word.
    private func isOver(_ payment: Payment) async throws -> Bool {
        guard let signed = payment.signed, try await chain.status(of: signed.id) == .unknown else { return false }
        return try await !chain.isPossible(payment.unsigned)
    }

    /// What becomes final with a block: those whose block it and the ones between stand on.
    private func settlements(at block: PaymentBlock) async throws -> [LedgerItem] {
        var items: [LedgerItem] = []
        let ripe = block.number - chain.confirmations + 1
        for payment in try await payments.undecided(on: chain.name, upTo: ripe) {
            guard case .included(let inclusion) = payment.state, let signed = payment.signed else {
                // What took its place is final now, or never came.
                let isOver = try await isOver(payment)
                items.append(
                    try await books.item(payment, isOver ? .settled : .reorganised, because: isOver ? nil : "possible")
                )
                continue
            }
            guard try await blocks.holds(inclusion.block) else {
                items.append(try await books.item(payment, .reorganised, because: "not_canonical"))
                continue
            }
            // Final is said once, so it is looked at once more.
            guard case .included(inclusion.block, inclusion.succeeded, _) = try await chain.status(of: signed.id) else {
                throw NodeError.disagreement("the block of a payment that becomes final")
            }
            items.append(try await books.item(payment, .settled))
        }
        return items
    }

    // MARK: What no block is about

    private func chores(at tip: BlockReference, isNewest: Bool) async throws {
        var items: [LedgerItem] = []
        for payment in try await payments.unsigned(on: chain.name, limit: ChainFollower.choresMax) {
            items.append(try await books.item(payment, .timedOut, because: "not_signed_in_time"))
        }
        let limit = ChainFollower.choresMax
        for payment in try await payments.waiting(on: chain.name, seconds: missingAfterSeconds, limit: limit) {
            guard let signed = payment.signed else { continue }
            switch try await chain.status(of: signed.id) {
            case .pending: continue
            case .unknown:
                items.append(try await books.item(payment, .lost, because: "not_in_pool", nextAt: payment.createdAt))
            case .included(let block, let succeeded, let fee):
                // Its block was followed before it was ours to look for.
                guard try await blocks.holds(block) else { continue }
                items.append(try await included(payment, block, succeeded, fee))
            }
        }
        if isNewest { items += try await wallets.items(dueAt: tip) }
        guard !items.isEmpty else { return }
        // Another process that took over meanwhile sees what is there now.
        let row = StillFollowedRow(chain: chain.name, tip: tip, holder: blocks.holder)
        items.append(LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: [row]) })
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
