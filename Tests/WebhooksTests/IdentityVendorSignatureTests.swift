import Kernel
import Testing
import Webhooks

@Suite struct IdentityVendorSignatureTests {
    private static let secrets = ["wbhsec_feb7d942d7042214959be82112896c8a", "wbhsec_09f4ade60cf541c52412ded13076bca9"]
    private static let sumsub = "yA3kW9dVfLz0tQ1mR6pX"

    private static func persona(_ headers: [(String, String)], body: [UInt8] = Signed.body) throws -> SignatureVerdict {
        let request = SignedRequest(method: "POST", headers: headers, body: body)
        let keys = try KeyRing(.persona, texts: [secrets[0]])
        return PersonaSignature().verify(request, keys: keys, now: Signed.now)
    }

    private static func sumsub(_ headers: [(String, String)]) throws -> SignatureVerdict {
        let request = SignedRequest(method: "POST", headers: headers, body: Signed.body)
        return SumsubSignature().verify(request, keys: try KeyRing(.sumsub, texts: [sumsub]), now: Signed.now)
    }

    private static func signed(_ secrets: [String], at offset: Int64 = 0) -> (String, String) {
        WebhookSigner.persona(body: Signed.body, secrets: secrets, at: Signed.now.adding(seconds: offset))
    }

    @Test(arguments: Signed.windows)
    func `Persona's time counts within five minutes`(offset: Int64, verdict: SignatureVerdict) throws {
        #expect(try Self.persona([Self.signed([Self.secrets[0]], at: offset)]) == verdict)
    }

    @Test func `during a rotation either of Persona's pairs is good, wherever it stands`() throws {
        #expect(try Self.persona([Self.signed(Self.secrets)]) == .ok)
        #expect(try Self.persona([Self.signed(Self.secrets.reversed())]) == .ok)
        #expect(try Self.persona([Self.signed([Self.secrets[1]])]) == .signatureMismatch)
    }

    @Test func `what Persona hasn't signed is refused by its reason`() throws {
        let header = Self.signed([Self.secrets[0]])
        #expect(try Self.persona([]) == .missingHeader)
        #expect(try Self.persona([header, header]) == .duplicateHeader)
        #expect(try Self.persona([header], body: Signed.body + [32]) == .signatureMismatch)
        for text in ["", "t=1", "v1=00", "t=1,t=2,v1=00", "t=x,v1=00"] {
            let verdict = try Self.persona([("persona-signature", text)])
            #expect(verdict == (text == "t=1" ? .noV1Signature : .malformedHeader))
        }
    }

    @Test func `Sumsub signs by SHA-256 or SHA-512, not by SHA-1`() throws {
        let headers = WebhookSigner.sumsub(body: Signed.body, secret: Self.sumsub).map { ($0.name, $0.value) }
        #expect(try Self.sumsub(headers) == .ok)
        #expect(try Self.sumsub([headers[0], ("x-payload-digest-alg", "HMAC_SHA1_HEX")]) == .noV1Signature)
        #expect(try Self.sumsub([headers[0], ("x-payload-digest-alg", "HMAC_SHA512_HEX")]) == .signatureMismatch)
        #expect(try Self.sumsub([headers[0]]) == .missingHeader)
        #expect(try Self.sumsub([("x-payload-digest", "zz"), headers[1]]) == .malformedSignature)
        let other = WebhookSigner.sumsub(body: Signed.body, secret: "another").map { ($0.name, $0.value) }
        #expect(try Self.sumsub(other) == .signatureMismatch)
    }

    @Test(arguments: [(WebhookProvider.persona, "whsec_abc"), (.persona, "wbhsec_"), (.sumsub, "sk_live_abc")])
    func `a secret of another kind makes no ring`(provider: WebhookProvider, text: String) {
        #expect(throws: KeyRingError.wrongKind(position: 0)) { try KeyRing(provider, texts: [text]) }
    }
}
