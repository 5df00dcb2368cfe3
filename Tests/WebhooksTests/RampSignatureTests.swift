import Kernel
import Testing
import Webhooks

@Suite struct RampSignatureTests {
    private let pem = """
        -----BEGIN PUBLIC KEY-----
        MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEx6YG8LLV8h62wb4UCWhyGBViCks1Lt5IKx1Aq5mrxUSz
        g47qo/8ozkC8+7gBSrcTfG2P6kv3asztmXdhgKj+lQ==
        -----END PUBLIC KEY-----

        """
    // Over {"purchase":{"v":12345678901234567000},"type":"CREATED"}.
    private let signature =
        "MEYCIQCKN784WPzzaexYQV5j2wyGZRGdldEPbLmuzwLn6BUX4AIhAPmH+ulz11os2YmNU8DiDv3wzfMNU2K9esY4vl0AUIlG"
    private let body = #"{"type":"CREATED","purchase":{"v":12345678901234567890}}"#

    private func verdict(_ body: String, _ signature: String, headers: Int = 1) throws -> SignatureVerdict {
        let request = SignedRequest(
            method: "POST",
            headers: Array(repeating: ("x-body-signature", signature), count: headers),
            body: Array(body.utf8)
        )
        return RampSignature().verify(request, keys: try KeyRing(.ramp, texts: [pem]), now: Signed.now)
    }

    @Test func `the canonical form is signed, so order, space and digits beyond a double do not matter`() throws {
        #expect(try verdict(body, signature) == .ok)
        #expect(try verdict(#" {"purchase": {"v": 12345678901234567000.0 }, "type": "CREATED"}"#, signature) == .ok)
        #expect(
            try verdict(#"{"type":"CREATED","purchase":{"v":12345678901234570000}}"#, signature) == .signatureMismatch
        )
    }

    @Test func `the header has to be there once and be small`() throws {
        #expect(try verdict(body, signature, headers: 0) == .missingHeader)
        #expect(try verdict(body, signature, headers: 2) == .duplicateHeader)
        #expect(try verdict(body, String(repeating: "A", count: 8196)) == .headerTooLarge)
    }

    @Test(arguments: ["", "!", "AAAA", "MEYCIQ", "MAA="])
    func `a signature that is not DER in base 64 is malformed`(signature: String) throws {
        #expect(try verdict(body, signature) == .malformedSignature)
    }

    @Test(arguments: ["", "{", "{}x", "\u{FEFF}{}", #"{"a":"\ud800"}"#, #"{"a":01}"#])
    func `a body that is not JSON has no canonical form`(body: String) throws {
        #expect(try verdict(body, signature) == .invalidPayload)
    }

    @Test func `nesting beyond 64 levels is refused and 64 are read`() throws {
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try verdict(nested(65), signature) == .invalidPayload)
        #expect(try verdict(nested(64), signature) == .signatureMismatch)
    }

    @Test func `a name given twice is refused before the signature is looked at`() throws {
        #expect(try verdict(#"{"a":1,"a":1}"#, signature) == .duplicateKeys)
    }

    @Test func `the second key of the ring is tried`() throws {
        // The generator of the curve as a key.
        let other = """
            -----BEGIN PUBLIC KEY-----
            MDYwEAYHKoZIzj0CAQYFK4EEAAoDIgACeb5mfvncu6xVoGKVzocLBwKb/NstzijZWfKBWxb4F5g=
            -----END PUBLIC KEY-----
            """
        let request = SignedRequest(
            method: "POST",
            headers: [("X-Body-Signature", signature)],
            body: Array(body.utf8)
        )
        let ring = try KeyRing(.ramp, texts: [other, pem])
        #expect(RampSignature().verify(request, keys: ring, now: Signed.now) == .ok)
        let wrong = try KeyRing(.ramp, texts: [other])
        #expect(RampSignature().verify(request, keys: wrong, now: Signed.now) == .signatureMismatch)
    }
}
