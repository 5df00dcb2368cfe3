import Cryptography
import Randomness
import Testing
@testable import WalletCrypto
import WalletSigners

@Suite struct BitcoinMessageTests {
    private func bip137(_ signer: Signer, _ message: String, header: UInt8) throws -> [UInt8] {
        let (compact, isOdd) = try signer.recoverable(BIP137.digest(of: message))
        return [header + (isOdd ? 1 : 0)] + compact
    }

    private func verify(_ message: String, _ signature: [UInt8], _ address: BitcoinAddress) -> ProofVerdict {
        BitcoinMessage.verify(message: message, signature: Base64.encode(signature), address: address.description)
    }

    @Test func `BIP-137 proves the kind of address that its header names and no other`() throws {
        var random = SeededRandom(21)
        let headers: [(UInt8, BitcoinScript.SingleKey)] = [(31, .p2pkh), (35, .nestedP2WPKH), (39, .p2wpkh)]
        for _ in 0..<20 {
            let signer = try Signer(&random)
            let message = random.text()
            for (header, form) in headers {
                let signature = try bip137(signer, message, header: header)
                for other in BitcoinScript.SingleKey.allCases {
                    let address = try #require(BitcoinAddress(other, key: signer.key, network: .mainnet))
                    let expected: ProofVerdict = other == form ? .valid : .invalid(.mismatch)
                    #expect(verify(message, signature, address) == expected)
                }
            }
        }
    }

    @Test func `BIP-137 with 27 to 30 proves the hash of the long key`() throws {
        var random = SeededRandom(22)
        let signer = try Signer(&random)
        let signature = try bip137(signer, "a", header: 27)
        let long = BitcoinAddress(.keyHash(RIPEMD160.of(SHA256Digest.of(signer.key.uncompressed))), network: .mainnet)
        let short = try #require(BitcoinAddress(.p2pkh, key: signer.key, network: .mainnet))
        #expect(verify("a", signature, long) == .valid)
        #expect(verify("a", signature, short) == .invalid(.mismatch))
    }

    @Test func `a high s is refused by its name though it recovers the right key`() throws {
        var random = SeededRandom(23)
        let signer = try Signer(&random)
        let (compact, isOdd) = try signer.recoverable(BIP137.digest(of: "a"))
        let address = try #require(BitcoinAddress(.p2wpkh, key: signer.key, network: .mainnet))
        let high: [UInt8] = try [isOdd ? 39 : 40] + Signer.withHighS(compact)
        #expect(verify("a", high, address) == .invalid(.highS))
    }

    /// The stack of a P2WPKH or P2TR proof over the hashes that the published vectors have checked.
    private func bip322(_ signer: Signer, _ message: String, _ address: BitcoinAddress) throws -> [[UInt8]] {
        let spent = Array(BIP322.hashes(message: message, script: address.script).toSpend.reversed())
        switch address.script {
        case .witness(0, let program):
            return [try signer.der(BIP322.segwitDigest(program: program, spent: spent)) + [1], signer.key.compressed]
        case .witness(_, let program):
            return [try signer.taproot(BIP322.taprootDigest(key: program, spent: spent, hashType: 0))]
        default: return []
        }
    }

    private func encoded(_ stack: [[UInt8]]) -> [UInt8] {
        [UInt8(stack.count)] + stack.flatMap { [UInt8($0.count)] + $0 }
    }

    @Test(arguments: [BitcoinScript.SingleKey.p2wpkh, .p2tr])
    func `BIP-322 simple proves an address of one key, with its prefix or without`(form: BitcoinScript.SingleKey) throws
    {
        var random = SeededRandom(24)
        for _ in 0..<20 {
            let signer = try Signer(&random)
            let message = random.text()
            let address = try #require(BitcoinAddress(form, key: signer.key, network: .regtest))
            let witness = encoded(try bip322(signer, message, address))
            let text = Base64.encode(witness)
            for signature in [text, "smp" + text] {
                let verdict = BitcoinMessage.verify(
                    message: message,
                    signature: signature,
                    address: address.description
                )
                #expect(verdict == .valid)
            }
            for prefix in ["ful", "pof"] {
                let signature = prefix + text
                let verdict = BitcoinMessage.verify(
                    message: message,
                    signature: signature,
                    address: address.description
                )
                #expect(verdict == .unsupported)
            }
            #expect(verify(message + "x", witness, address) == .invalid(.mismatch))
            #expect(verify(message, witness + [0], address) == .invalid(.malformedSignature))
            #expect(verify(message, Array(witness.dropLast()), address) == .invalid(.malformedSignature))
        }
    }

    @Test func `other scripts, stacks and hash types are unsupported and never valid`() throws {
        var random = SeededRandom(25)
        let signer = try Signer(&random)
        let segwit = try #require(BitcoinAddress(.p2wpkh, key: signer.key, network: .mainnet))
        let taproot = try #require(BitcoinAddress(.p2tr, key: signer.key, network: .mainnet))
        let stack = try bip322(signer, "a", segwit)
        let schnorr = try bip322(signer, "a", taproot)
        for form in [BitcoinScript.SingleKey.p2pkh, .nestedP2WPKH] {
            let address = try #require(BitcoinAddress(form, key: signer.key, network: .mainnet))
            #expect(verify("a", encoded(stack), address) == .unsupported)
        }
        #expect(verify("a", encoded(stack + [[1]]), segwit) == .unsupported)
        #expect(verify("a", encoded([stack[0].dropLast() + [3], stack[1]]), segwit) == .unsupported)
        #expect(verify("a", encoded(schnorr + [[0x50]]), taproot) == .unsupported)
        #expect(verify("a", encoded([schnorr[0] + [2]]), taproot) == .unsupported)
        #expect(verify("a", encoded([schnorr[0] + [0]]), taproot) == .invalid(.malformedSignature))
        #expect(verify("a", encoded([schnorr[0] + [1]]), taproot) == .invalid(.mismatch))
        let other = try Signer(&random)
        #expect(verify("a", encoded([stack[0], other.key.compressed]), segwit) == .invalid(.otherKey))
    }

    @Test func `text that is no signature is malformed`() throws {
        let address = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
        for text in ["", "!", "smp", "AA", "smp====", "AAAA AAAA", String(repeating: "A", count: 70_000)] {
            #expect(!BitcoinMessage.verify(message: "a", signature: text, address: address).isValid)
        }
        #expect(BitcoinMessage.verify(message: "a", signature: "", address: "x") == .invalid(.malformedAddress))
        let long = String(repeating: "a", count: Bounds.bytesMax + 1)
        #expect(BitcoinMessage.verify(message: long, signature: "", address: address) == .invalid(.malformedMessage))
    }
}
