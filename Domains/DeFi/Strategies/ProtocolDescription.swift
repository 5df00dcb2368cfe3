import WalletCrypto

/// A protocol as data: how its contracts are called, and how positions and rates are read from them.
///
/// What a new protocol needs is one more of these; nothing else knows a protocol by name.
struct ProtocolDescription: Hashable, Sendable {
    /// What a position in it earns by.
    enum Family: String, Sendable, CaseIterable {
        case lending
        case staking
        case vault
        case liquidity
    }

    /// What stands for an argument of a call.
    indirect enum Argument: Hashable, Sendable {
        /// The asset's contract.
        case asset
        /// The contract of the pair's other token.
        case pair
        /// The amount that goes in or comes out.
        case amount
        /// The same of the pair's other token.
        case pairAmount
        /// The least amount that is taken, after slippage.
        case amountMin
        /// The same of the pair's other token.
        case pairAmountMin
        /// The protocol's own units for what comes out: shares, liquidity.
        case units
        /// The number of the position.
        case token
        /// The user's wallet. A call that names another address in its place is refused.
        case wallet
        /// Seconds since 1970 until which the call may be made.
        case deadline
        /// A number that is always the same.
        case number(BigUInt)
        /// A signed number that is always the same.
        case signed(BigInt)
        /// No address.
        case nobody
        /// Several as one.
        case tuple([Argument])
    }

    /// One call.
    struct Step: Hashable, Sendable {
        let function: ContractFunction
        let arguments: [Argument]
        /// Whether the amount goes along as the chain's own coin.
        var paysValue = false
        /// Gas that it never needs more than: what is offered while the call can't be tried yet.
        let gasMax: UInt64
    }

    /// How a position's worth in its asset is read.
    enum PositionReader: Hashable, Sendable {
        /// One view of the wallet says it.
        case balance(ContractFunction)
        /// One view says how many shares, another what those are worth.
        case shares(ContractFunction, worth: ContractFunction)
        /// What taking all liquidity out would give, and what is owed beside it: 12 words of `positions(uint256)`.
        case liquidity(positions: ContractFunction)
    }

    /// How a yearly rate is read.
    enum RateReader: Hashable, Sendable {
        /// A word of an answer about the asset, in rays a year.
        case rays(ContractFunction, word: Int)
        /// A rate a second in 10^18, asked for with the utilisation.
        case perSecond(utilization: ContractFunction, rate: ContractFunction)
        /// The growth of what one share is worth between two blocks.
        case growth(ContractFunction)
        /// The chain doesn't say.
        case unknown
    }

    /// What may go wrong with it beside its code.
    enum Risk: String, Sendable, CaseIterable {
        /// Somebody can stop deposits and withdrawals.
        case pausable
        /// The position can lose: validators are punished.
        case slashing
        /// It leaves through a queue.
        case queuedExit = "queued_exit"
        /// The position is worth less than its parts when their price moves.
        case impermanentLoss = "impermanent_loss"
        /// Gifts to the contract change what a share is worth.
        case donations
        /// There may be too little in it to pay out at once.
        case utilization
    }

    /// `aave-v3`.
    let name: String
    let family: Family
    /// Whether the contract takes the asset from the wallet, which must allow that first.
    let needsApproval: Bool
    let start: Step
    /// Takes a part out.
    let exit: Step?
    /// Takes all out: several calls where one doesn't do.
    let stop: [Step]
    /// Takes what was earned; nil where it grows by itself.
    let harvest: Step?
    let position: PositionReader
    let rate: RateReader
    let risks: Set<Risk>
    var isPair = false
    /// Whether amounts that come out are named in shares.
    var exitsInShares = false

    /// One that is offered, by name.
    static func named(_ name: String) -> ProtocolDescription? { all.first { $0.name == name } }

    /// Every call that any of them makes.
    var steps: [Step] { [start] + [exit].compactMap(\.self) + stop + [harvest].compactMap(\.self) }
}
