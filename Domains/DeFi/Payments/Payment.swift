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

    var progress: IntentProgress

    init(_ draft: Draft, id: ID<Intent>, at now: Timestamp) {
        (self.id, self.draft, createdAt) = (id, draft, now)
        expiresAt = now.adding(seconds: draft.unsigned.lifetimeSeconds)
        progress = IntentProgress()
    }

    /// One as it is stored.
    init(
        _ draft: Draft,
        id: ID<Intent>,
        times: (created: Timestamp, expires: Timestamp),
        progress: IntentProgress
    ) {
        (self.id, self.draft) = (id, draft)
        (createdAt, expiresAt) = times
        self.progress = progress
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
}
