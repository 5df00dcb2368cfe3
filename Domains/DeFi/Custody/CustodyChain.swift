import Kernel

/// A chain as custody needs it: what comes to the custodian's account, what leaves it, and how payouts are made.
///
/// What a chain says of itself is all that is here. Deposits and withdrawals, their books, and what reorganisations
/// take back are the same for all of them (`CustodyWatch`, `CustodySender`). Addresses are in their one spelling.
protocol CustodyChain: Sendable {
    /// CAIP-2.
    var name: String { get }
    /// What payouts cost something of.
    var coin: Asset { get }
    /// The custodian's account: where deposits go.
    var account: String { get }
    /// Blocks from a transaction's own on until it is final.
    var confirmations: Int64 { get }

    /// Whether an asset is kept here.
    func has(_ asset: Asset) -> Bool

    /// An address of this chain in its one spelling; nil for anything else.
    func address(_ text: String) -> String?

    // MARK: Following

    /// What a block of the chain as it is now did to the account; nil where another block is in its place. `read` is
    /// the block, where it was read already.
    ///
    /// - Throws: a `NodeError` where nodes don't say the same of the block, or say nothing.
    func look(at block: BlockReference, _ assets: [Asset], having read: ReadBlock?) async throws -> CustodyBlock?

    /// Requires that all nodes have a transaction in a block, and what it did there.
    ///
    /// - Throws: `disagreement`.
    func requireStanding(_ hash: [UInt8], in block: BlockReference?, succeeded: Bool) async throws(NodeError)

    /// The block of the chain as it is now that has a transaction; nil while none has it.
    ///
    /// - Throws: `disagreement`.
    func block(of hash: [UInt8]) async throws(NodeError) -> BlockReference?

    /// Whether a node knows a transaction, waiting or in a block.
    func knows(_ hash: [UInt8]) async throws(NodeError) -> Bool

    /// What the account has of assets after the block with a number, in their order, in minor units.
    func holdings(of assets: [Asset], at number: Int64) async throws -> [Int128]

    // MARK: Paying

    /// A payout as the custodian signed it: decoded, and the one that was asked for.
    ///
    /// - Throws: a `NodeError`; a `Problem`.
    func signed(_ withdrawal: CustodyWithdrawal) async throws -> CustodyWithdrawal.Signed

    /// The same for more, which the chain takes instead of it and never beside it; nil where that isn't possible now.
    /// `isRefused` tells that nodes don't take it at its price.
    func dearer(
        than signed: CustodyWithdrawal.Signed,
        isRefused: Bool
    ) async throws -> CustodyWithdrawal.Signed?

    /// Sends what was signed; sending it again does nothing.
    func send(_ signed: CustodyWithdrawal.Signed) async -> Reception

    /// What has become of a payout that nodes don't take any more, by all that it was signed as.
    func fate(of attempts: [CustodyWithdrawal.Signed]) async throws -> CustodyFate
}

/// What has become of a payout that nodes don't take any more.
enum CustodyFate: Hashable, Sendable {
    /// A node knows it: it waits, or is in a block.
    case known
    /// Nobody can say yet.
    case unclear
    /// No block will ever have it, by the word of all nodes and beyond any reorganisation that counts.
    case over
}

/// A block as who follows a chain has read it.
enum ReadBlock: Sendable {
    /// With the events of the contracts that are watched.
    case ethereum(EthereumBlock, BlockEvents)
    case payments(PaymentBlock)

    var reference: BlockReference {
        switch self {
        case .ethereum(let block, _): block.reference
        case .payments(let block): block.reference
        }
    }
}

/// What a block did to the custodian's account.
struct CustodyBlock: Hashable, Sendable {
    /// A transaction of the account's own.
    struct Own: Hashable, Sendable {
        let hash: [UInt8]
        let succeeded: Bool
        /// What left the account of the coin, its cost included, in minor units.
        let coins: Int128
    }

    /// What came.
    var sightings: [CustodyDeposit.Sighting] = []
    var own: [Own] = []
    /// Transactions of which the nodes don't say the same; they aren't among these, and the block is looked at again.
    var unclear: [[UInt8]] = []
    /// Whether a node has the block and not yet all receipts of it: it is looked at again at once.
    var isEarly = false
}

extension CustodyBlock.Own {
    /// What its block did to a payout.
    func inclusion(in block: BlockReference, of amount: Money, coin: Asset) -> CustodyWithdrawal.Inclusion {
        let paid = succeeded && amount.asset == coin ? amount.minorUnits : 0
        return CustodyWithdrawal.Inclusion(block: block, succeeded: succeeded, gasCost: coins - paid)
    }
}
