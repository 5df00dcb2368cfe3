extension BitcoinTransaction {
    /// The bytes that are sent: with witnesses where there are any (BIP-144).
    public var bytes: [UInt8] { Self.bytes(version, inputs, outputs, lockTime, witnesses: witnesses) }

    /// The bytes without witnesses, of which the id is made.
    public var strippedBytes: [UInt8] { Self.bytes(version, inputs, outputs, lockTime, witnesses: []) }

    /// Four times its bytes without witnesses, plus once those of the witnesses (BIP-141).
    public var weight: Int { 3 * strippedBytes.count + bytes.count }

    /// A quarter of its weight, rounded up: what fees are counted by.
    public var virtualSize: Int { (weight + 3) / 4 }

    /// The id as explorers print it: backwards.
    public var printedID: [UInt8] { id.reversed() }

    /// What is to be signed of it: without scripts and witnesses.
    public var unsigned: BitcoinTransaction {
        let bare = inputs.map {
            Input(previousID: $0.previousID, previousIndex: $0.previousIndex, sequence: $0.sequence)
        }
        return BitcoinTransaction(version: version, inputs: bare, outputs: outputs, lockTime: lockTime)
    }

    static func bytes(
        _ version: UInt32,
        _ inputs: [Input],
        _ outputs: [Output],
        _ lockTime: UInt32,
        witnesses: [[[UInt8]]]
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: version)
        if !witnesses.isEmpty { bytes += [0, 1] }
        bytes.append(compactSize: inputs.count)
        for input in inputs {
            bytes += input.outpoint
            bytes.append(compactBytes: input.scriptSig)
            bytes.append(littleEndian: input.sequence)
        }
        bytes.append(compactSize: outputs.count)
        for output in outputs { bytes += output.bytes }
        for witness in witnesses {
            bytes.append(compactSize: witness.count)
            for element in witness { bytes.append(compactBytes: element) }
        }
        bytes.append(littleEndian: lockTime)
        return bytes
    }
}

extension BitcoinTransaction.Input {
    /// The id and the index that it spends, as they stand on the wire.
    var outpoint: [UInt8] {
        var bytes = previousID
        bytes.append(littleEndian: previousIndex)
        return bytes
    }
}

extension BitcoinTransaction.Output {
    /// As it stands on the wire.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: amount)
        bytes.append(compactBytes: script)
        return bytes
    }
}
