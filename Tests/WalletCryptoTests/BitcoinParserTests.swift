import Cryptography
import Kernel
import Randomness
import Testing
import WalletCrypto
import WalletSigners

/// Valid inputs of Bitcoin's parsers, changed: each is refused, or read as exactly what it says.
@Suite struct BitcoinParserTests {
    private static let seeds: [UInt64] = [1, 2, 3]
    private static let inputs = 60
    private static let changes = 40

    @Test(arguments: seeds) func `a transaction that was changed is none, or is what it says`(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        var taken = 0
        for _ in 0..<Self.inputs {
            let transaction = random.transaction()
            #expect(BitcoinTransaction(transaction.bytes) == transaction)
            for _ in 0..<Self.changes {
                let changed = random.changed(transaction.bytes)
                guard let read = BitcoinTransaction(changed) else { continue }
                #expect(read.bytes == changed, "seed \(seed)")
                // Without its witnesses it is the same payment.
                #expect(changed == transaction.bytes || read != transaction, "seed \(seed)")
                taken += 1
            }
            for count in transaction.bytes.indices {
                #expect(BitcoinTransaction(Array(transaction.bytes[..<count])) == nil, "seed \(seed)")
            }
        }
        #expect(taken > 0)
    }

    @Test(arguments: seeds) func `a PSBT that was changed is none, or is what it says`(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        var taken = 0
        for _ in 0..<Self.inputs {
            let known = try random.psbt()
            #expect(try PSBT(known.bytes) == known)
            for _ in 0..<Self.changes {
                let changed = random.changed(known.bytes)
                guard let read = try? PSBT(changed) else { continue }
                #expect(read.bytes == changed && (try? PSBT(base64: read.base64)) == read, "seed \(seed)")
                // What is done with what was read doesn't fall over it.
                if let spent = read.spent { _ = read.finalized(spending: spent) }
                _ = read.isSignable
                taken += 1
            }
            let text = random.changed(Array(known.base64.utf8))
            if let string = String(validating: text, as: UTF8.self), let read = try? PSBT(base64: string) {
                #expect(read.base64 == string, "seed \(seed)")
            }
            #expect(throws: PSBT.Fault.self) { try PSBT(Array(known.bytes.dropLast())) }
            #expect(throws: PSBT.Fault.self) { try PSBT(known.bytes + [0]) }
        }
        #expect(taken > 0)
    }

    @Test(arguments: seeds) func `an extended key that was changed is none, or is what it says`(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let texts = Set(try Vectors.all("xpub_address").compactMap { $0["input"]?["xpub"]?.stringValue }).sorted()
        var taken = 0
        for text in texts {
            let known = try ExtendedPublicKey(text)
            let payload = try #require(Base58.decodeChecked(text))
            for _ in 0..<10 * Self.changes {
                // Behind a checksum that holds, so that what is in it is looked at.
                let changed = Base58.encodeChecked(Array(random.changed(payload).prefix(110)))
                if let read = try? ExtendedPublicKey(changed) {
                    #expect(read.text == changed && (changed == text) == (read == known), "seed \(seed)")
                    taken += 1
                }
                // A checksum of four bytes finds what is changed without it.
                let other = random.changed(Array(text.utf8))
                if let string = String(validating: other, as: UTF8.self), string != text {
                    #expect(throws: ExtendedPublicKey.Fault.self) { try ExtendedPublicKey(string) }
                }
            }
        }
        #expect(texts.count >= 6 && taken > 0)
    }
}

extension SeededRandom {
    /// A transaction with inputs and outputs as they come, half of them with witnesses.
    fileprivate mutating func transaction(spending previous: BitcoinTransaction? = nil) -> BitcoinTransaction {
        let inputs = (0...below(3)).map { place in
            BitcoinTransaction.Input(
                previousID: place == 0 ? previous?.id ?? bytes(32) : bytes(32),
                previousIndex: UInt32(place == 0 ? below(previous?.outputs.count ?? 4) : below(4)),
                scriptSig: previous == nil ? bytes(below(80)) : [],
                sequence: UInt32(truncatingIfNeeded: next())
            )
        }
        let outputs = (0...below(3)).map { _ in output() }
        let isSegwit = previous == nil && percent(50)
        let witnesses = isSegwit ? inputs.map { _ in (0...below(2)).map { _ in bytes(below(80)) } } : []
        return BitcoinTransaction(
            version: 2,
            inputs: inputs,
            outputs: outputs,
            lockTime: UInt32(below(1_000)),
            witnesses: witnesses
        )
    }

    private mutating func output() -> BitcoinTransaction.Output {
        let scripts = [
            BitcoinScript.keyHash(bytes(20)).bytes, BitcoinScript.scriptHash(bytes(20)).bytes,
            BitcoinScript.witness(version: 0, program: bytes(20)).bytes,
            BitcoinScript.witness(version: 1, program: bytes(32)).bytes, bytes(below(60)),
        ]
        return BitcoinTransaction.Output(amount: Int64(below(1 << 50)), script: pick(scripts))
    }

    /// What a wallet is given to sign, and what one gives back, with entries of the kinds that are known and others.
    fileprivate mutating func psbt() throws -> PSBT {
        let previous = transaction()
        let spending = transaction(spending: previous)
        let coins = spending.inputs.enumerated().map { place, input in
            place == 0
                ? PSBT.Spent(output: previous.outputs[Int(input.previousIndex)], previous: previous.bytes)
                : PSBT.Spent(output: output())
        }
        let built = try #require(PSBT(signing: spending, spending: coins))
        let key = try Signer(secret: [1] + bytes(31)).key.compressed
        let extra = [
            PSBT.Entry(type: 0x02, keyData: key, value: bytes(71)),
            PSBT.Entry(type: 0x03, keyData: [], value: [1, 0, 0, 0]),
            PSBT.Entry(type: 0x06, keyData: key, value: bytes(4 * (1 + below(6)))),
            PSBT.Entry(type: 0x08, keyData: [], value: [2, 1, 7, 2, 8, 9]),
            PSBT.Entry(type: 0x13, keyData: [], value: bytes(64)),
            PSBT.Entry(type: 0xFC, keyData: bytes(9), value: bytes(5)),
        ]
        let chosen = extra.filter { _ in percent(50) }
        return built.with(inputs: built.inputs.map { $0 + chosen })
    }
}
