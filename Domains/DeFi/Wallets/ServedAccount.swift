import Kernel
import WalletCrypto

/// An account on one of the chains that are served, in its one spelling.
struct ServedAccount: Sendable {
    let account: AccountID
    let network: ChainNetwork

    /// Reads an account's name across chains (CAIP-10).
    ///
    /// - Throws: 422 `unknown_network`, `address_invalid`.
    init(_ text: String) throws(Problem) {
        guard let named = AccountID(text), let network = ChainNetwork(named.chainID) else {
            throw Problem(
                422,
                "unknown_network",
                "Accounts of this network aren't served.",
                faults: [Problem.Fault("/account", "unknown_network")]
            )
        }
        guard let account = network.account(named.address) else {
            throw Problem(
                422,
                "address_invalid",
                "This isn't an address of that network. Compare it with what your wallet shows.",
                faults: [Problem.Fault("/account", "address_invalid")]
            )
        }
        (self.account, self.network) = (account, network)
    }
}
