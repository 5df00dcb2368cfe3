import Kernel
import Ledger

/// Crypto that goes out of the custodian's account to a customer's address.
struct CustodyWithdrawal: Sendable, Entity {
    static let idPrefix = "wdr"

    /// A payout as the custodian signed it.
    struct Signed: Hashable, Sendable {
        let raw: [UInt8]
        let hash: [UInt8]
        /// On chains that follow Ethereum's rules.
        let nonce: UInt64?
        /// What its bytes don't tell: until when it may come into a block.
        var details: JSON = .null
        /// What it uses up that no other payout may use, while it isn't stored yet.
        var inputs: [String] = []
    }

    /// What its block did.
    struct Inclusion: Hashable, Sendable {
        let block: BlockReference
        /// Whether the payout went through; gas is paid in either case.
        let succeeded: Bool
        /// In the coin's minor units: all that left beside what was paid out.
        let gasCost: Int128
    }

    /// Where it stands.
    enum State: Hashable, Sendable {
        /// Not signed: its customer may cancel it.
        case waiting
        /// Signed, on its way to a block.
        case signed(Signed)
        /// In a block, which the chain may still replace.
        case included(Signed, Inclusion)
        /// In a block that counts as final.
        case confirmed(Signed, Inclusion)
        /// It reverted in a block that counts as final; without a block, it was never sent.
        case failed(Signed?, Inclusion?)
        /// Its customer took it back.
        case cancelled
    }

    /// What happens to it.
    enum Event: Hashable, Sendable {
        /// The custodian signed it.
        case signed(Signed)
        /// The custodian signed the same for more gas, under the same nonce.
        case replaced(Signed)
        /// Another transaction used its nonce for good: it is signed anew.
        case voided
        /// A block has it, as one of the transactions that it was signed as.
        case included(Signed, Inclusion)
        /// The chain goes on without its block.
        case reorganised
        /// Its block counts as final.
        case settled
        /// The chain would never take it.
        case refused
        /// Its customer doesn't want it any more.
        case cancelled
    }

    /// Something that can't happen in a state.
    struct Impossible: Error, Hashable, Sendable {
        let state: String
        let event: Event
    }

    let id: ID<CustodyWithdrawal>
    let user: ID<User>
    /// CAIP-2.
    let chain: String
    let recipient: String
    /// What arrives.
    let amount: Money
    /// What it costs beside the amount.
    let fee: Money
    /// Blocks from its own on until it is confirmed.
    let required: Int64
    /// Holds amount and fee.
    private(set) var reservation: ID<Reservation>
    private(set) var state: State
    /// Why it is where it is, in a word, where that isn't plain.
    private(set) var reason: String?
    /// What is stored is this version; 0 for what is new.
    let version: Int64
    let storedState: String?
    let createdAt: Timestamp
    let updatedAt: Timestamp
    /// The newest block that was followed; nil before the first.
    let head: Int64?

    /// What a new one is made of.
    struct Order: Sendable {
        let user: ID<User>
        let recipient: String
        let amount: Money
        let fee: Money
        let reservation: ID<Reservation>
    }

    init(_ order: Order, id: ID<CustodyWithdrawal>, on chain: any CustodyChain, at instant: Timestamp) {
        (self.id, user, self.chain, recipient) = (id, order.user, chain.name, order.recipient)
        (amount, fee, required, reservation) = (order.amount, order.fee, chain.confirmations, order.reservation)
        (state, reason, version, storedState, head) = (.waiting, nil, 0, nil, nil)
        (createdAt, updatedAt) = (instant, instant)
    }

    /// One as it is stored.
    init(
        _ order: Order,
        id: ID<CustodyWithdrawal>,
        chain: String,
        required: Int64,
        state: State,
        reason: String?,
        version: Int64,
        times: (created: Timestamp, updated: Timestamp),
        head: Int64?
    ) {
        (self.id, user, self.chain, recipient) = (id, order.user, chain, order.recipient)
        (amount, fee, self.required, reservation) = (order.amount, order.fee, required, order.reservation)
        (self.state, self.reason, self.version, storedState) = (state, reason, version, state.name)
        (createdAt, updatedAt) = times
        self.head = head
    }

    /// Lets something happen to it; `held` is the reservation that holds its money from now on.
    mutating func apply(
        _ event: Event,
        because reason: String? = nil,
        held: ID<Reservation>? = nil
    ) throws(Impossible) {
        state = try state.after(event)
        self.reason = reason
        if let held { reservation = held }
    }

    /// Blocks that stand on it, its own included.
    var confirmations: Int64 {
        guard let block = state.inclusion?.block else { return 0 }
        let seen = max(0, (head ?? block.number) - block.number + 1)
        if case .included = state { return seen }
        return max(seen, required)
    }
}

extension CustodyWithdrawal.State {
    /// The state after an event.
    ///
    /// - Throws: `Impossible`.
    func after(_ event: CustodyWithdrawal.Event) throws(CustodyWithdrawal.Impossible) -> CustodyWithdrawal.State {
        switch (self, event) {
        case (.waiting, .signed(let signed)): return .signed(signed)
        case (.waiting, .refused): return .failed(nil, nil)
        case (.waiting, .cancelled): return .cancelled
        case (.signed, .voided), (.included, .voided): return .waiting
        case (.signed(let old), .replaced(let signed)) where old.nonce == signed.nonce: return .signed(signed)
        case (.signed(let old), .included(let signed, let inclusion)) where old.nonce == signed.nonce:
            return .included(signed, inclusion)
        case (.included(let signed, _), .reorganised), (.confirmed(let signed, _), .reorganised),
            (.failed(let signed?, _), .reorganised):
            return .signed(signed)
        case (.included(let signed, let inclusion), .settled):
            return inclusion.succeeded ? .confirmed(signed, inclusion) : .failed(signed, inclusion)
        default: throw .init(state: name, event: event)
        }
    }

    /// The transaction, once there is one.
    var signature: CustodyWithdrawal.Signed? {
        switch self {
        case .signed(let signed), .included(let signed, _), .confirmed(let signed, _): signed
        case .failed(let signed, _): signed
        case .waiting, .cancelled: nil
        }
    }

    /// What its block did, where it is in one.
    var inclusion: CustodyWithdrawal.Inclusion? {
        switch self {
        case .included(_, let inclusion), .confirmed(_, let inclusion): inclusion
        case .failed(_, let inclusion): inclusion
        case .waiting, .signed, .cancelled: nil
        }
    }

    /// Whether something has to be done for it to get into a block.
    var isSent: Bool {
        switch self {
        case .waiting, .signed: true
        case .included, .confirmed, .failed, .cancelled: false
        }
    }

    /// Its word in the database.
    var name: String {
        switch self {
        case .waiting: "waiting"
        case .signed: "signed"
        case .included: "included"
        case .confirmed: "confirmed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }

    /// Its word for customers: `pending`, `confirmed`, `failed` or `cancelled`.
    var shown: String {
        switch self {
        case .waiting, .signed, .included: "pending"
        case .confirmed: "confirmed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }
}
