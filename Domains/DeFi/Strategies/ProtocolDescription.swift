import WalletCrypto

/// A protocol as data: how its contracts are called, and how positions, rates and rewards are read from them.
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

    /// Which of an offer's contracts is meant.
    enum Place: String, Sendable, CaseIterable {
        /// What money goes into.
        case contract
        /// The token that stands for the position.
        case receipt
        /// What says the price of a pair.
        case pool
        /// What positions leave through.
        case queue
        /// What pays rewards.
        case rewards
    }

    /// What stands for an argument of a call.
    indirect enum Argument: Hashable, Sendable {
        /// The asset's contract.
        case asset
        /// The contract of the pair's other token.
        case pair
        /// One of the offer's own contracts.
        case place(Place)
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
        /// A pair's fee, as its offer has it.
        case fee
        /// The lowest tick of the offer's range.
        case tickLower
        /// The highest tick of the offer's range.
        case tickUpper
        /// Yes.
        case yes
        /// No address.
        case nobody
        /// Requests that have come through the queue.
        case requests
        /// What the queue wants to know with them.
        case hints
        /// Several as one.
        case tuple([Argument])
        /// An array.
        case list([Argument])
    }

    /// One transaction.
    struct Step: Hashable, Sendable {
        var to = Place.contract
        let function: ContractFunction
        var arguments: [Argument] = []
        /// Calls that go together, each as bytes in the one array that the function takes.
        var calls: [Step] = []
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
        case liquidity(positions: ContractFunction, price: ContractFunction, leaving: ContractFunction)
    }

    /// A queue that positions leave through: what waits in it, and what has come through.
    struct QueueReader: Hashable, Sendable {
        /// The requests of an account.
        let requests: ContractFunction
        /// What each is about.
        let status: ContractFunction
        /// How many checkpoints there are.
        let checkpoints: ContractFunction
        /// The checkpoint of each request.
        let hints: ContractFunction
        /// Takes what has come through.
        let claim: Step
        /// What is too little to be let in: what rounding leaves over.
        let dust: BigUInt
    }

    /// What a protocol pays beside the yield, in another token.
    struct RewardReader: Hashable, Sendable {
        /// What an account is owed.
        let owed: ContractFunction
        /// Tokens a second for all, in 10^15 of a whole one.
        let speed: ContractFunction
        /// What all have in it, in its asset.
        let total: ContractFunction
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

    /// Which way money goes.
    enum Direction: String, Sendable, CaseIterable {
        case entering
        case leaving
    }

    /// How a protocol says that it stands still.
    struct Guard: Hashable, Sendable {
        /// What the answer's first word has to be, for it to stand still.
        enum Sign: Hashable, Sendable {
            case notZero
            case zero
            /// A bit of it is set, counted from the lowest.
            case bit(Int)
        }

        var at = Place.contract
        let function: ContractFunction
        var arguments: [Argument] = []
        let sign: Sign
        let stops: Set<Direction>
    }

    /// What says how much a call gives, of a protocol whose calls name no least amount.
    struct Previews: Hashable, Sendable {
        /// The units for an amount that goes in.
        let entering: ContractFunction
        /// The amount for units that come out.
        let leaving: ContractFunction
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
    let exit: [Step]
    /// Takes all out.
    let stop: [Step]
    /// Takes what was earned; nil where it grows by itself.
    let harvest: Step?
    let position: PositionReader
    let rate: RateReader
    let risks: Set<Risk>
    var guards: [Guard] = []
    /// Where what leaves waits; nil where it comes at once.
    var queue: QueueReader?
    var rewards: RewardReader?
    var previews: Previews?
    var isPair = false

    /// One that is offered, by name.
    static func named(_ name: String) -> ProtocolDescription? { all.first { $0.name == name } }

    /// Every call that any of them makes.
    var steps: [Step] {
        ([start] + exit + stop + [harvest, queue?.claim].compactMap(\.self)).flatMap { [$0] + $0.calls }
    }

    /// The contracts that an offer of it must name.
    var places: Set<Place> {
        var places: Set<Place> = [.contract, .receipt]
        if isPair { places.insert(.pool) }
        if queue != nil { places.insert(.queue) }
        return places
    }
}
