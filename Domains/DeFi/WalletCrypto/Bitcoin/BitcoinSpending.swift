import Cryptography

/// Whether a transaction's inputs are unlocked, for coins of one key.
///
/// P2PKH, P2WPKH inside P2SH or not, P2TR by its key; every signature must be over all of the transaction.
public enum BitcoinSpending {
    /// Why an input isn't unlocked, or not so that it counts here.
    public enum Fault: Error, Hashable, Sendable {
        /// Nothing unlocks it.
        case unsigned
        /// It is unlocked by another key.
        case otherKey
        /// A signature that doesn't hold, or something written as it mustn't be.
        case signature
        /// A signature that leaves parts of the transaction open.
        case partial
        /// A coin of another kind.
        case script
    }

    /// Checks all inputs of a transaction that spends these outputs; the caller guarantees one for each input.
    ///
    /// - Throws: the first fault.
    public static func verify(
        _ transaction: BitcoinTransaction,
        spending spent: [BitcoinTransaction.Output]
    ) throws(Fault) {
        let hashes = BitcoinSighash(transaction, spending: spent)
        for place in transaction.inputs.indices {
            let script = transaction.inputs[place].scriptSig
            let witness = transaction.witnesses.isEmpty ? [] : transaction.witnesses[place]
            guard !script.isEmpty || !witness.isEmpty else { throw .unsigned }
            switch BitcoinScript(bytes: spent[place].script) {
            case .keyHash(let hash):
                guard witness.isEmpty, let pushed = pushes(script), pushed.count == 2 else { throw .signature }
                guard Hash160.of(pushed[1]) == hash else { throw .otherKey }
                try check(pushed[0], key: pushed[1], digest: hashes.legacy(place))
            case .witness(0, let program) where program.count == 20:
                guard script.isEmpty else { throw .signature }
                try checkKeyHash(witness, program, hashes, place)
            case .scriptHash(let hash):
                guard let redeem = pushes(script), redeem.count == 1,
                    case .witness(0, let program)? = BitcoinScript(bytes: redeem[0]), program.count == 20
                else { throw .signature }
                guard Hash160.of(redeem[0]) == hash else { throw .otherKey }
                try checkKeyHash(witness, program, hashes, place)
            case .witness(1, let key) where key.count == 32:
                guard script.isEmpty, witness.count == 1 else { throw .signature }
                try checkTaproot(witness[0], key, hashes, place)
            default: throw .script
            }
        }
    }

    private static func checkKeyHash(
        _ witness: [[UInt8]],
        _ program: [UInt8],
        _ hashes: BitcoinSighash,
        _ place: Int
    ) throws(Fault) {
        guard witness.count == 2, witness[1].count == 33 else { throw .signature }
        guard Hash160.of(witness[1]) == program else { throw .otherKey }
        try check(witness[0], key: witness[1], digest: hashes.segwit(place, keyHash: program))
    }

    private static func checkTaproot(
        _ signature: [UInt8],
        _ key: [UInt8],
        _ hashes: BitcoinSighash,
        _ place: Int
    ) throws(Fault) {
        let type: UInt8
        switch signature.count {
        case 64: type = 0
        case 65 where signature[64] == 1: type = 1
        // 0 is written by leaving it out (BIP-341).
        case 65 where signature[64] != 0: throw .partial
        default: throw .signature
        }
        let digest = hashes.taproot(place, hashType: type)
        guard Secp256k1Schnorr.verify(signature: Array(signature[..<64]), message: digest, publicKey: key) else {
            throw .signature
        }
    }

    private static func check(_ signature: [UInt8], key: [UInt8], digest: [UInt8]) throws(Fault) {
        guard let type = signature.last, let point = try? Secp256k1PublicKey(sec1: key) else { throw .signature }
        guard type == 1 else { throw .partial }
        let outcome = Secp256k1ECDSA.verify(derSignature: signature.dropLast(), digest: digest, publicKey: point)
        guard outcome == .valid else { throw .signature }
    }

    /// The pushes that a script consists of, each written in the one way for up to 75 bytes; nil for anything else.
    static func pushes(_ script: [UInt8]) -> [[UInt8]]? {
        var reader = ByteReader(script)
        var pushed: [[UInt8]] = []
        while !reader.isAtEnd {
            guard let count = reader.byte(), (1...75).contains(count), let bytes = reader.take(Int(count)) else {
                return nil
            }
            pushed.append(bytes)
        }
        return pushed
    }

    /// A script of one push; the caller guarantees 1 to 75 bytes each.
    static func pushing(_ elements: [[UInt8]]) -> [UInt8] { elements.flatMap { [UInt8($0.count)] + $0 } }
}
