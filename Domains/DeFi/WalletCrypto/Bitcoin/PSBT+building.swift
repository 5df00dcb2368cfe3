import Cryptography

extension PSBT {
    /// A coin that is spent.
    public struct Spent: Hashable, Sendable {
        /// What is spent.
        public let output: BitcoinTransaction.Output
        /// The whole transaction that made it, which signers want where its amount isn't signed (P2PKH).
        public let previous: [UInt8]?

        /// A coin.
        public init(output: BitcoinTransaction.Output, previous: [UInt8]? = nil) {
            (self.output, self.previous) = (output, previous)
        }
    }

    /// What a wallet is given to sign a transaction that spends these coins; the caller guarantees one for each input.
    ///
    /// Nil above 64 KiB, which nothing here would read back.
    public init?(signing transaction: BitcoinTransaction, spending coins: [Spent]) {
        precondition(coins.count == transaction.inputs.count, "a coin for each input")
        self.transaction = transaction.unsigned
        global = [Entry(type: 0x00, keyData: [], value: transaction.unsigned.bytes)]
        inputs = coins.map { coin in
            coin.previous.map { [Entry(type: 0x00, keyData: [], value: $0)] }
                ?? [Entry(type: 0x01, keyData: [], value: coin.output.bytes)]
        }
        outputs = transaction.outputs.map { _ in [] }
        guard bytes.count <= Bounds.bytesMax else { return nil }
    }

    /// The same with other entries of its inputs, as a signer adds to them; the caller guarantees a map for each.
    public func with(inputs maps: [[Entry]]) -> PSBT {
        precondition(maps.count == inputs.count, "a map for each input")
        var changed = self
        changed.inputs = maps
        return changed
    }

    /// The binary form.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [0x70, 0x73, 0x62, 0x74, 0xFF]
        for map in [global] + inputs + outputs {
            for entry in map {
                bytes.append(compactBytes: [entry.type] + entry.keyData)
                bytes.append(compactBytes: entry.value)
            }
            bytes.append(0)
        }
        return bytes
    }

    /// The text form.
    public var base64: String { Base64.encode(bytes) }

    /// The outputs that are spent, in the order of the inputs; nil where one isn't told.
    public var spent: [BitcoinTransaction.Output]? {
        var found: [BitcoinTransaction.Output] = []
        for (input, entries) in zip(transaction.inputs, inputs) {
            guard let output = Self.spentOutput(input, entries) else { return nil }
            found.append(output)
        }
        return found
    }

    /// The transaction with what its signers wrote; nil while something is missing.
    ///
    /// The caller guarantees an output for each input, each a coin of one key. Whether signatures hold isn't looked at.
    public func finalized(spending spent: [BitcoinTransaction.Output]) -> BitcoinTransaction? {
        var signed: [BitcoinTransaction.Input] = []
        var witnesses: [[[UInt8]]] = []
        for (place, input) in transaction.inputs.enumerated() {
            guard let (script, witness) = Self.unlocking(inputs[place], spent[place].script) else { return nil }
            signed.append(
                BitcoinTransaction.Input(
                    previousID: input.previousID,
                    previousIndex: input.previousIndex,
                    scriptSig: script,
                    sequence: input.sequence
                )
            )
            witnesses.append(witness)
        }
        return BitcoinTransaction(
            version: transaction.version,
            inputs: signed,
            outputs: transaction.outputs,
            lockTime: transaction.lockTime,
            witnesses: witnesses
        )
    }

    private static func unlocking(_ entries: [Entry], _ script: [UInt8]) -> (script: [UInt8], witness: [[UInt8]])? {
        let finalScript = entries.first { $0.type == 0x07 }?.value
        let finalWitness = entries.first { $0.type == 0x08 }?.value
        if finalScript != nil || finalWitness != nil {
            guard let witness = finalWitness.map(stack) ?? [] else { return nil }
            return (finalScript ?? [], witness)
        }
        if case .witness(1, _)? = BitcoinScript(bytes: script) {
            return entries.first { $0.type == 0x13 }.map { ([], [$0.value]) }
        }
        for entry in entries where entry.type == 0x02 && entry.keyData.count == 33 {
            let (key, hash) = (entry.keyData, Hash160.of(entry.keyData))
            let program = BitcoinScript.witness(version: 0, program: hash).bytes
            switch BitcoinScript(bytes: script) {
            case .keyHash(hash): return (BitcoinSpending.pushing([entry.value, key]), [])
            case .witness(0, hash): return ([], [entry.value, key])
            case .scriptHash(Hash160.of(program)):
                return (BitcoinSpending.pushing([program]), [entry.value, key])
            default: continue
            }
        }
        return nil
    }

    private static func stack(_ bytes: [UInt8]) -> [[UInt8]]? {
        var reader = ByteReader(bytes)
        // One key's coin takes two elements at most.
        guard let count = reader.compactSize(), count <= 2 else { return nil }
        var stack: [[UInt8]] = []
        for _ in 0..<count {
            guard let element = reader.compactBytes() else { return nil }
            stack.append(element)
        }
        return reader.isAtEnd ? stack : nil
    }
}
