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

        /// An input by what it spends; the caller guarantees 32 bytes of an id.
        public init(previousID: [UInt8], previousIndex: UInt32, scriptSig: [UInt8] = [], sequence: UInt32) {
            precondition(previousID.count == 32, "an id of 32 bytes")
            (self.previousID, self.previousIndex) = (previousID, previousIndex)
            (self.scriptSig, self.sequence) = (scriptSig, sequence)
        }
    }

    /// What an output pays.
    public struct Output: Hashable, Sendable {
        /// Satoshi, at most 21 million bitcoin.
        public let amount: Int64
        /// What locks it.
        public let script: [UInt8]

        /// An output; the caller guarantees 0 to `satoshiMax`.
        public init(amount: Int64, script: [UInt8]) {
            precondition((0...satoshiMax).contains(amount), "an amount of satoshi")
            (self.amount, self.script) = (amount, script)
        }
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
    /// What unlocks the inputs beside their scripts, for each input in their order; none in the old form.
    public let witnesses: [[[UInt8]]]
    /// The id, in the order of its bytes on the wire; explorers print it backwards.
    public let id: [UInt8]

    /// A transaction of its parts; the caller guarantees an input at least, and a witness for each or none at all.
    public init(
        version: UInt32 = 2,
        inputs: [Input],
        outputs: [Output],
        lockTime: UInt32 = 0,
        witnesses: [[[UInt8]]] = []
    ) {
        precondition(!inputs.isEmpty && (witnesses.isEmpty || witnesses.count == inputs.count), "inputs, witnesses")
        (self.version, self.inputs, self.outputs, self.lockTime) = (version, inputs, outputs, lockTime)
        self.witnesses = witnesses.contains { !$0.isEmpty } ? witnesses : []
        id = SHA256Digest.of(SHA256Digest.of(Self.bytes(version, inputs, outputs, lockTime, witnesses: [])))
    }

    /// Reads a transaction to its last byte, its witnesses included where they may be; nil for anything else.
    ///
    /// Shortest lengths only, at most 64 KiB.
    public init?(_ bytes: [UInt8], allowsWitness: Bool = true) {
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
        var witnesses: [[[UInt8]]] = []
        if isSegwit {
            for _ in inputs {
                guard let stack = Self.list(&reader, { $0.compactBytes() }) else { return nil }
                witnesses.append(stack)
            }
            // Without any witness the old form is the canonical one (BIP-144).
            guard witnesses.contains(where: { !$0.isEmpty }) else { return nil }
        }
        guard let lockTime = reader.littleEndian32(), reader.isAtEnd else { return nil }
        (self.version, self.inputs, self.outputs, self.lockTime) = (version, inputs, outputs, lockTime)
        self.witnesses = witnesses
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
