import Kernel
import Ledger
import Logging
import Metrics
import PostgreSQL

/// Follows a chain with transactions that users sign; what is said here is what a reorganisation does to them.
protocol UserSignedFollower: Sendable {
    associatedtype Books: UserSignedBooks

    var blocks: ChainBlocks { get }
    var books: Books { get }
    var custody: CustodyWatch? { get }
    var steps: ChainSteps { get }
    /// A chain on this machine begins anew with each start.
    var isLocal: Bool { get }

    /// The block that the chain has at a height now; nil if it is shorter.
    func reference(at number: Int64) async throws -> BlockReference?
}

extension UserSignedFollower {
    /// The tip, or where the chain forked off below it, once what lies above is undone; nil for another chain.
    func reconciled(_ tip: BlockReference) async throws -> BlockReference? {
        if tip.stands(beside: try await reference(at: tip.number)?.hash, isLocal: isLocal) { return tip }
        var abandoned: [BlockReference] = []
        for block in try await blocks.canonical(from: tip.number, limit: ChainBlocks.reorganisationMax) {
            let there = try await reference(at: block.number)
            guard there != nil || isLocal else { throw ChainFollower.Foreign(tip: tip) }
            if there == block {
                try await undo(abandoned, back: block)
                return block
            }
            abandoned.append(block)
        }
        guard isLocal else { throw ChainFollower.Foreign(tip: tip) }
        try await startOver()
        return nil
    }

    private func startOver() async throws {
        let affected = try await books.store.undecided(on: blocks.chain, upTo: .max)
        let new = item([NewChainRow(chain: blocks.chain, holder: blocks.holder), PastCustodyRow(chain: blocks.chain)])
        let payouts = try await custody?.itemsOfNewChain() ?? []
        try await steps.store(payouts + [new], with: try await reversing(affected, because: "another_chain"))
        steps.logger.notice("the local chain is another one", metadata: ["chain": "\(blocks.chain)"])
    }

    private func undo(_ abandoned: [BlockReference], back fork: BlockReference) async throws {
        let affected = try await books.store.decided(by: abandoned.map(\.hash), on: blocks.chain)
        let undone = item([AbandonedBlocksRow(chain: blocks.chain, fork: fork, holder: blocks.holder)])
        try await steps.store([undone], with: try await reversing(affected, because: "reorganised"))
        report(try await books.store.settled(above: fork.number, on: blocks.chain))
        Counter(label: "chain_reorganisations_total", dimensions: [("chain", blocks.chain)]).increment()
        steps.logger.notice(
            "the chain was reorganised",
            metadata: [
                "chain": "\(blocks.chain)", "depth": "\(abandoned.count)", "transactions": "\(affected.count)",
            ]
        )
    }

    private func reversing(_ values: [Books.Value], because reason: String) async throws -> [LedgerItem] {
        var items: [LedgerItem] = []
        for value in values { items.append(try await books.item(value, .reorganised, because: reason)) }
        return items
    }

    /// What was final and isn't any more: no rule undoes it, so that an operator must look.
    private func report(_ broken: [ID<Intent>]) {
        guard !broken.isEmpty else { return }
        Counter(label: "chain_final_broken_total", dimensions: [("chain", blocks.chain)]).increment(by: broken.count)
        steps.logger.critical(
            "a reorganisation reached transactions that counted as final; an operator must look",
            metadata: ["chain": "\(blocks.chain)", "intents": "\(broken.map(\.wire).joined(separator: " "))"]
        )
    }

    /// Rows that belong to the chain and to no transaction.
    func item(_ rows: [any StoredRow]) -> LedgerItem {
        LedgerItem(operation: books.ids.next(), commands: []) { _, _ in .init(rows: rows) }
    }

    /// Another process that took over meanwhile stores nothing with it.
    func stillFollowed(at tip: BlockReference) -> StillFollowedRow {
        StillFollowedRow(chain: blocks.chain, tip: tip, holder: blocks.holder)
    }
}
