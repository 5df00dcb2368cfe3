public import Cryptography

/// What an output asks for, as far as addresses tell.
public enum BitcoinScript: Hashable, Sendable {
    /// The hash of a key: P2PKH.
    case keyHash([UInt8])
    /// The hash of a script: P2SH.
    case scriptHash([UInt8])
    /// A witness program (BIP-141): its version 0...16 and 2 to 40 bytes.
    case witness(version: UInt8, program: [UInt8])

    /// The forms whose address one key gives.
    public enum SingleKey: String, Hashable, Sendable, CaseIterable {
        /// BIP-44.
        case p2pkh
        /// BIP-49: a P2WPKH inside P2SH.
        case nestedP2WPKH = "p2sh-p2wpkh"
        /// BIP-84.
        case p2wpkh
        /// BIP-86: a key path without scripts.
        case p2tr
    }

    /// The script of one key; nil for a Taproot key that can't be tweaked, which nobody can produce.
    public init?(_ form: SingleKey, key: Secp256k1PublicKey) {
        switch form {
        case .p2pkh: self = .keyHash(Hash160.of(key.compressed))
        case .p2wpkh: self = .witness(version: 0, program: Hash160.of(key.compressed))
        case .nestedP2WPKH:
            self = .scriptHash(Hash160.of(BitcoinScript.witness(version: 0, program: Hash160.of(key.compressed)).bytes))
        case .p2tr:
            guard let output = Secp256k1Schnorr.outputKey(internalKey: key.xOnly) else { return nil }
            self = .witness(version: 1, program: output)
        }
    }

    /// Reads an output's script; nil for one that has no address.
    public init?(bytes: [UInt8]) {
        if bytes.count == 25, bytes.starts(with: [0x76, 0xA9, 0x14]), bytes[23...].elementsEqual([0x88, 0xAC]) {
            self = .keyHash(Array(bytes[3..<23]))
        } else if bytes.count == 23, bytes.starts(with: [0xA9, 0x14]), bytes[22] == 0x87 {
            self = .scriptHash(Array(bytes[2..<22]))
        } else if (4...42).contains(bytes.count), bytes[0] == 0 || (0x51...0x60).contains(bytes[0]),
            Int(bytes[1]) == bytes.count - 2
        {
            self = .witness(version: bytes[0] == 0 ? 0 : bytes[0] - 0x50, program: Array(bytes[2...]))
        } else {
            return nil
        }
    }

    /// The output's script.
    public var bytes: [UInt8] {
        switch self {
        case .keyHash(let hash): [0x76, 0xA9, 0x14] + hash + [0x88, 0xAC]
        case .scriptHash(let hash): [0xA9, 0x14] + hash + [0x87]
        case .witness(let version, let program):
            [version == 0 ? 0 : version + 0x50, UInt8(program.count)] + program
        }
    }

    /// The usual name: `p2pkh`, `p2sh`, `p2wpkh`, `p2wsh`, `p2tr`, `witness_unknown`.
    public var name: String {
        switch self {
        case .keyHash: "p2pkh"
        case .scriptHash: "p2sh"
        case .witness(0, let program): program.count == 20 ? "p2wpkh" : "p2wsh"
        case .witness(1, let program) where program.count == 32: "p2tr"
        case .witness: "witness_unknown"
        }
    }
}

/// RIPEMD-160 of SHA-256.
enum Hash160 {
    static func of(_ bytes: [UInt8]) -> [UInt8] { RIPEMD160.of(SHA256Digest.of(bytes)) }
}
