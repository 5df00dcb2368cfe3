public import PostgreSQL
public import WalletCrypto

/// How the addresses of a whole account on Bitcoin derive from its public key.
struct Derivation: Sendable {
    let key: ExtendedPublicKey
    let script: BitcoinScript.SingleKey
    /// How many unused addresses in a row are watched.
    let gapLimit: Int

    init(key: ExtendedPublicKey, script: BitcoinScript.SingleKey, gapLimit: Int) {
        (self.key, self.script, self.gapLimit) = (key, script, gapLimit)
    }

    /// A wallet's derivation; nil for a wallet of one address.
    init?(_ row: Row) throws {
        guard let text = try row["extended_key"] as String? else { return nil }
        guard let key = try? ExtendedPublicKey(text), let script = try row["script"] as BitcoinScript.SingleKey? else {
            throw WalletFault.unknownKey
        }
        self.init(key: key, script: script, gapLimit: try row["gap_limit"])
    }

    /// Its addresses on a network.
    func watching(on network: ChainNetwork) throws(ExtendedPublicKey.Fault) -> WatchOnlyAccount {
        try WatchOnlyAccount(key, form: script, network: network.bitcoin, gapLimit: gapLimit)
    }
}

extension BitcoinScript.SingleKey: SQLEncodable, SQLDecodable {}
