import Cryptography
import Testing

@Suite struct EncodingTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func `base 64 has the vectors of RFC 4648`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        let bare = encoded.replacing("=", with: "")
        #expect(Base64.encodeURLSafe(Array(plain.utf8)) == bare)
        #expect(Base64.decodeURLSafe(bare) == Array(plain.utf8))
    }

    @Test func `the two alphabets differ in two characters and neither is read as the other`() {
        let bytes: [UInt8] = [0xFB, 0xFF, 0xBF]
        #expect(Base64.encode(bytes) == "+/+/")
        #expect(Base64.encodeURLSafe(bytes) == "-_-_")
        #expect(Base64.decode("-_-_") == nil)
        #expect(Base64.decodeURLSafe("+/+/") == nil)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Z===", "====", "=", "Zg==Zg==", "Zm9v\n", " Zm9v", "Zm 9v", "Zh==", "Zm9=", "Zm9vY===", "Zé==",
        "Zm9v\0",
    ])
    func `a base 64 text in any other spelling is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: ["Zg==", "Z", "Zh", "Zm9", "Zm9vY", "Zm 9"])
    func `a base 64 text for URLs in any other spelling is refused`(text: String) {
        #expect(Base64.decodeURLSafe(text) == nil)
    }

    @Test func `bytes of every length come back`() {
        for count in 0..<100 {
            let bytes = RandomBytes.make(count)
            #expect(bytes.count == count)
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURLSafe(Base64.encodeURLSafe(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test func `hex is lower case both ways`() {
        #expect(Hex.encode([0, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
        #expect(Hex.decode("000fa0ff") == [0, 0x0F, 0xA0, 0xFF])
        for text in ["A0", "a", "0g", "0x", " 00", "é0", "0\0"] { #expect(Hex.decode(text) == nil) }
    }
}
