public import Cryptography

/// An address that several keys share: OP_CHECKMULTISIG in P2WSH, the keys in the order of BIP-67 or as given.
public struct BitcoinMultisig: Hashable, Sendable {
    /// Why there is no such address.
    public enum Fault: String, Error, Hashable, Sendable {
        /// No key, or more than `keysMax`.
        case keyCount = "key_count"
        /// Below 1 or above the number of keys.
        case threshold
        /// A key twice: fewer people than it seems could sign.
        case duplicateKey = "duplicate_key"
    }

    /// The most keys that OP_CHECKMULTISIG's short numbers can tell.
    public static let keysMax = 15

    /// The script that the address hashes.
    public let witnessScript: [UInt8]

    /// A multisig of `threshold` of the keys.
    ///
    /// - Throws: what is wrong with number or keys.
    public init(threshold: Int, keys: [Secp256k1PublicKey], sorted: Bool = true) throws(Fault) {
        guard (1...Self.keysMax).contains(keys.count) else { throw .keyCount }
        guard (1...keys.count).contains(threshold) else { throw .threshold }
        guard Set(keys).count == keys.count else { throw .duplicateKey }
        let points = keys.map(\.compressed)
        let ordered = sorted ? points.sorted { $0.lexicographicallyPrecedes($1) } : points
        var script = [0x50 + UInt8(threshold)]
        for point in ordered { script += [33] + point }
        script += [0x50 + UInt8(keys.count), 0xAE]
        witnessScript = script
    }

    /// The P2WSH address.
    public func address(_ network: BitcoinNetwork) -> BitcoinAddress {
        BitcoinAddress(.witness(version: 0, program: SHA256Digest.of(witnessScript)), network: network)
    }
}
