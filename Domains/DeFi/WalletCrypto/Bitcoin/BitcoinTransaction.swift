import Cryptography

/// A Bitcoin transaction as far as it is looked at here.
public struct BitcoinTransaction: Hashable, Sendable {
    /// What an input spends.
    public struct Input: Hashable, Sendable {
        /// The id of the transaction spent from, in the order of its bytes on the wire.
        public let previousID: [UInt8]
        /// Which of its outputs.
        public let previousIndex: UInt32
        /// What unlocks it.
        public let scriptSig: [UInt8]
        /// The sequence number.
        public let sequence: UInt32
    }

    /// What an output pays.
    public struct Output: Hashable, Sendable {
        /// Satoshi, at most 21 million bitcoin.
        public let amount: Int64
        /// What locks it.
        public let script: [UInt8]
    }

    /// The most satoshi there will be.
    public static let satoshiMax: Int64 = 2_100_000_000_000_000

    /// 1 or 2 in practice.
    public let version: UInt32
    /// Its inputs, at least one.
    public let inputs: [Input]
    /// Its outputs.
    public let outputs: [Output]
    /// The earliest block or time.
    public let lockTime: UInt32
    /// The id, in the order of its bytes on the wire; explorers print it backwards.
    public let id: [UInt8]

    /// Reads a transaction to its last byte, its witnesses included where they may be; nil for anything else.
    ///
    /// Shortest lengths only, at most `Bounds.bytesMax` bytes.
    init?(_ bytes: [UInt8], allowsWitness: Bool) {
        guard bytes.count <= Bounds.bytesMax else { return nil }
        var reader = ByteReader(bytes)
        guard let version = reader.littleEndian32() else { return nil }
        let isSegwit = bytes.count > 6 && bytes[4] == 0 && bytes[5] == 1
        guard !isSegwit || allowsWitness else { return nil }
        if isSegwit { _ = reader.take(2) }
        guard let inputs = Self.list(&reader, Self.input), !inputs.isEmpty,
            let outputs = Self.list(&reader, Self.output)
        else { return nil }
        let bodyEnd = reader.position
        if isSegwit {
            var hasWitness = false
            for _ in inputs {
                guard let stack = Self.list(&reader, { $0.compactBytes() }) else { return nil }
                hasWitness = hasWitness || !stack.isEmpty
            }
            // Without any witness the old form is the canonical one (BIP-144).
            guard hasWitness else { return nil }
        }
        guard let lockTime = reader.littleEndian32(), reader.isAtEnd else { return nil }
        (self.version, self.inputs, self.outputs, self.lockTime) = (version, inputs, outputs, lockTime)
        let body = Array(bytes[(isSegwit ? 6 : 4)..<bodyEnd])
        id = SHA256Digest.of(SHA256Digest.of(Array(bytes[..<4]) + body + bytes.suffix(4)))
    }

    /// Reads an output to its last byte.
    static func output(_ bytes: [UInt8]) -> Output? {
        var reader = ByteReader(bytes)
        guard let output = output(&reader), reader.isAtEnd else { return nil }
        return output
    }

    private static func list<Element>(
        _ reader: inout ByteReader,
        _ element: (inout ByteReader) -> Element?
    ) -> [Element]? {
        // Every element takes a byte at least, so what is left bounds the count.
        guard let count = reader.compactSize(), count <= reader.remaining else { return nil }
        var elements: [Element] = []
        for _ in 0..<count {
            guard let next = element(&reader) else { return nil }
            elements.append(next)
        }
        return elements
    }

    private static func input(_ reader: inout ByteReader) -> Input? {
        guard let id = reader.take(32), let index = reader.littleEndian32(), let script = reader.compactBytes(),
            let sequence = reader.littleEndian32()
        else { return nil }
        return Input(previousID: id, previousIndex: index, scriptSig: script, sequence: sequence)
    }

    private static func output(_ reader: inout ByteReader) -> Output? {
        guard let amount = reader.littleEndian64(), amount <= UInt64(satoshiMax), let script = reader.compactBytes()
        else { return nil }
        return Output(amount: Int64(amount), script: script)
    }
}
