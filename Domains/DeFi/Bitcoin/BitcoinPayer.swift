import WalletCrypto

/// A wallet of one key that pays: what its inputs weigh when they are signed.
struct BitcoinPayer: Hashable, Sendable {
    /// What locks its coins, and its change.
    let script: BitcoinScript
    /// Weight units of an input (BIP-141): 41 bytes at four units with an empty script; a signature has 72 bytes at
    /// most, 65 on Taproot, a key 33.
    let inputWeight: Int
    /// Whether a signer can't know the amount of a coin but from the transaction that made it.
    let needsPrevious: Bool

    /// Nil for coins that more than one key, or another script, locks.
    init?(_ script: BitcoinScript) {
        self.script = script
        switch script {
        case .keyHash: (inputWeight, needsPrevious) = (4 * (41 + 107), true)
        // Proven by one key: P2WPKH inside P2SH.
        case .scriptHash: (inputWeight, needsPrevious) = (4 * (41 + 23) + 108, false)
        case .witness(0, let program) where program.count == 20: (inputWeight, needsPrevious) = (4 * 41 + 108, false)
        case .witness(1, let program) where program.count == 32: (inputWeight, needsPrevious) = (4 * 41 + 67, false)
        case .witness: return nil
        }
    }

    /// The size by which fees are counted of a transaction that isn't signed yet.
    func virtualSize(of transaction: BitcoinTransaction) -> Int64 {
        let outputs = transaction.outputs.reduce(0) { $0 + 4 * (9 + $1.script.count) }
        return Int64((4 * 10 + 2 + outputs + transaction.inputs.count * inputWeight + 3) / 4)
    }

    /// What a transaction costs that pays to these scripts.
    func terms(paying recipients: [BitcoinScript], rate: Int64) -> CoinSelection.Terms {
        // Version, lock time and counts; two units tell of witnesses.
        let outputs = recipients.reduce(0) { $0 + 4 * $1.outputBytes }
        return CoinSelection.Terms(
            rate: rate,
            base: 4 * 10 + 2 + outputs,
            input: inputWeight,
            change: 4 * script.outputBytes,
            dust: script.dust
        )
    }
}

extension BitcoinScript {
    /// An output with this script: its amount, the script's length and the script.
    var outputBytes: Int { 9 + bytes.count }

    /// Satoshi below which nodes refuse an output: three times what it costs to make and to spend it at one satoshi a
    /// byte (Bitcoin Core, GetDustThreshold).
    var dust: Int64 {
        if case .witness = self { return Int64(3 * (outputBytes + 67)) }
        return Int64(3 * (outputBytes + 148))
    }
}
