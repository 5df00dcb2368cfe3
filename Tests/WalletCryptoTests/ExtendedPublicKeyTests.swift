import Testing
import WalletCrypto

@Suite struct ExtendedPublicKeyTests {
    // BIP-84's account 0.
    private static let zpub =
        "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1"
        + "ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
    // BIP-32, test vector 1, m.
    private static let xpub =
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29E"
        + "SFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"

    @Test func `a key reads back as its text`() throws {
        #expect(try ExtendedPublicKey(Self.zpub).text == Self.zpub)
        #expect(try ExtendedPublicKey(Self.xpub).text == Self.xpub)
        #expect(try ExtendedPublicKey(Self.xpub).depth == 0)
    }

    @Test func `both branches derive, change is the second, and the window follows use`() throws {
        let account = try WatchOnlyAccount(ExtendedPublicKey(Self.zpub), form: .p2wpkh, network: .mainnet, gapLimit: 5)
        let receiving = try account.addresses(.receiving, 0..<2).map(\.description)
        // From BIP-84.
        #expect(
            receiving == ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"]
        )
        #expect(
            try account.addresses(.change, 0..<1).map(\.description) == ["bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"]
        )
        #expect(account.watched(lastUsed: nil) == 0..<5)
        #expect(account.watched(lastUsed: 7) == 0..<13)
        #expect(try account.addresses(.receiving, account.watched(lastUsed: nil)).count == 5)
    }

    @Test func `a path steps like children`() throws {
        let key = try ExtendedPublicKey(Self.xpub)
        #expect(try key.descendant("1/5") == key.child(1).child(5))
        for path in ["", "/", "1/", "m/1", "01", "-1", "1/2/3/4/5/6/7/8/9/10/11"] {
            #expect(throws: ExtendedPublicKey.Fault.path) { try key.descendant(path) }
        }
        for path in ["0'", "0h", "0/2147483648", "99999999999"] {
            #expect(throws: ExtendedPublicKey.Fault.hardened) { try key.descendant(path) }
        }
        #expect(throws: ExtendedPublicKey.Fault.hardened) { try key.child(1 << 31) }
    }

    @Test func `depth 255 has no children`() throws {
        var key = try ExtendedPublicKey(Self.xpub)
        for _ in 0..<255 { key = try key.child(0) }
        let deepest = key
        #expect(throws: ExtendedPublicKey.Fault.depth) { try deepest.child(0) }
    }

    @Test func `each fault of a key has its name`() throws {
        #expect(throws: ExtendedPublicKey.Fault.malformed) { try ExtendedPublicKey("") }
        #expect(throws: ExtendedPublicKey.Fault.malformed) { try ExtendedPublicKey(Self.xpub + "1") }
        let bytes = try #require(Base58.decodeChecked(Self.xpub))
        func fault(_ change: (inout [UInt8]) -> Void) -> ExtendedPublicKey.Fault? {
            var changed = bytes
            change(&changed)
            do throws(ExtendedPublicKey.Fault) {
                _ = try ExtendedPublicKey(Base58.encodeChecked(changed))
                return nil
            } catch {
                return error
            }
        }
        #expect(fault { _ in } == nil)
        #expect(fault { $0.replaceSubrange(0..<4, with: [4, 0x88, 0xAD, 0xE4]) } == .privateKey)
        #expect(fault { $0[3] = 0 } == .version)
        #expect(fault { $0[5] = 1 } == .rootWithParent)
        #expect(fault { $0[12] = 1 } == .rootWithParent)
        #expect(fault { $0[45] = 4 } == .point)
        #expect(fault { $0.append(0) } == .malformed)
    }

    @Test func `an address of another network or script is refused`() throws {
        let key = try ExtendedPublicKey(Self.zpub)
        #expect(throws: ExtendedPublicKey.Fault.network) { try key.address(.p2wpkh, network: .testnet) }
        #expect(throws: ExtendedPublicKey.Fault.script) { try key.address(.p2tr, network: .mainnet) }
        #expect(throws: ExtendedPublicKey.Fault.script) {
            try WatchOnlyAccount(key, form: .p2pkh, network: .mainnet)
        }
        let any = try ExtendedPublicKey(Self.xpub)
        for form in BitcoinScript.SingleKey.allCases {
            #expect(throws: Never.self) { try any.address(form, network: .mainnet) }
        }
    }
}
