import Crypto
import Cryptography
import Randomness
import Testing
import WalletCrypto
import WalletSigners

@Suite struct AddressTests {
    @Test func `a derived Bitcoin address validates on its network, reads back, and on no other`() throws {
        var random = SeededRandom(11)
        for _ in 0..<50 {
            let key = try Signer(&random).key
            for form in BitcoinScript.SingleKey.allCases {
                for network in BitcoinNetwork.allCases {
                    let address = try #require(BitcoinAddress(form, key: key, network: network))
                    #expect(BitcoinAddress(address.description, network: network) == address)
                    #expect(BitcoinScript(bytes: address.script.bytes) == address.script)
                    let isBase58 = form == .p2pkh || form == .nestedP2WPKH
                    for other in BitcoinNetwork.allCases where other != network {
                        // Testnet and regtest share the versions of Base 58.
                        let isShared = isBase58 && network != .mainnet && other != .mainnet
                        #expect((BitcoinAddress(address.description, network: other) != nil) == isShared)
                    }
                    #expect(Chain.bitcoin.normalizedAddress(address.description) == address.description)
                    let upper = address.description.uppercased()
                    if !isBase58 { #expect(Chain.bitcoin.normalizedAddress(upper) == address.description) }
                }
            }
        }
    }

    @Test func `one wrong character makes an address another chain's or nobody's`() throws {
        var random = SeededRandom(12)
        let alphabet = Array("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl".utf8)
        for _ in 0..<300 {
            let key = try Signer(&random).key
            let form = try #require(BitcoinScript.SingleKey.allCases.randomElement(using: &random))
            var text = Array(try #require(BitcoinAddress(form, key: key, network: .mainnet)).description.utf8)
            let place = Int.random(in: 0..<text.count, using: &random)
            let other = try #require(alphabet.filter { $0 != text[place] }.randomElement(using: &random))
            text[place] = other
            #expect(BitcoinAddress(String(decoding: text, as: UTF8.self), network: .mainnet) == nil)
        }
    }

    @Test func `a Taproot address whose key is no point is refused`() {
        let noPoint = BitcoinScript.witness(version: 1, program: [UInt8](repeating: 0, count: 31) + [7])
        #expect(!Secp256k1Schnorr.isKey([UInt8](repeating: 0, count: 31) + [7]))
        #expect(BitcoinAddress(BitcoinAddress(noPoint, network: .mainnet).description, network: .mainnet) == nil)
    }

    @Test func `outputs without an address have none`() {
        for script: [UInt8] in [
            [], [0x6A], [0x51], [0, 2, 1], [0x61, 2, 1, 1], [0, 2] + [UInt8](repeating: 1, count: 41),
        ] {
            #expect(BitcoinScript(bytes: script) == nil)
        }
    }

    @Test func `a derived Ethereum address validates in its three spellings and in no mixed one`() throws {
        var random = SeededRandom(13)
        for _ in 0..<50 {
            let address = EthereumAddress(key: try Signer(&random).key)
            let text = address.description
            let lower = text.lowercased()
            let upper = "0x" + text.dropFirst(2).uppercased()
            #expect([text, lower, upper].allSatisfy { EthereumAddress($0) == address })
            guard text != lower, text != upper else { continue }
            var mixed = Array(text.utf8)
            let letters = mixed.indices.filter { $0 > 1 && mixed[$0] > 57 }
            let place = try #require(letters.randomElement(using: &random))
            mixed[place] ^= 0x20
            let swapped = String(decoding: mixed, as: UTF8.self)
            // With a single letter, the swapped one is all lower or all upper case again.
            guard swapped != lower, swapped != upper else { continue }
            #expect(EthereumAddress(swapped) == nil)
        }
    }

    @Test func `derived Solana addresses are off the curve and can't be linked`() throws {
        var random = SeededRandom(14)
        for _ in 0..<20 {
            let program = try #require(SolanaAddress(bytes: random.bytes(32)))
            let (address, bump) = try #require(SolanaAddress.derived(seeds: [random.bytes(8)], program: program))
            #expect(!address.isOnCurve && !address.isLinkable && bump > 200)
            #expect(SolanaAddress(address.description) == address)
            let key = try #require(
                SolanaAddress(bytes: Array(Curve25519.Signing.PrivateKey().publicKey.rawRepresentation))
            )
            #expect(key.isOnCurve && key.isLinkable)
        }
        let program = SolanaAddress.tokenProgram
        #expect(SolanaAddress.derived(seeds: [random.bytes(33)], program: program) == nil)
        #expect(SolanaAddress.derived(seeds: [[UInt8]](repeating: [1], count: 16), program: program) == nil)
    }

    @Test func `the system program's address has order four and can't be linked`() throws {
        let address = try #require(SolanaAddress("11111111111111111111111111111111"))
        #expect(address.bytes == [UInt8](repeating: 0, count: 32))
        #expect(address.isOnCurve && !address.isLinkable)
    }

    @Test(arguments: ["0x1", "0x2", "1", "0X" + String(repeating: "a", count: 64), String(repeating: "a", count: 64)])
    func `a Sui address has 64 digits`(text: String) {
        #expect(SuiAddress(text) == nil)
        #expect(Chain.sui.normalizedAddress(text) == nil)
    }

    @Test func `an account has one name whatever its address's spelling`() throws {
        let chain = try #require(ChainID("eip155:1"))
        let upper = AccountID(normalizing: "0x8617E340B3D01FA5F11F306F4090FD50E238070D", on: chain)
        let lower = AccountID(normalizing: "0x8617e340b3d01fa5f11f306f4090fd50e238070d", on: chain)
        #expect(upper == lower && upper != nil)
        #expect(AccountID(normalizing: "0x8617", on: chain) == nil)
        #expect(AccountID(normalizing: "x", on: try #require(ChainID("cosmos:hub"))) == nil)
        #expect(Chain.allCases.allSatisfy { ChainID(namespace: $0.namespace, reference: "1")?.chain == $0 })
    }

    @Test(arguments: [
        "", ":", "ab:1", "eip155:", "eip155:1:", "eip155:a b", "abcdefghi:1", "eip155:1\n", "eip155:\u{212A}",
    ])
    func `chains and accounts in another form are refused`(text: String) {
        #expect(ChainID(text) == nil)
        #expect(AccountID(text) == nil)
    }

    @Test func `a multisig of Bitcoin names what is wrong with it`() throws {
        var random = SeededRandom(15)
        let keys = try (0..<16).map { _ in try Signer(&random).key }
        #expect(throws: BitcoinMultisig.Fault.keyCount) { try BitcoinMultisig(threshold: 1, keys: []) }
        #expect(throws: BitcoinMultisig.Fault.keyCount) { try BitcoinMultisig(threshold: 1, keys: keys) }
        #expect(throws: BitcoinMultisig.Fault.threshold) { try BitcoinMultisig(threshold: 3, keys: Array(keys[..<2])) }
        #expect(throws: BitcoinMultisig.Fault.duplicateKey) {
            try BitcoinMultisig(threshold: 1, keys: [keys[0], keys[0]])
        }
        let pair = Array(keys[..<2])
        let sorted = try BitcoinMultisig(threshold: 2, keys: pair)
        #expect(try BitcoinMultisig(threshold: 2, keys: pair.reversed()) == sorted)
        #expect(sorted.address(.mainnet).script.name == "p2wsh")
    }
}
