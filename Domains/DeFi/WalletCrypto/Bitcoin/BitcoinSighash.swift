import Cryptography

/// What the keys of a transaction's inputs sign: all of it, and nothing less (SIGHASH_ALL, SIGHASH_DEFAULT).
///
/// Many inputs share most of what is hashed, so that each costs the same however many there are (BIP-143); the old form
/// hashes all of it for each input.
public struct BitcoinSighash: Sendable {
    private let transaction: BitcoinTransaction
    private let spent: [BitcoinTransaction.Output]
    private let outpoints: [UInt8]
    private let sequences: [UInt8]
    private let outputs: [UInt8]

    /// The digests of a transaction that spends these outputs; the caller guarantees one for each input.
    public init(_ transaction: BitcoinTransaction, spending spent: [BitcoinTransaction.Output]) {
        precondition(spent.count == transaction.inputs.count, "an output for each input")
        (self.transaction, self.spent) = (transaction, spent)
        outpoints = SHA256Digest.of(transaction.inputs.flatMap(\.outpoint))
        sequences = SHA256Digest.of(
            transaction.inputs.reduce(into: [UInt8]()) { $0.append(littleEndian: $1.sequence) }
        )
        outputs = SHA256Digest.of(transaction.outputs.flatMap(\.bytes))
    }

    /// P2PKH: the transaction with the spent script in the input's place.
    public func legacy(_ place: Int) -> [UInt8] {
        let inputs = transaction.inputs.enumerated().map { index, input in
            BitcoinTransaction.Input(
                previousID: input.previousID,
                previousIndex: input.previousIndex,
                scriptSig: index == place ? spent[place].script : [],
                sequence: input.sequence
            )
        }
        let (version, lockTime) = (transaction.version, transaction.lockTime)
        var bytes = BitcoinTransaction.bytes(version, inputs, transaction.outputs, lockTime, witnesses: [])
        bytes.append(littleEndian: UInt32(1))
        return SHA256Digest.of(SHA256Digest.of(bytes))
    }

    /// P2WPKH, inside P2SH or not, of the key with this hash (BIP-143).
    public func segwit(_ place: Int, keyHash: [UInt8]) -> [UInt8] {
        let input = transaction.inputs[place]
        var bytes: [UInt8] = []
        bytes.append(littleEndian: transaction.version)
        bytes += SHA256Digest.of(outpoints) + SHA256Digest.of(sequences) + input.outpoint
        bytes.append(compactBytes: BitcoinScript.keyHash(keyHash).bytes)
        bytes.append(littleEndian: spent[place].amount)
        bytes.append(littleEndian: input.sequence)
        bytes += SHA256Digest.of(outputs)
        bytes.append(littleEndian: transaction.lockTime)
        bytes.append(littleEndian: UInt32(1))
        return SHA256Digest.of(SHA256Digest.of(bytes))
    }

    /// P2TR by its key, without annex (BIP-341); `hashType` is 0 or 1.
    public func taproot(_ place: Int, hashType: UInt8) -> [UInt8] {
        var bytes: [UInt8] = [0, hashType]
        bytes.append(littleEndian: transaction.version)
        bytes.append(littleEndian: transaction.lockTime)
        bytes += outpoints
        bytes += SHA256Digest.of(spent.reduce(into: [UInt8]()) { $0.append(littleEndian: $1.amount) })
        bytes += SHA256Digest.of(spent.reduce(into: [UInt8]()) { $0.append(compactBytes: $1.script) })
        bytes += sequences + outputs + [0]
        bytes.append(littleEndian: UInt32(place))
        return Secp256k1Schnorr.taggedHash("TapSighash", bytes)
    }
}
