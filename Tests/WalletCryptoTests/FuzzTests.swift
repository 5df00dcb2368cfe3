import Cryptography
import Kernel
import Randomness
import Testing
import WalletCrypto
import WalletSigners

/// Broken inputs for every parser: nothing crashes, nothing takes long, and nothing that was changed counts as before.
///
/// The seed is in the test's name when one fails; the same seed makes the same inputs.
@Suite struct FuzzTests {
    private static let rounds = 400

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Everything that reads bytes from outside, on one input.
    private func readAll(_ bytes: [UInt8]) {
        let text = text(bytes)
        for chain in Chain.allCases {
            // What is read has one spelling, which reads as itself.
            if let address = chain.normalizedAddress(text) { #expect(chain.normalizedAddress(address) == address) }
            _ = WalletProof.verify(
                message: text,
                signature: text,
                address: text,
                chain: chain,
                applicationDomain: bytes
            )
        }
        if let account = AccountID(text) { #expect(AccountID(account.description) == account) }
        if let message = try? SignInMessage(parsing: text) { #expect(message.text == text) }
        if let key = try? ExtendedPublicKey(text) { #expect(key.text == text) }
        if let rlp = RLP(decoding: bytes) { #expect(rlp.encoded() == bytes) }
        if let decoded = Base58.decode(text) { #expect(Base58.encode(decoded) == text) }
        if let decoded = HexText.decode(text) { #expect(HexText.encode(decoded) == text.lowercased()) }
        _ = try? TypedMessage(parsing: bytes)
        _ = try? SignedEthereumTransaction(bytes)
        _ = try? PSBT(bytes)
        _ = try? ABI.decode(bytes, as: [.bytes, .string, .fixedBytes(32), .array(.bytes, count: nil)])
        _ = PrivateMaterial.find(in: text)
        _ = VectorOutcome(running: bytes)
    }

    /// Inputs that are read, one of each kind.
    private func seeds(_ random: inout SeededRandom) throws -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for chain in TestWallet.chains {
            let wallet = try TestWallet.make(chain, &random)
            let account = try #require(AccountID(wallet.account))
            let message = try SignInMessage(
                chain: try #require(account.chainID.chain),
                domain: "example.com",
                address: account.address,
                statement: "Link.",
                uri: "https://example.com/link",
                chainReference: account.chainID.reference,
                nonce: "0123456789abcdef",
                issuedAt: Timestamp(seconds: 1_800_000_000),
                expirationTime: Timestamp(seconds: 1_800_000_600)
            )
            seeds += [wallet.account, account.address, message.text, try wallet.sign(message.text)].map {
                Array($0.utf8)
            }
        }
        let nested = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let typed = """
            {"types":{"EIP712Domain":[{"name":"name","type":"string"}],"A":[{"name":"b","type":"A[]"}]},\
            "primaryType":"A","domain":{"name":"x"},"message":{"b":[]}}
            """
        seeds += [nested, typed].map { Array($0.utf8) }
        seeds.append([UInt8](repeating: 0xC1, count: 64))
        seeds.append(Array("psbt".utf8) + [0xFF, 1, 0, 10] + [UInt8](repeating: 0, count: 20))
        seeds.append([2] + RLP.list((0..<12).map { .number(BigUInt(UInt64($0))) }).encoded())
        return seeds
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `no parser falls over broken input`(_ seed: UInt64) throws {
        var random = SeededRandom(seed)
        let seeds = try seeds(&random)
        for round in 0..<Self.rounds {
            let bytes = seeds[round % seeds.count]
            readAll(random.changed(bytes))
            readAll(random.bytes(Int.random(in: 0...200, using: &random)))
        }
    }

    @Test func `what is too long or too deep is refused`() {
        let long = [UInt8](repeating: UInt8(ascii: "1"), count: 2 * Bounds.bytesMax)
        let deep = Array(String(repeating: "[", count: Bounds.bytesMax).utf8)
        let lists = [UInt8](repeating: 0xC1, count: 1_000)
        for bytes in [long, deep, lists] { readAll(bytes) }
        #expect(RLP(decoding: lists) == nil)
    }

    @Test(arguments: TestWallet.chains) func `a signature or message that was changed proves nothing`(
        _ chain: String
    ) throws {
        var random = SeededRandom(11)
        for round in 0..<Self.rounds {
            let wallet = try TestWallet.make(chain, &random)
            let account = try #require(AccountID(wallet.account))
            let kind = try #require(account.chainID.chain)
            let message = "Link wallet \(round)"
            let signature = try wallet.sign(message)
            func proves(_ message: String, _ signature: String, _ address: String) -> Bool {
                WalletProof.verify(message: message, signature: signature, address: address, chain: kind).isValid
            }
            #expect(proves(message, signature, account.address))
            let changed = text(random.mutated(Array(signature.utf8)))
            // The same bytes in another spelling are the same signature.
            if changed != signature, changed.lowercased() != signature.lowercased() || kind != .ethereum {
                #expect(!proves(message, changed, account.address), "\(signature) became \(changed)")
            }
            let other = text(random.mutated(Array(message.utf8)))
            if other != message { #expect(!proves(other, signature, account.address)) }
            let stranger = try #require(AccountID(try TestWallet.make(chain, &random).account))
            #expect(!proves(message, signature, stranger.address))
        }
    }

    @Test(arguments: TestWallet.chains) func `an address with a wrong character isn't read as another`(
        _ chain: String
    ) throws {
        // Those of Solana and Sui have no checksum: a wrong one of the right length is an address, if not this one.
        var random = SeededRandom(13)
        for _ in 0..<Self.rounds {
            let account = try #require(AccountID(try TestWallet.make(chain, &random).account))
            let kind = try #require(account.chainID.chain)
            let changed = text(random.mutated(Array(account.address.utf8)))
            guard changed != account.address, let read = kind.normalizedAddress(changed) else { continue }
            if kind == .bitcoin || kind == .ethereum {
                // All in one case is without a checksum, as EIP-55 and BIP-173 have it.
                #expect(read.lowercased() == account.address.lowercased(), "\(account.address) became \(changed)")
            } else {
                #expect(read != account.address || changed.lowercased() == account.address)
            }
        }
    }

    @Test func `a raw transaction that was changed is refused, or is another's or another one`() throws {
        let vectors = try Vectors.all("eth_tx_decode")
        var random = SeededRandom(17)
        for vector in vectors {
            guard let raw = vector["input"]?["raw"]?.stringValue, let bytes = HexText.decode(raw),
                let known = try? SignedEthereumTransaction(bytes)
            else { continue }
            for _ in 0..<50 {
                let changed = random.mutated(bytes)
                guard changed != bytes, let read = try? SignedEthereumTransaction(changed) else { continue }
                #expect(read.sender != known.sender || read.hash != known.hash)
            }
        }
    }
}
