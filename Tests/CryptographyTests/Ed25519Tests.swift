import Cryptography
import Testing

@Suite struct Ed25519Tests {
    // RFC 8032 §7.1, test 2.
    private let key = Hex.decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c") ?? []
    private let signature =
        Hex.decode(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ) ?? []

    @Test func `the signature of RFC 8032 is valid over its message only`() {
        #expect(Ed25519.verify(signature: signature, message: [0x72], publicKey: key))
        #expect(!Ed25519.verify(signature: signature, message: [0x73], publicKey: key))
        #expect(!Ed25519.verify(signature: Array(signature.dropLast()), message: [0x72], publicKey: key))
        #expect(!Ed25519.verify(signature: signature, message: [0x72], publicKey: Array(key.dropLast())))
    }

    @Test func `the same s plus the order of the group is refused`() throws {
        let high = try #require(
            Hex.decode(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10"
            )
        )
        #expect(!Ed25519.verify(signature: high, message: [0x72], publicKey: key))
    }

    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ])
    func `a key of small order is refused`(hex: String) throws {
        let small = try #require(Hex.decode(hex))
        #expect(!Ed25519.isUsable(publicKey: small))
        // R = the neutral element and s = 0 is a signature of such keys over many messages.
        let forged = [1] + [UInt8](repeating: 0, count: 63)
        for message in UInt8(0)..<64 {
            #expect(!Ed25519.verify(signature: forged, message: [message], publicKey: small))
        }
    }

    @Test func `an ordinary key is usable`() {
        #expect(Ed25519.isUsable(publicKey: key))
        #expect(!Ed25519.isUsable(publicKey: []))
    }
}
