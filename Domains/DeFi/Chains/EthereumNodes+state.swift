import Kernel
import WalletCrypto

/// A block's events.
struct BlockEvents: Hashable, Sendable {
    /// Those of transactions of which all nodes have the same events.
    var agreed: [EthereumLog] = []
    /// Those of transactions of which they don't: what these moved counts by the receipts that all nodes give.
    var disputed: [EthereumLog] = []

    var all: [EthereumLog] { agreed + disputed }
}

/// What the chain's state and events are by the word of all nodes.
///
/// What two of them don't say alike is no answer, and holds only what asked for it. A question about the newest block
/// is about the newest that both have, so that one which is ahead isn't taken for one that says something else.
extension EthereumNodes {
    /// Answers in the order of their questions.
    struct Answers<Answer: Sendable>: Sendable {
        /// Nil where a node doesn't say, and where two don't say the same.
        let answers: [Answer?]
        /// The places of what two don't say alike.
        let disputed: Set<Int>
    }

    /// What accounts have in wei.
    func balances(of accounts: [EthereumAddress], at: EthereumNode.At) async throws(NodeError) -> Answers<BigUInt> {
        guard !accounts.isEmpty else { return Answers(answers: [], disputed: []) }
        return try await answers(at) { (node, at) async throws(NodeError) in
            try await node.balances(of: accounts, at: at)
        }
    }

    /// What calls answer; nil for one that reverts, too.
    func views(_ views: [EthereumNode.View], at: EthereumNode.At) async throws(NodeError) -> Answers<[UInt8]> {
        guard !views.isEmpty else { return Answers(answers: [], disputed: []) }
        return try await answers(at) { (node, at) async throws(NodeError) in try await node.views(views, at: at) }
    }

    /// What one call answers; nil where it reverts.
    ///
    /// - Throws: `disagreement`.
    func view(_ view: EthereumNode.View, at: EthereumNode.At = .latest) async throws(NodeError) -> [UInt8]? {
        let said = try await views([view], at: at)
        guard said.disputed.isEmpty else { throw .disagreement("what \(view.to) answers") }
        return said.answers[0]
    }

    /// Whether there is code at an address.
    ///
    /// - Throws: `disagreement`.
    func hasCode(_ address: EthereumAddress) async throws(NodeError) -> Bool {
        let said = try await answers(.latest) { (node, at) async throws(NodeError) in
            [try await node.code(at: address, at)]
        }
        guard let code = said.answers[0] else { throw .disagreement("the code at \(address)") }
        return !code.isEmpty
    }

    /// The receipts of transactions; nil for one that is in no block yet.
    func receipts(_ hashes: [[UInt8]]) async throws(NodeError) -> Answers<EthereumReceipt> {
        guard !hashes.isEmpty else { return Answers(answers: [], disputed: []) }
        let own = try await first.receipts(hashes)
        guard let second else { return Answers(answers: own, disputed: []) }
        return Answers(own, beside: try await second.receipts(hashes))
    }

    /// The events of contracts in a block.
    ///
    /// - Throws: `malformed` or `refused` where no node tells them: none of them has the block yet, say; `disagreement`
    ///   where one has none and the other doesn't tell.
    func events(
        in block: BlockReference,
        of contracts: [EthereumAddress]
    ) async throws(NodeError) -> BlockEvents {
        // No contract at all would stand for each there is.
        guard !contracts.isEmpty else { return BlockEvents() }
        guard let second else {
            return BlockEvents(agreed: try await first.logs(in: block, of: contracts))
        }
        let own = try await Self.heard { () async throws(NodeError) in
            try await first.logs(in: block, of: contracts)
        }
        guard let own else {
            return try Self.events(try await second.logs(in: block, of: contracts), toldAloneOf: block)
        }
        let others = try await Self.heard { () async throws(NodeError) in
            try await second.logs(in: block, of: contracts)
        }
        guard let others else { return try Self.events(own, toldAloneOf: block) }
        return BlockEvents(own, beside: others)
    }

    /// What receipts decide about, where one node alone tells it; that there is nothing takes both.
    private static func events(
        _ told: [EthereumLog],
        toldAloneOf block: BlockReference
    ) throws(NodeError) -> BlockEvents {
        guard !told.isEmpty else { throw .disagreement("whether block \(block.number) has events") }
        return BlockEvents(disputed: told)
    }

    /// What is asked of each node there is; nobody is asked twice where there is one.
    private func answers<Answer: Hashable & Sendable>(
        _ at: EthereumNode.At,
        _ ask: (EthereumNode, EthereumNode.At) async throws(NodeError) -> [Answer?]
    ) async throws(NodeError) -> Answers<Answer> {
        guard let second else { return Answers(answers: try await ask(first, at), disputed: []) }
        var known = at
        if case .latest = at { known = .number(try await head()) }
        let own = try await ask(first, known)
        return Answers(own, beside: try await ask(second, known))
    }

    /// What a node tells; nil where it tells nothing that can be used.
    private static func heard<Answer>(
        _ ask: () async throws(NodeError) -> Answer
    ) async throws(NodeError) -> Answer? {
        do throws(NodeError) {
            return try await ask()
        } catch {
            guard error.isOfAQuestion else { throw error }
            return nil
        }
    }
}

extension EthereumNodes.Answers where Answer: Equatable {
    /// By the words of two.
    fileprivate init(_ own: [Answer?], beside others: [Answer?]) {
        let disputed = own.indices.filter { own[$0] != others[$0] }
        self.init(answers: zip(own, others).map { $0 == $1 ? $0 : nil }, disputed: Set(disputed))
    }
}

extension BlockEvents {
    /// By the words of two.
    fileprivate init(_ own: [EthereumLog], beside others: [EthereumLog]) {
        guard own != others else {
            self.init(agreed: own)
            return
        }
        let (mine, theirs) = (
            Dictionary(grouping: own, by: \.transaction), Dictionary(grouping: others, by: \.transaction)
        )
        let disputed = Set(mine.keys).union(theirs.keys).filter { mine[$0] != theirs[$0] }
        self.init(
            agreed: own.filter { !disputed.contains($0.transaction) },
            disputed: (own + others).filter { disputed.contains($0.transaction) }
        )
    }
}
