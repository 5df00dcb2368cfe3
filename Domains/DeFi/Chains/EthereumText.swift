import Kernel
import WalletCrypto

/// How Ethereum's JSON-RPC writes quantities and data (ethereum.org, "JSON-RPC API", conventions).
enum EthereumText {
    /// `0x1a` for 26, `0x0` for 0.
    static func quantity(_ value: UInt64) -> JSON { .string("0x" + String(value, radix: 16)) }

    /// A number of any size below 2^256.
    static func quantity(_ value: BigUInt) -> JSON {
        let digits = HexText.encode(value.minimalBytes).dropFirst(2).drop { $0 == "0" }
        return .string("0x" + (digits.isEmpty ? "0" : String(digits)))
    }

    /// Two digits a byte.
    static func data(_ bytes: [UInt8]) -> JSON { .string(HexText.encode(bytes)) }

    /// Reads a quantity.
    static func number(_ json: JSON?, _ what: String) throws(NodeError) -> BigUInt {
        guard case .uint(let number)? = json.flatMap({ ABIValue($0, as: .uint(256)) }),
            json?.stringValue?.hasPrefix("0x") == true
        else { throw .malformed(what) }
        return number
    }

    /// Reads a quantity of at most 63 bits.
    static func small(_ json: JSON?, _ what: String) throws(NodeError) -> UInt64 {
        guard let value = try number(json, what).uint64, value <= UInt64(Int64.max) else { throw .malformed(what) }
        return value
    }

    /// Reads data, of `count` bytes where that is given.
    static func bytes(_ json: JSON?, count: Int? = nil, _ what: String) throws(NodeError) -> [UInt8] {
        guard let bytes = json?.stringValue.flatMap(HexText.decode), count.map({ $0 == bytes.count }) ?? true else {
            throw .malformed(what)
        }
        return bytes
    }

    /// Reads an address; nil where the answer has null.
    static func address(_ json: JSON?, _ what: String) throws(NodeError) -> EthereumAddress? {
        if json == .null || json == nil { return nil }
        guard let address = EthereumAddress(bytes: try bytes(json, count: 20, what)) else { throw .malformed(what) }
        return address
    }
}
