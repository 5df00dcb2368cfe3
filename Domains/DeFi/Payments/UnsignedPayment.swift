import Kernel
import WalletCrypto

/// A payment as a user wants it.
struct PaymentOrder: Sendable {
    /// The user's proven wallet, which pays.
    let wallet: PayingWallet
    let recipient: String
    let amount: Money
    let speed: GasPrice.Speed
    /// What the wallet's open payments need.
    var held = PaymentHolds()
}

/// A user's verified wallet, as what signs.
struct PayingWallet: Hashable, Sendable {
    let id: ID<Wallet>
    let user: ID<User>
    let address: String
}

/// What open payments of a wallet may still need.
struct PaymentHolds: Hashable, Sendable {
    /// What they use up.
    var inputs: Set<String> = []
    /// Amounts and fees at most, in minor units by asset.
    var amounts: [Asset: Int128] = [:]
}

/// A payment as the wallet signs it.
struct UnsignedPayment: Hashable, Sendable {
    /// What the wallet is given: a PSBT, a transaction of Solana, Sui's TransactionData, in Base 64.
    let text: String
    /// What it uses up, which no other open payment of the chain may use: `TXID:INDEX` on Bitcoin, an object's id and
    /// version on Sui.
    var inputs: [String] = []
    /// What it is going to cost, in the coin's minor units.
    let fee: Int128
    /// What it may cost at most.
    let feeMax: Int128
    /// The last block, by its number, that may have it; nil where it stays possible.
    var lastBlock: Int64?
    /// How long the user has for signing.
    var lifetimeSeconds = Intent.lifetimeSeconds
    /// Facts of the chain that `text` doesn't tell, for `PaymentChain.read` and `replacement`.
    var details: JSON = .null
    /// What else people should know of it: members of the summary and of its line for the network's fee.
    var summary: [JSON.Member] = []
}

/// What a user gives back.
struct ReturnedPayment: Hashable, Sendable {
    /// The signed transaction as the wallet gives it.
    let transaction: String
    /// The signature, where the wallet gives it beside the transaction.
    var signature: String?
}
