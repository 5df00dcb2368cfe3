import Kernel
import PostgreSQL
import WalletCrypto

/// A chain without contracts of ours, as payments from users' own wallets need it: Bitcoin, Solana, Sui.
///
/// What a chain says of itself is all that is here. Storing, posting, sending again, and what reorganisations take back
/// are the same for all of them (`PaymentFollower`, `PaymentSender`). Addresses are in their one spelling.
protocol PaymentChain: Sendable {
    /// Which network of which chain.
    var network: ChainNetwork { get }
    /// What can be paid, the coin that fees are paid in first.
    var assets: [Asset] { get }
    /// Blocks from a transaction's own on until it is final; 1 where only final blocks are followed.
    var confirmations: Int64 { get }
    /// Whether only final blocks are followed: nothing of them is taken back.
    var isFinal: Bool { get }
    /// Who keeps the coin for customers and signs for it; nil where it isn't kept.
    ///
    /// - Throws: `CustodianFault` where an account is named and nobody signs for it.
    func custodian() throws(CustodianFault) -> HouseCustodian?

    // MARK: Following

    /// The number of the newest block that is followed: a height, a slot, a checkpoint.
    func head() async throws(NodeError) -> Int64

    /// The block with a number in the chain as it is now; nil above the newest, and for a number that no block has.
    func reference(at number: Int64) async throws(NodeError) -> BlockReference?

    /// The first block after a number, the newest one for nil; nil where there is none yet.
    ///
    /// Its `parentHash` is the hash of the block before it, whatever that one's number is.
    func block(after number: Int64?) async throws(NodeError) -> PaymentBlock?

    /// What accounts have now, and as of which block; `rows` is what the chain keeps of them for itself.
    ///
    /// Asked for an account that was never read, for one whose blocks were taken back, and by default for one that a
    /// block touched. What is as of another block than the newest one followed is asked for again.
    func reading(of addresses: [String]) async throws -> AccountReading

    /// What accounts have after a block that touched them, when they had been read before it.
    ///
    /// The default reads them anew.
    func reading(of addresses: [String], after block: PaymentBlock) async throws -> AccountReading

    /// What removes what the chain keeps of accounts that nobody follows any more; by default nothing.
    func forgetting(_ addresses: [String]) -> [any StoredRow]

    // MARK: Building

    /// An unsigned payment.
    ///
    /// - Throws: a `Problem`: 422 `insufficient_funds`, `amount_too_small`, `fee_too_high`, `amount_out_of_range`;
    ///   503 as `ChainProblem` has it.
    func build(_ order: PaymentOrder) async throws -> UnsignedPayment

    /// An unsigned payment of an account that is no user's, of what is final alone; `used` says which of some inputs
    /// are taken.
    ///
    /// - Throws: as the other one.
    func build(
        ofHouse order: PaymentOrder,
        besides used: @Sendable ([String]) async throws -> Set<String>
    ) async throws -> UnsignedPayment

    /// Another payment that the chain takes instead of one that waits, never beside it: the same for a higher fee, or
    /// one that only goes back to the payer.
    ///
    /// - Throws: as `build`; 422 `not_replaceable` on a chain that has no such thing.
    func replacement(
        of payment: UnsignedPayment,
        for order: PaymentOrder,
        cancelling: Bool
    ) async throws
        -> UnsignedPayment

    // MARK: Sending

    /// What a user gave back, when it is what was built, from first byte to last, and signed by the wallet.
    ///
    /// - Throws: the gravest fault.
    func read(
        _ returned: ReturnedPayment,
        for payment: UnsignedPayment,
        of order: PaymentOrder
    ) throws(PaymentFault) -> SignedTransaction

    /// Sends a signed payment; sending it again does nothing.
    ///
    /// `nonceTooLow` stands for all that makes it impossible: its coins are spent, its time is over.
    func send(_ signed: SignedTransaction) async -> Reception

    /// Where a transaction is in the chain as it is now; `included` only where all nodes have it there.
    ///
    /// - Throws: `disagreement` where nodes have it in different blocks.
    func status(of id: [UInt8]) async throws(NodeError) -> PaymentStatus

    /// Whether a payment that is in no block may still come into one, as far as blocks decide about it.
    func outlook(of payment: UnsignedPayment) async throws(NodeError) -> PaymentOutlook
}

extension PaymentChain {
    /// CAIP-2: `bip122:000000000019d6689c085ae165831e93`.
    var name: String { network.id.description }

    /// The asset that fees are paid in.
    var coin: Asset { assets[0] }

    func custodian() throws(CustodianFault) -> HouseCustodian? { nil }

    func reading(of addresses: [String], after block: PaymentBlock) async throws -> AccountReading {
        try await reading(of: addresses)
    }

    func forgetting(_ addresses: [String]) -> [any StoredRow] { [] }

    func build(
        ofHouse order: PaymentOrder,
        besides used: @Sendable ([String]) async throws -> Set<String>
    ) async throws -> UnsignedPayment {
        try await build(order)
    }
}

/// Whether a payment that is in no block may still come into one.
enum PaymentOutlook: Hashable, Sendable {
    /// What it uses is there, and its time isn't over.
    case open
    /// Something else has used what it uses, in a block.
    case spent
    /// Its time is over for good.
    case late
    /// The nodes don't say the same: one may be behind.
    case unclear

    /// What nodes say, of which there is one or more.
    init(_ said: [PaymentOutlook]) {
        let all = Set(said)
        if let only = all.first, all.count == 1 {
            self = only
        } else {
            self = all.isSubset(of: [.spent, .late]) ? .spent : .unclear
        }
    }

    /// Whether it is impossible by the word of all nodes.
    var isOver: Bool { self == .spent || self == .late }
}

/// Where a transaction is.
enum PaymentStatus: Hashable, Sendable {
    /// The node doesn't know it.
    case unknown
    /// It waits to come into a block.
    case pending
    /// In a block of the chain, whether it did what it was to do there, and what it cost, in the coin's minor units.
    case included(BlockReference, succeeded: Bool, fee: Int128)
}
