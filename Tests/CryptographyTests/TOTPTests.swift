import Cryptography
import Kernel
import Testing

@Suite struct TOTPTests {
    private let secret = Array("12345678901234567890".utf8)
    private let now = Timestamp(seconds: 1_111_111_111)

    // RFC 6238, appendix B.
    @Test(
        arguments: [
            (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
        ] as [(Int64, String)]
    )
    func `codes have the values of RFC 6238`(seconds: Int64, code: String) {
        let long = TOTP(secret: secret, digits: 8)
        let instant = Timestamp(seconds: seconds)
        #expect(long.code(step: long.step(at: instant)) == code)
        let short = TOTP(secret: secret)
        #expect(short.code(step: short.step(at: instant)) == String(code.suffix(6)))
    }

    @Test func `a code tells its step within the window and not beyond`() {
        let totp = TOTP(secret: secret)
        let present = totp.step(at: now)
        for offset in Int64(-3)...3 {
            let match = totp.matchingStep(of: totp.code(step: present + offset), at: now, driftSteps: 1)
            #expect(match == (abs(offset) <= 1 ? present + offset : nil))
        }
        #expect(totp.matchingStep(of: totp.code(step: present - 1), at: now, driftSteps: 0) == nil)
    }

    @Test func `a code is accepted once`() throws {
        let totp = TOTP(secret: secret)
        let code = totp.code(step: totp.step(at: now))
        let used = try #require(totp.matchingStep(of: code, at: now))
        #expect(totp.matchingStep(of: code, at: now, after: used) == nil)
        #expect(totp.matchingStep(of: totp.code(step: used - 1), at: now, after: used) == nil)
        #expect(totp.matchingStep(of: totp.code(step: used + 1), at: now, after: used) == used + 1)
    }

    @Test(arguments: ["", "05047", "0504711", " 050471", "+50471", "٠٥٠٤٧١", "abcdef"])
    func `another text is no code`(text: String) {
        #expect(TOTP(secret: secret).matchingStep(of: text, at: now, driftSteps: 10) == nil)
    }

    @Test func `steps before 1970 go towards the past`() {
        #expect(TOTP(secret: secret).step(at: Timestamp(seconds: -1)) == -1)
        #expect(TOTP(secret: secret).step(at: Timestamp(seconds: -30)) == -1)
        #expect(TOTP(secret: secret).step(at: Timestamp(seconds: -31)) == -2)
    }

    @Test func `an authenticator app gets the secret in base 32 and the names encoded`() {
        let uri = TOTP(secret: secret).provisioningURI(issuer: "Acme & Co", account: "ann@example.com")
        #expect(
            uri == "otpauth://totp/Acme%20%26%20Co:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=Acme%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        )
        #expect(TOTP.makeSecret().count == 20)
        // 16 bytes leave bits over in base 32.
        let short = TOTP(secret: Array("1234567890123456".utf8)).provisioningURI(issuer: "a", account: "b")
        #expect(short.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY&"))
    }

    @Test func `a secret is read back as it is shown, and nothing else`() throws {
        for length in 16...24 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ 11) }
            let read = try #require(TOTP(secretText: TOTP(secret: bytes).secretText))
            #expect(read.code(step: 1) == TOTP(secret: bytes).code(step: 1))
        }
        let wrong = [
            "", "AAAA", "gezdgnbvgy3tqojqgezdgnbvgy", "GEZDGNBVGY3TQOJQGEZDGNBV1", "GEZDGNBVGY3TQOJQGEZDGNBVGB",
        ]
        for text in wrong {
            #expect(TOTP(secretText: text) == nil, "\(text)")
        }
    }
}
