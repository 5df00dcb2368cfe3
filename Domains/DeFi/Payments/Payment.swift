import Kernel
import Ledger
import WalletCrypto

/// A payment on a chain without contracts of ours, to be signed by the user's own wallet, and what became of it.
///
/// It is an intent to whoever pays: one kind of ids, one way through the states, one list.
struct Payment: Sendable {
    /// What a new one is made of.
    struct Draft: Sendable {
        let wallet: PayingWallet
        /// CAIP-2.
        let chain: String
        let kind: Intent.Kind
        /// The first one of those that take each other's place.
        var replaces: ID<Intent>?
        let recipient: String
        let amount: Money
        let unsigned: UnsignedPayment
        let summary: JSON
    }

    let id: ID<Intent>
    let draft: Draft
    let createdAt: Timestamp
    /// Until when it may be signed.
    let expiresAt: Timestamp

    /// What the user signed; nil before.
    private(set) var signed: SignedPayment?
    private(set) var state: IntentState
    /// Why it is where it is, in a word, where that isn't plain.
    private(set) var reason: String?
    /// What the ledger holds of the block that it is in.
    private(set) var transfers: [ID<Transfer>]
    /// What is stored is this version; 0 for what is new.
    let version: Int64
    /// The state that was stored.
    let storedState: String?

    init(_ draft: Draft, id: ID<Intent>, at now: Timestamp) {
        (self.id, self.draft, createdAt) = (id, draft, now)
        expiresAt = now.adding(seconds: draft.unsigned.lifetimeSeconds)
        (signed, state, reason, transfers, version, storedState) = (nil, .built, nil, [], 0, nil)
    }

    /// One as it is stored.
    init(
        _ draft: Draft,
        id: ID<Intent>,
        times: (created: Timestamp, expires: Timestamp),
        signed: SignedPayment?,
        state: IntentState,
        reason: String?,
        transfers: [ID<Transfer>],
        version: Int64
    ) {
        (self.id, self.draft) = (id, draft)
        (createdAt, expiresAt) = times
        (self.signed, self.state, self.reason, self.transfers) = (signed, state, reason, transfers)
        (self.version, storedState) = (version, state.name)
    }

    var chain: String { draft.chain }
    var user: ID<User> { draft.wallet.user }
    var unsigned: UnsignedPayment { draft.unsigned }
    /// The first one of those that take each other's place.
    var root: ID<Intent> { draft.replaces ?? id }

    /// What it may take out of its wallet, its fee included, in minor units.
    var taken: [Asset: Int128] {
        var taken = [draft.amount.asset: draft.amount.minorUnits]
        if let coin = ChainID(chain)?.chain?.coin { taken[coin, default: 0] += unsigned.feeMax }
        return taken
    }

    /// What it was asked for as.
    func order(_ speed: GasPrice.Speed = .normal, held: PaymentHolds = PaymentHolds()) -> PaymentOrder {
        PaymentOrder(wallet: draft.wallet, recipient: draft.recipient, amount: draft.amount, speed: speed, held: held)
    }

    /// Takes what the user signed, which the caller has checked against it.
    mutating func take(_ returned: SignedPayment) throws(IntentState.Impossible) {
        state = try state.after(.signed)
        signed = returned
    }

    /// Lets something happen to it; `posted` are the ledger's transfers for the block that it is in from now on.
    mutating func apply(
        _ event: IntentState.Event,
        posted: [ID<Transfer>] = [],
        because reason: String? = nil
    ) throws(IntentState.Impossible) {
        // Why another one took its place is still so when that is final.
        if !(event == .settled && reason == nil) { self.reason = reason }
        state = try state.after(event)
        switch event {
        case .included: transfers = posted
        case .reorganised: transfers = []
        case .signed, .timedOut, .accepted, .lost, .displaced, .settled: break
        }
    }
}
