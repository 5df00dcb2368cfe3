import HTTP
import Kernel
import WalletCrypto

/// A wallet that a user wants to have watched.
struct NewWallet: Sendable {
    let account: AccountID
    let network: ChainNetwork
    let kind: Wallet.Kind
    let label: String
    let derivation: Derivation?

    /// A wallet of one address.
    ///
    /// - Throws: 422 `unknown_network`, `address_invalid`, `type_not_possible`.
    init(account text: String, kind: Wallet.Kind, label: String) throws(Problem) {
        (account, network) = try NewWallet.account(text)
        guard kind != .contract || network.chain == .ethereum else {
            throw Problem(422, "type_not_possible", "Only Ethereum has contracts that sign.")
        }
        (self.kind, self.label, derivation) = (kind, label, nil)
    }

    /// A whole account on Bitcoin by its extended public key, named by its first address.
    ///
    /// - Throws: 422 `extended_key_invalid`.
    init(
        extendedKey text: String,
        script: BitcoinScript.SingleKey?,
        network kind: ChainNetwork.Kind?,
        gapLimit: Int,
        label: String
    ) throws(Problem) {
        do throws(ExtendedPublicKey.Fault) {
            let key = try ExtendedPublicKey(text)
            let wanted = kind ?? (key.isMainnet ? .mainnet : .testnet)
            let found = ChainNetwork.all.first { $0.chain == .bitcoin && $0.kind == wanted }
            guard let network = found, let form = script ?? key.promisedForm else { throw .script }
            let derivation = Derivation(key: key, script: form, gapLimit: gapLimit)
            let first = try derivation.watching(on: network).addresses(.receiving, 0..<1)
            guard let account = first.first.flatMap({ network.account($0.description) }) else { throw .noKey }
            (self.account, self.network, self.kind) = (account, network, .hot)
            (self.label, self.derivation) = (label, derivation)
        } catch {
            throw Problem(
                422,
                "extended_key_invalid",
                "The extended public key can't be used.",
                faults: [Problem.Fault("/extended_key", error.rawValue)]
            )
        }
    }

    /// An account by its name across chains, in its one spelling.
    ///
    /// - Throws: 422 `unknown_network`, `address_invalid`.
    static func account(_ text: String) throws(Problem) -> (AccountID, ChainNetwork) {
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
        return (account, network)
    }
}
