public import Cryptography

/// An address of Ethereum and the chains that follow it.
public struct EthereumAddress: Hashable, Sendable, CustomStringConvertible {
    /// Its 20 bytes.
    public let bytes: [UInt8]

    /// An address of 20 bytes; nil for another number of them.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 20 else { return nil }
        self.bytes = bytes
    }

    private init(known bytes: [UInt8]) { self.bytes = bytes }

    /// Reads `0x` and 40 digits, all in lower case, all in upper case, or with the checksum of EIP-55.
    public init?(_ text: String) {
        guard text.utf8.count == 42, let bytes = HexText.decode(text) else { return nil }
        self.bytes = bytes
        let digits = Array(text.utf8.dropFirst(2))
        let hasUpper = digits.contains { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }
        let hasLower = digits.contains { (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
        guard !(hasUpper && hasLower) || text.utf8.elementsEqual(description.utf8) else { return nil }
    }

    /// The address of a key.
    public init(key: Secp256k1PublicKey) { self.init(uncompressed: key.uncompressed) }

    init(uncompressed key: [UInt8]) { bytes = Array(Keccak256.of(Array(key.dropFirst()))[12...]) }

    /// The address of a contract that this one creates with its `nonce` (Yellow Paper, §7).
    public func created(nonce: UInt64) -> EthereumAddress {
        let seed = RLP.list([.bytes(bytes), .number(BigUInt(nonce))]).encoded()
        return EthereumAddress(known: Array(Keccak256.of(seed)[12...]))
    }

    /// With the checksum of EIP-55.
    public var description: String {
        let digits = Array(Hex.encode(bytes).utf8)
        let hash = Keccak256.of(digits)
        let mixed = digits.enumerated().map { place, digit in
            let nibble = hash[place / 2] >> (place % 2 == 0 ? 4 : 0) & 15
            return ASCII.isDigit(digit) || nibble < 8 ? digit : digit - 32
        }
        return "0x" + String(decoding: mixed, as: UTF8.self)
    }
}
