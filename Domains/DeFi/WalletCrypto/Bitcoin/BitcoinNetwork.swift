/// A Bitcoin network by its address formats; signet shares testnet's.
public enum BitcoinNetwork: String, Hashable, Sendable, CaseIterable {
    /// Real money.
    case mainnet
    /// Testnet and signet.
    case testnet
    /// A chain of one's own.
    case regtest

    var segwitPrefix: String {
        switch self {
        case .mainnet: "bc"
        case .testnet: "tb"
        case .regtest: "bcrt"
        }
    }

    var keyHashVersion: UInt8 { self == .mainnet ? 0x00 : 0x6F }
    var scriptHashVersion: UInt8 { self == .mainnet ? 0x05 : 0xC4 }
}
