import Kernel
import Testing
import Webhooks

@Suite struct StripeSignatureTests {
    @Test func `a signed request is fine under a header name in any case`() throws {
        let value = Signed.stripe().1
        for name in ["Stripe-Signature", "stripe-signature", "STRIPE-SIGNATURE"] {
            #expect(try Signed.stripeVerdict([("Host", "x"), (name, value)]) == .ok)
        }
    }

    @Test(arguments: Signed.windows)
    func `the signed time may be 300 seconds off either way`(window: (offset: Int64, verdict: SignatureVerdict)) throws
    {
        #expect(
            try Signed.stripeVerdict([Signed.stripe(at: Signed.now.adding(seconds: window.offset))]) == window.verdict
        )
    }

    @Test func `the tolerance is the caller's`() throws {
        let keys = try KeyRing(.stripe, texts: [Signed.stripeSecret])
        let header = Signed.stripe(at: Signed.now.adding(seconds: -6))
        let request = SignedRequest(method: "POST", headers: [header], body: Signed.body)
        #expect(StripeSignature().verify(request, keys: keys, now: Signed.now, toleranceSeconds: 5) == .timestampTooOld)
        #expect(StripeSignature().verify(request, keys: keys, now: Signed.now, toleranceSeconds: 6) == .ok)
    }

    @Test func `a header given twice is refused, even when both are the same`() throws {
        #expect(try Signed.stripeVerdict([Signed.stripe(), Signed.stripe()]) == .duplicateHeader)
        let lower = ("stripe-signature", Signed.stripe().1)
        #expect(try Signed.stripeVerdict([Signed.stripe(), lower]) == .duplicateHeader)
    }

    @Test func `32 elements are looked at and 33 are not`() throws {
        let good = Signed.stripe().1
        let fillers = repeatElement(",v0=00", count: 30).joined()
        #expect(try Signed.stripeVerdict(good + fillers) == .ok)
        #expect(try Signed.stripeVerdict(good + fillers + ",v0=00") == .headerTooLarge)
    }

    @Test func `8192 bytes are looked at and 8193 are not`() throws {
        let good = Signed.stripe().1 + ",v0="
        let filler = String(repeating: "a", count: 8192 - good.utf8.count)
        #expect(try Signed.stripeVerdict(good + filler) == .ok)
        #expect(try Signed.stripeVerdict(good + filler + "a") == .headerTooLarge)
    }

    @Test(arguments: [
        "", "t", "t=", "t=+1795200000", "t=-1795200000", "t= 1795200000", "t=1795200000 ", "t=01795200000", "t=0",
        "t=1795200000.0", "t=1e9", "t=１７９５２００００", "t=1795200000000", "v1=00",
    ])
    func `a time that is not plain digits makes the header malformed`(start: String) throws {
        let code = Signed.stripe().1.split(separator: ",")[1]
        #expect(try Signed.stripeVerdict("\(start),\(code)") == .malformedHeader)
    }

    @Test func `two times make the header malformed`() throws {
        #expect(try Signed.stripeVerdict(Signed.stripe().1 + ",t=1795200000") == .malformedHeader)
    }

    @Test(arguments: ["t=1795200000", "t=1795200000,v0=aa", "t=1795200000,v11=aa", "t=1795200000, v1=aa"])
    func `without a v1 element there is no accepted signature`(header: String) throws {
        #expect(try Signed.stripeVerdict(header) == .noV1Signature)
    }

    @Test func `each key of the ring is tried and a foreign one does not fit`() throws {
        let keys = try KeyRing(.stripe, texts: [Signed.otherStripeSecret, Signed.stripeSecret])
        let verify = { (secret: String) in
            let request = SignedRequest(method: "POST", headers: [Signed.stripe(secret: secret)], body: Signed.body)
            return StripeSignature().verify(request, keys: keys, now: Signed.now)
        }
        #expect(verify(Signed.stripeSecret) == .ok)
        #expect(verify(Signed.otherStripeSecret) == .ok)
        #expect(verify("whsec_another") == .signatureMismatch)
    }

    @Test func `a flipped bit anywhere in the body is noticed`() throws {
        let keys = try KeyRing(.stripe, texts: [Signed.stripeSecret])
        for position in Signed.body.indices {
            var body = Signed.body
            body[position] ^= 1
            let request = SignedRequest(method: "POST", headers: [Signed.stripe()], body: body)
            #expect(StripeSignature().verify(request, keys: keys, now: Signed.now) == .signatureMismatch)
        }
    }

    @Test func `an old signature that does not fit is a mismatch first`() throws {
        let old = Signed.stripe(at: Signed.now.adding(seconds: -9999), secret: "whsec_another")
        #expect(try Signed.stripeVerdict([old]) == .signatureMismatch)
    }
}
