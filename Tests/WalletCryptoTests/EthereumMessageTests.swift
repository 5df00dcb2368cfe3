import Cryptography
import Kernel
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@Suite struct EthereumMessageTests {
    private func verify(_ message: String, _ signature: [UInt8], _ address: EthereumAddress) -> ProofVerdict {
        PersonalMessage.verify(
            message: message,
            signature: HexText.encode(signature),
            address: address.description
        )
    }

    @Test func `a personal message proves its signer, with v from 0 or 27 and in the short form`() throws {
        var random = SeededRandom(31)
        for _ in 0..<30 {
            let signer = try Signer(&random)
            let address = EthereumAddress(key: signer.key)
            let message = random.text()
            let signature = try signer.ethereum(PersonalMessage.digest(of: Array(message.utf8)))
            #expect(verify(message, signature, address) == .valid)
            #expect(verify(message, signature.dropLast() + [signature[64] - 27], address) == .valid)
            var short = Array(signature[..<64])
            if signature[64] == 28 { short[32] |= 0x80 }
            #expect(verify(message, short, address) == .valid)
            #expect(verify(message + " ", signature, address) == .invalid(.mismatch))
            #expect(verify(message, signature, EthereumAddress(key: try Signer(&random).key)) == .invalid(.mismatch))
            let high = try Signer.withHighS(Array(signature[..<64])) + [signature[64] == 27 ? 28 : 27]
            #expect(verify(message, high, address) == .invalid(.highS))
        }
    }

    @Test func `each malformed signature is refused as such`() throws {
        var random = SeededRandom(32)
        let signer = try Signer(&random)
        let address = EthereumAddress(key: signer.key)
        let good = try signer.ethereum(PersonalMessage.digest(of: Array("a".utf8)))
        for bad in [
            [], Array(good[..<63]), good + [0], good.dropLast() + [29], good.dropLast() + [35], good.dropLast() + [2],
        ] {
            #expect(verify("a", bad, address) == .invalid(.malformedSignature))
        }
        let text = HexText.encode(good)
        for bad in [String(text.dropFirst(2)), "0X" + text.dropFirst(2), text + "0", text + "\n", " " + text] {
            let verdict = PersonalMessage.verify(message: "a", signature: bad, address: address.description)
            #expect(verdict == .invalid(.malformedSignature))
        }
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(verify("a", zeros + good[32...], address) == .invalid(.mismatch))
        #expect(verify("a", good[..<32] + zeros + [27], address) == .invalid(.mismatch))
        #expect(PersonalMessage.verify(message: "a", signature: text, address: "0x") == .invalid(.malformedAddress))
        let long = String(repeating: "a", count: Bounds.bytesMax + 1)
        let verdict = PersonalMessage.verify(message: long, signature: text, address: address.description)
        #expect(verdict == .invalid(.malformedMessage))
    }

    @Test func `a contract is asked with the call of ERC-1271 and answers with its magic value`() throws {
        let digest = [UInt8](repeating: 7, count: 32)
        let call = try #require(ContractSignature.callData(digest: digest, signature: [1, 2, 3]))
        let function = try #require(ContractFunction("isValidSignature(bytes32,bytes)"))
        #expect(try function.arguments(call) == [.bytes(digest), .bytes([1, 2, 3])])
        #expect(ContractSignature.callData(digest: [1], signature: []) == nil)
        let long = [UInt8](repeating: 0, count: ContractSignature.signatureBytesMax + 1)
        #expect(ContractSignature.callData(digest: digest, signature: long) == nil)
        let magic: [UInt8] = [0x16, 0x26, 0xBA, 0x7E]
        #expect(ContractSignature.isAffirmative(magic + [UInt8](repeating: 0, count: 28)))
        for answer in [[], magic, magic + [UInt8](repeating: 0, count: 27) + [1], [UInt8](repeating: 0, count: 32)] {
            #expect(!ContractSignature.isAffirmative(answer))
        }
    }
}
