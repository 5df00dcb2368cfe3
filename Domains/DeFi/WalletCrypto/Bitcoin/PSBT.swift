import Cryptography

/// A partially signed Bitcoin transaction of version 0 (BIP-174, with the fields of BIP-371).
public struct PSBT: Hashable, Sendable {
    /// Why a text is no such transaction.
    public enum Fault: String, Error, Hashable, Sendable {
        /// Not Base 64, or above `Bounds.bytesMax` bytes.
        case encoding
        /// Other first bytes.
        case magic
        /// It stops inside a map, or goes on after the last one.
        case framing
        /// A key twice in one map.
        case duplicateKey = "duplicate_key"
        /// A key that its type doesn't allow.
        case key
        /// A value that its type doesn't allow.
        case value
        /// No unsigned transaction, or one with signatures or witnesses.
        case transaction
        /// A version other than 0.
        case version
    }

    /// One entry of a map.
    public struct Entry: Hashable, Sendable {
        /// What kind; types that aren't known are kept.
        public let type: UInt8
        /// What the key has behind its type.
        public let keyData: [UInt8]
        /// The value.
        public let value: [UInt8]

        /// An entry.
        public init(type: UInt8, keyData: [UInt8], value: [UInt8]) {
            (self.type, self.keyData, self.value) = (type, keyData, value)
        }
    }

    /// What is to be signed.
    public let transaction: BitcoinTransaction
    /// The entries about all of it.
    public let global: [Entry]
    /// The entries of each input, in the order of the inputs.
    public internal(set) var inputs: [[Entry]]
    /// The entries of each output, in the order of the outputs.
    public let outputs: [[Entry]]

    /// Reads Base 64.
    ///
    /// - Throws: the first thing that is wrong with it.
    public init(base64 text: String) throws(Fault) {
        guard text.utf8.count <= Bounds.textBytesMax, let bytes = Base64.decode(text), bytes.count <= Bounds.bytesMax
        else { throw .encoding }
        try self.init(bytes)
    }

    /// Reads the binary form.
    ///
    /// - Throws: the first thing that is wrong with it.
    public init(_ bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= Bounds.bytesMax else { throw .encoding }
        var reader = ByteReader(bytes)
        guard reader.take(5) == [0x70, 0x73, 0x62, 0x74, 0xFF] else { throw .magic }
        let global = try Self.map(&reader)
        if let version = global.first(where: { $0.type == 0xFB }), version.value != [0, 0, 0, 0] { throw .version }
        let unsigned = global.first { $0.type == 0 && $0.keyData.isEmpty }
        guard let unsigned, let transaction = BitcoinTransaction(unsigned.value, allowsWitness: false),
            transaction.inputs.allSatisfy({ $0.scriptSig.isEmpty })
        else { throw .transaction }
        try PSBTRules.checkGlobal(global)
        var inputs: [[Entry]] = []
        for input in transaction.inputs {
            let entries = try Self.map(&reader)
            try PSBTRules.checkInput(entries, spends: input)
            inputs.append(entries)
        }
        var outputs: [[Entry]] = []
        for _ in transaction.outputs {
            let entries = try Self.map(&reader)
            try PSBTRules.checkOutput(entries)
            outputs.append(entries)
        }
        guard reader.isAtEnd else { throw .framing }
        (self.transaction, self.global, self.inputs, self.outputs) = (transaction, global, inputs, outputs)
    }

    /// Whether the scripts of every input lead from the coin that is spent to the script that is signed (BIP-174,
    /// "Signer"): one that doesn't would have a signer pay for something else.
    public var isSignable: Bool {
        zip(transaction.inputs, inputs).allSatisfy { input, entries in
            guard let spent = Self.spentOutput(input, entries)?.script else { return false }
            let redeem = entries.first { $0.type == 0x04 }?.value
            let witness = entries.first { $0.type == 0x05 }?.value
            if let redeem, BitcoinScript.scriptHash(Hash160.of(redeem)).bytes != spent { return false }
            guard let witness else { return true }
            return BitcoinScript.witness(version: 0, program: SHA256Digest.of(witness)).bytes == redeem ?? spent
        }
    }

    static func spentOutput(_ input: BitcoinTransaction.Input, _ entries: [Entry]) -> BitcoinTransaction.Output? {
        if let whole = entries.first(where: { $0.type == 0x00 }) {
            // That the id fits has been checked when it was read.
            guard let transaction = BitcoinTransaction(whole.value, allowsWitness: true),
                input.previousIndex < UInt32(transaction.outputs.count)
            else { return nil }
            return transaction.outputs[Int(input.previousIndex)]
        }
        return entries.first { $0.type == 0x01 }.flatMap { BitcoinTransaction.output($0.value) }
    }

    private static func map(_ reader: inout ByteReader) throws(Fault) -> [Entry] {
        var entries: [Entry] = []
        var keys: Set<[UInt8]> = []
        while true {
            guard let length = reader.compactSize() else { throw .framing }
            if length == 0 { return entries }
            guard let key = reader.take(length), let value = reader.compactBytes() else { throw .framing }
            guard keys.insert(key).inserted else { throw .duplicateKey }
            entries.append(Entry(type: key[0], keyData: Array(key[1...]), value: value))
        }
    }
}
