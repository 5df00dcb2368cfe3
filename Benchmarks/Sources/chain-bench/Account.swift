import Kernel
import WalletCrypto

/// Accounts of the chain by their place, which stands in their address; nobody has the keys.
enum Account {
    /// Where those begin that nobody follows.
    static let strangers: UInt64 = 10_000_000
    /// The token, and the vault that takes it.
    static let (token, vault) = (contract(1), contract(2))

    private static let prefix = [UInt8](repeating: 0xAB, count: 12)

    /// The address at a place.
    static func address(_ place: UInt64) -> EthereumAddress {
        guard let address = EthereumAddress(bytes: prefix + bigEndian(place)) else { preconditionFailure("20 bytes") }
        return address
    }

    /// The place of an address, of 20 bytes; nil for a contract or anything else.
    static func place(_ address: some Collection<UInt8>) -> UInt64? {
        guard address.count == 20, address.starts(with: prefix) else { return nil }
        return address.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func contract(_ number: UInt8) -> EthereumAddress {
        let bytes = [UInt8](repeating: 0xC0, count: 19) + [number]
        guard let address = EthereumAddress(bytes: bytes) else { preconditionFailure("20 bytes") }
        return address
    }

    private static func bigEndian(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}

/// Numbers and data as Ethereum's JSON-RPC writes them.
enum Text {
    static func quantity(_ number: some BinaryInteger) -> String { "0x" + String(number, radix: 16) }

    /// A word of 32 bytes, without `0x`.
    static func word(_ number: some BinaryInteger) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 64 - digits.utf8.count) + digits
    }

    /// An address as a word.
    static func word(_ address: EthereumAddress) -> String { String(repeating: "0", count: 24) + hex(address) }

    /// An address in lower case, without `0x`.
    static func hex(_ address: EthereumAddress) -> String { String(HexText.encode(address.bytes).dropFirst(2)) }
}
