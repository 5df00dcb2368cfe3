import Kernel
import PostgreSQL

/// A block, as far as payments and wallets are about it.
struct PaymentBlock: Hashable, Sendable {
    /// What an account got or gave by a transaction, less what came back to it by the same one.
    struct Move: Hashable, Sendable {
        let address: String
        let asset: Asset
        /// In minor units: above zero for what came, below for what went, fees included.
        let amount: Int128
    }

    /// A transaction.
    struct Entry: Hashable, Sendable {
        /// Its id: Bitcoin's as it is printed, Solana's first signature, Sui's digest.
        let id: [UInt8]
        /// Whether it did what it was to do; one that did not may have cost its fee.
        let succeeded: Bool
        /// In the coin's minor units.
        let fee: Int128
        let moves: [Move]
        /// What no other transaction can use any more, as `UnsignedPayment.inputs` names it.
        var spends: [String] = []
        /// What it leaves for others to spend, where the chain has such a thing.
        var makes: [Coin] = []
    }

    /// An output that can be spent.
    struct Coin: Hashable, Sendable {
        /// As `UnsignedPayment.inputs` names it.
        let item: String
        let address: String
        /// In minor units.
        let amount: Int128
        /// New money, which can't be spent for some time.
        var isMinted = false
    }

    let reference: BlockReference
    let parentHash: [UInt8]
    /// Nil where no node says: it counts as of the same time as the block before it.
    let timestamp: Timestamp?
    /// Those that all nodes tell alike.
    let entries: [Entry]
    /// Those that they don't, as each tells them: nothing of them is believed.
    var disputed: [Entry] = []

    var number: Int64 { reference.number }
    var hash: [UInt8] { reference.hash }
}

extension PaymentBlock {
    /// The same as far as another node tells it alike.
    ///
    /// - Throws: `disagreement` where that tells of another block.
    func agreed(with other: PaymentBlock) throws(NodeError) -> PaymentBlock {
        guard reference == other.reference, parentHash == other.parentHash else {
            throw .disagreement("block \(number)")
        }
        let others = Dictionary(other.entries.map { ($0.id, $0) }) { first, _ in first }
        let alike = entries.filter { others[$0.id]?.isAlike($0) == true }
        let ids = Set(alike.map(\.id))
        return PaymentBlock(
            reference: reference,
            parentHash: parentHash,
            timestamp: timestamp ?? other.timestamp,
            entries: alike,
            disputed: (entries + other.entries).filter { !ids.contains($0.id) }
        )
    }

    /// The ids of disputed transactions that move something of some accounts, each once.
    func unclear(of isConcerned: (String) -> Bool) -> [[UInt8]] {
        var known: Set<[UInt8]> = []
        return disputed.filter { $0.moves.contains { isConcerned($0.address) } }.map(\.id)
            .filter { known.insert($0).inserted }
    }
}

extension PaymentBlock.Entry {
    /// Whether another node tells the same; what accounts got and gave is in no order.
    fileprivate func isAlike(_ other: PaymentBlock.Entry) -> Bool {
        (succeeded, fee, spends, makes) == (other.succeeded, other.fee, other.spends, other.makes)
            && Set(moves) == Set(other.moves)
    }
}

/// What accounts have, as of a block.
struct AccountReading: Sendable {
    let block: BlockReference
    /// In the chain's assets; an account that isn't there has nothing.
    let balances: [String: [Money]]
    /// What the chain keeps of it for itself, stored together with the balances.
    var rows: [any StoredRow] = []
}
