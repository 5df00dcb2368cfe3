import Cryptography

/// What the known types of entries allow as key and value (BIP-174, BIP-371).
enum PSBTRules {
    private enum Key { case none, publicKey, bytes(Int), any }

    private static let global: [UInt8: Key] = [0x00: .none, 0x01: .bytes(78), 0xFB: .none]
    private static let input: [UInt8: Key] = [
        0x00: .none, 0x01: .none, 0x02: .publicKey, 0x03: .none, 0x04: .none, 0x05: .none, 0x06: .publicKey,
        0x07: .none, 0x08: .none, 0x09: .none, 0x0A: .bytes(20), 0x0B: .bytes(32), 0x0C: .bytes(20), 0x0D: .bytes(32),
        0x13: .none, 0x14: .bytes(64), 0x15: .any, 0x16: .bytes(32), 0x17: .none, 0x18: .none,
    ]
    private static let output: [UInt8: Key] = [
        0x00: .none, 0x01: .none, 0x02: .publicKey, 0x05: .none, 0x06: .none, 0x07: .bytes(32),
    ]

    static func checkGlobal(_ entries: [PSBT.Entry]) throws(PSBT.Fault) {
        for entry in entries {
            try checkKey(entry, global[entry.type])
            // An extended key's path has as many steps as its depth, after the fingerprint.
            if entry.type == 0x01, entry.value.count != 4 * (1 + Int(entry.keyData[4])) { throw .value }
        }
    }

    static func checkInput(_ entries: [PSBT.Entry], spends input: BitcoinTransaction.Input) throws(PSBT.Fault) {
        for entry in entries {
            try checkKey(entry, Self.input[entry.type])
            let fits =
                switch entry.type {
                case 0x00: BitcoinTransaction(entry.value, allowsWitness: true)?.id == input.previousID
                case 0x01: BitcoinTransaction.output(entry.value) != nil
                case 0x03: entry.value.count == 4
                case 0x06: isPath(entry.value)
                case 0x13, 0x14: entry.value.count == 64 || entry.value.count == 65
                case 0x17, 0x18: entry.value.count == 32
                default: true
                }
            guard fits else { throw .value }
        }
    }

    static func checkOutput(_ entries: [PSBT.Entry]) throws(PSBT.Fault) {
        for entry in entries {
            try checkKey(entry, output[entry.type])
            if entry.type == 0x02, !isPath(entry.value) { throw .value }
            if entry.type == 0x05, entry.value.count != 32 { throw .value }
        }
    }

    private static func isPath(_ value: [UInt8]) -> Bool { !value.isEmpty && value.count % 4 == 0 }

    private static func checkKey(_ entry: PSBT.Entry, _ rule: Key?) throws(PSBT.Fault) {
        let fits =
            switch rule {
            case .none?: entry.keyData.isEmpty
            case .publicKey?: (try? Secp256k1PublicKey(sec1: entry.keyData)) != nil
            case .bytes(let count)?: entry.keyData.count == count
            case .any?, nil: true
            }
        guard fits else { throw .key }
    }
}
