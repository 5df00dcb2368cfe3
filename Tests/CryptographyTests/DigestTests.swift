import Cryptography
import Testing

@Suite struct DigestTests {
    @Test func `SHA-256 has the values of FIPS 180`() {
        #expect(
            Hex.encode(SHA256Digest.of(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            Hex.encode(SHA256Digest.of([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        )
    }

    // RFC 4231, cases 2 and 6.
    @Test func `HMAC has the values of RFC 4231, in one part or several`() {
        let whole = HMACSHA256.code(over: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(Hex.encode(whole) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let parts = HMACSHA256.code(
            over: Array("what do ya ".utf8),
            [],
            Array("want for nothing?".utf8),
            key: Array("Jefe".utf8)
        )
        #expect(parts == whole)
        let text = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(
            Hex.encode(HMACSHA256.code(over: text, key: [UInt8](repeating: 0xAA, count: 131)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
    }

    @Test func `comparison sees each single difference and the length`() {
        let bytes = RandomBytes.make(32)
        #expect(ConstantTime.equal(bytes, bytes))
        #expect(ConstantTime.equal([], []))
        for position in bytes.indices {
            var other = bytes
            other[position] ^= 1
            #expect(!ConstantTime.equal(bytes, other))
        }
        #expect(!ConstantTime.equal(bytes, Array(bytes.dropLast())))
        #expect(!ConstantTime.equal(bytes, bytes + [0]))
    }

    @Test func `random bytes are not the same twice`() {
        #expect(RandomBytes.make(32) != RandomBytes.make(32))
        #expect(Set(RandomBytes.make(10_000)).count == 256)
    }
}
