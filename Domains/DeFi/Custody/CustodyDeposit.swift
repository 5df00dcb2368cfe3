import Kernel

/// Crypto that came to the custodian's account in a transaction.
struct CustodyDeposit: Sendable, Entity {
    static let idPrefix = "dep"
    /// Those who paid for one deposit together, at most.
    static let sendersMax = 100
    /// Between two of them.
    static let senderSeparator = " "

    /// Why what came is kept on the house's account.
    enum Hold: String, Sendable, CaseIterable {
        /// The sender is nobody's verified wallet; it is credited once it becomes somebody's.
        case senderUnknown = "sender_unknown"
        /// Compliance looks at it.
        case inReview = "in_review"
        /// Its owner is locked, or has left.
        case ownerNotActive = "owner_not_active"
        /// Compliance has refused it for good.
        case refused
        /// The sender is on a list.
        case addressBlocked = "address_blocked"
        /// It is too little to be credited.
        case belowMinimum = "below_minimum"

        /// Whether it may still be credited.
        var isOpen: Bool { Self.open.contains(self) }

        /// Those that something else may come of.
        static let open: [Hold] = [.senderUnknown, .inReview, .ownerNotActive]
    }

    /// Where it stands.
    enum State: Hashable, Sendable {
        /// In a block that isn't final; nil while the chain goes on without the block that it was in.
        case pending(BlockReference?)
        /// In a block that counts as final, and not the customer's.
        case held(BlockReference, Hold)
        /// The customer has it.
        case confirmed(BlockReference)
        /// The chain went on without it.
        case lost
    }

    /// What happens to it.
    enum Event: Hashable, Sendable {
        /// A block has it.
        case seen(BlockReference)
        /// The chain goes on without its block.
        case reorganised
        /// No node knows its transaction any more, or what it does in the block that has it is something else.
        case forgotten
        /// Its block counts as final, and nobody gets it.
        case held(Hold)
        /// The customer gets it.
        case credited
    }

    /// Something that can't happen in a state.
    struct Impossible: Error, Hashable, Sendable {
        let state: String
        let event: Event
    }

    /// A transfer as a block shows it.
    struct Sighting: Hashable, Sendable {
        let hash: [UInt8]
        /// 0 for the transaction's own value, from 1 on the events of its receipt.
        let place: Int
        /// Who paid for it: several on Bitcoin with a space between two; empty where nobody is known.
        let sender: String
        let amount: Money
        let block: BlockReference
    }

    let id: ID<CustodyDeposit>
    /// CAIP-2.
    let chain: String
    let hash: [UInt8]
    let place: Int
    /// As `Sighting` has it.
    let sender: String
    let amount: Money
    /// Blocks from its own on until it is credited.
    let required: Int64
    /// Whose it is; nil while the sender is nobody's wallet.
    private(set) var user: ID<User>?
    private(set) var state: State
    /// Events that told of it, this version's included.
    private(set) var told: Int64
    /// What is stored is this version; 0 for what is new.
    let version: Int64
    let storedState: String?
    let createdAt: Timestamp
    let updatedAt: Timestamp
    /// The newest block that was followed; nil before the first.
    let head: Int64?

    /// One that a block shows for the first time.
    init(_ sighting: Sighting, id: ID<CustodyDeposit>, user: ID<User>?, on chain: any CustodyChain) {
        (self.id, self.chain, hash, place) = (id, chain.name, sighting.hash, sighting.place)
        (sender, amount, required, self.user) = (sighting.sender, sighting.amount, chain.confirmations, user)
        (state, told, version, storedState) = (.pending(sighting.block), user == nil ? 0 : 1, 0, nil)
        (createdAt, updatedAt, head) = (id.mintedAt, id.mintedAt, sighting.block.number)
    }

    /// One as it is stored.
    init(
        _ sighting: (hash: [UInt8], place: Int, sender: String, amount: Money),
        id: ID<CustodyDeposit>,
        chain: String,
        user: ID<User>?,
        required: Int64,
        state: State,
        counts: (told: Int64, version: Int64),
        times: (created: Timestamp, updated: Timestamp),
        head: Int64?
    ) {
        (self.id, self.chain, self.user, self.required, self.state) = (id, chain, user, required, state)
        (hash, place, sender, amount) = sighting
        (told, version) = counts
        (createdAt, updatedAt) = times
        (self.head, storedState) = (head, state.name)
    }

    /// Lets something happen to it; `owner` is who has the sender's wallet now.
    mutating func apply(_ event: Event, owner: ID<User>? = nil) throws(Impossible) {
        state = try state.after(event)
        // Who was credited stays its owner, whoever has the wallet later.
        if user == nil { user = owner }
        if user != nil { told += 1 }
    }

    /// It as its block shows it; nil while no block has it.
    var sighting: Sighting? {
        state.block.map { Sighting(hash: hash, place: place, sender: sender, amount: amount, block: $0) }
    }

    /// Whether a block shows this transfer: a transaction whose effect depends on what is there may make another one in
    /// another block.
    func isShown(by sighting: Sighting) -> Bool {
        hash == sighting.hash && place == sighting.place && sender == sighting.sender && amount == sighting.amount
    }

    /// Whose wallets paid for it.
    var senders: [String] { Self.senders(sender) }

    static func senders(_ sender: String) -> [String] {
        sender.split(separator: senderSeparator).map(String.init)
    }

    /// Blocks that stand on it, its own included.
    var confirmations: Int64 {
        guard let block = state.block else { return 0 }
        let seen = max(0, (head ?? block.number) - block.number + 1)
        if case .pending = state { return seen }
        return max(seen, required)
    }
}

extension CustodyDeposit.State {
    /// The state after an event.
    ///
    /// - Throws: `Impossible`.
    func after(_ event: CustodyDeposit.Event) throws(CustodyDeposit.Impossible) -> CustodyDeposit.State {
        switch (self, event) {
        case (.pending(nil), .seen(let block)), (.lost, .seen(let block)): return .pending(block)
        case (.pending(.some), .reorganised), (.held, .reorganised), (.confirmed, .reorganised): return .pending(nil)
        case (.pending(nil), .forgotten): return .lost
        case (.pending(let block?), .held(let hold)): return .held(block, hold)
        case (.held(let block, let old), .held(let hold)) where old.isOpen && old != hold: return .held(block, hold)
        case (.pending(let block?), .credited): return .confirmed(block)
        case (.held(let block, let hold), .credited) where hold.isOpen: return .confirmed(block)
        default: throw .init(state: name, event: event)
        }
    }

    /// The block that it is in.
    var block: BlockReference? {
        switch self {
        case .pending(let block): block
        case .held(let block, _), .confirmed(let block): block
        case .lost: nil
        }
    }

    /// Its word in the database.
    var name: String {
        switch self {
        case .pending: "pending"
        case .held: "held"
        case .confirmed: "confirmed"
        case .lost: "lost"
        }
    }

    /// Its word for customers: `pending`, `confirmed` or `failed`.
    var shown: String {
        switch self {
        case .pending: "pending"
        case .held(_, let hold): hold.isOpen ? "pending" : "failed"
        case .confirmed: "confirmed"
        case .lost: "failed"
        }
    }

    /// Why it isn't confirmed, where its block doesn't say.
    var reason: String? {
        switch self {
        case .held(_, let hold): hold.rawValue
        case .lost: "not_on_chain"
        case .pending(let block): block == nil ? "reorganised" : nil
        case .confirmed: nil
        }
    }
}
