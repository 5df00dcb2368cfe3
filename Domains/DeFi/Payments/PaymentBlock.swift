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
    let timestamp: Timestamp
    let entries: [Entry]

    var number: Int64 { reference.number }
    var hash: [UInt8] { reference.hash }
}

/// What accounts have, as of a block.
struct AccountReading: Sendable {
    let block: BlockReference
    /// In the chain's assets; an account that isn't there has nothing.
    let balances: [String: [Money]]
    /// What the chain keeps of it for itself, stored together with the balances.
    var rows: [any StoredRow] = []
}
