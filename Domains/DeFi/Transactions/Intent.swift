import Kernel
import Ledger
import WalletCrypto

/// A transaction that is to be signed by the user's own wallet, and what became of it.
struct Intent: Sendable, Entity {
    static let idPrefix = "int"

    /// What it does.
    enum Kind: String, Sendable, CaseIterable {
        /// Sends an asset to an address.
        case transfer
        /// Lets a protocol's contract take an exact amount.
        case approve
        /// Puts an amount into a strategy.
        case start
        /// Takes an amount out of a strategy.
        case exit
        /// Takes what a strategy earned.
        case harvest
        /// Uses up the nonce of another one, and does nothing.
        case cancel
    }

    /// How long the user has for signing.
    static let lifetimeSeconds: Int64 = 1_800

    let id: ID<Intent>
    let user: ID<User>
    let wallet: ID<Wallet>
    /// CAIP-2.
    let chain: String
    let address: EthereumAddress
    let kind: Kind
    let strategy: ID<Strategy>?
    let replaces: ID<Intent>?
    /// What it is about.
    let amount: Money
    /// What it is about of the other token of a pair, in that token's smallest units.
    let pairAmount: Int128
    /// An exit's share of the strategy's principal.
    let principal: Int128
    let reservation: ID<Reservation>?
    let floor: StrategyFloor?
    private(set) var transaction: EthereumTransaction
    let summary: JSON
    let createdAt: Timestamp
    let expiresAt: Timestamp

    var progress: IntentProgress

    /// What a new one is made of.
    struct Draft: Sendable {
        let wallet: LinkedWallet
        let chain: String
        let kind: Kind
        var strategy: ID<Strategy>?
        var replaces: ID<Intent>?
        let amount: Money
        var pairAmount: Int128 = 0
        var principal: Int128 = 0
        var reservation: ID<Reservation>?
        var floor: StrategyFloor?
        let transaction: EthereumTransaction
        let summary: JSON
    }

    init(_ draft: Draft, id: ID<Intent>, at now: Timestamp) {
        (self.id, user, wallet) = (id, draft.wallet.user, draft.wallet.id)
        (chain, address, kind) = (draft.chain, draft.wallet.address, draft.kind)
        (strategy, replaces, amount) = (draft.strategy, draft.replaces, draft.amount)
        (pairAmount, principal, reservation) = (draft.pairAmount, draft.principal, draft.reservation)
        (floor, transaction, summary) = (draft.floor, draft.transaction, draft.summary)
        (createdAt, expiresAt) = (now, now.adding(seconds: Intent.lifetimeSeconds))
        progress = IntentProgress()
    }

    /// One as it is stored.
    init(
        _ draft: Draft,
        id: ID<Intent>,
        times: (created: Timestamp, expires: Timestamp),
        progress: IntentProgress
    ) {
        (self.id, user, wallet) = (id, draft.wallet.user, draft.wallet.id)
        (chain, address, kind) = (draft.chain, draft.wallet.address, draft.kind)
        (strategy, replaces, amount) = (draft.strategy, draft.replaces, draft.amount)
        (pairAmount, principal, reservation) = (draft.pairAmount, draft.principal, draft.reservation)
        (floor, transaction, summary) = (draft.floor, draft.transaction, draft.summary)
        (createdAt, expiresAt) = times
        self.progress = progress
    }

    /// The first one of those that take each other's place.
    var root: ID<Intent> { replaces ?? id }

    /// What it may take out of its wallet, gas included, in minor units; `pair` is what its other token is.
    func taken(pair: Asset?) -> [Asset: Int128] {
        var taken = [EthereumChain.gasAsset: Int128(clamping: transaction.costMax)]
        switch kind {
        case .transfer, .start:
            // The chain's own coin is in the transaction itself.
            if amount.asset != EthereumChain.gasAsset { taken[amount.asset] = amount.minorUnits }
            if kind == .start, let pair, pair != EthereumChain.gasAsset { taken[pair, default: 0] += pairAmount }
        case .approve, .exit, .harvest, .cancel: break
        }
        return taken
    }

    /// Wei that it may cost at most, gas alone.
    var gasCostMax: BigUInt { transaction.costMax - transaction.value }

    /// The same on another nonce; nil where that is out of range.
    func numbered(_ nonce: UInt64) -> Intent? {
        guard let transaction = transaction.numbered(nonce) else { return nil }
        var moved = self
        (moved.transaction, moved.progress) = (transaction, progress.changed(because: "renumbered"))
        return moved
    }
}

/// A user's verified wallet, as what signs.
struct LinkedWallet: Hashable, Sendable {
    let id: ID<Wallet>
    let user: ID<User>
    let address: EthereumAddress
}
