/// An address on a chain in the one form in which addresses are compared.
public struct WalletAddress: Hashable, Sendable {
    /// The longest address, in characters; Cardano's Byron addresses have up to 115.
    public static let lengthMax = 130

    /// The chain: `bitcoin`, `evm`, `solana`, `tron`, or the asset's code in small letters where its chain isn't known.
    public let chain: String
    /// The address, in the case that the chain compares.
    public let text: String

    /// An address of an asset or chain; nil for what can't be one.
    ///
    /// Hexadecimal addresses and bech32 ones are the same in either case (EIP-55, BIP 173); base58 is as it is written.
    /// All chains of the EVM share their addresses, so that they are one chain here.
    public init?(asset: String, address: String) {
        let text = address.split(whereSeparator: \.isWhitespace).joined()
        guard (10...WalletAddress.lengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        let small = text.lowercased()
        if small.hasPrefix("0x") {
            guard small.utf8.dropFirst(2).allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            else {
                return nil
            }
            (chain, self.text) = ("evm", small)
            return
        }
        chain = WalletAddress.chains[asset.uppercased()] ?? asset.lowercased()
        let isBech32 = WalletAddress.humanParts.contains { small.hasPrefix($0) }
        self.text = isBech32 ? small : WalletAddress.withoutPrefix(text)
    }

    private static let humanParts = ["bc1", "tb1", "ltc1", "addr1", "cosmos1", "bnb1", "terra1", "grs1", "vtc1", "zs1"]

    private static let chains = [
        "XBT": "bitcoin", "BTC": "bitcoin", "BITCOIN": "bitcoin", "ETH": "evm", "ETC": "evm", "USDC": "evm",
        "ARB": "evm",
        "BSC": "evm", "EVM": "evm", "ETHEREUM": "evm", "SOL": "solana", "SOLANA": "solana", "TRX": "tron",
        "TRON": "tron", "LTC": "litecoin", "XMR": "monero", "BCH": "bitcoincash", "XRP": "xrp", "ZEC": "zcash",
        "DASH": "dash", "BTG": "bitcoingold", "BSV": "bitcoinsv", "XVG": "verge",
    ]

    /// Cash addresses are written with their chain before them, and without.
    private static func withoutPrefix(_ text: String) -> String {
        let prefix = "bitcoincash:"
        return text.lowercased().hasPrefix(prefix) ? text.lowercased().dropFirst(prefix.count).description : text
    }
}
