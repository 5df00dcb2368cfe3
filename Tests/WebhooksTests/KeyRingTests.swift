import Kernel
import Testing
import Webhooks

@Suite struct KeyRingTests {
    @Test(arguments: [
        (WebhookProvider.stripe, "sk_live_abc"), (.stripe, "pk_live_abc"), (.stripe, "rk_live_abc"),
        (.stripe, "whsec_"),
        (.stripe, "secret"), (.stripe, "whsec_a\n"), (.moonPay, "sk_live_abc"), (.moonPay, "pk_live_abc"),
        (.moonPay, "whsec_abc"), (.moonPay, "wk_live_abc "), (.ramp, "whsec_abc"),
        (.ramp, "-----BEGIN PUBLIC KEY-----"),
        (.standardWebhooks, "sk_live_abc"), (.standardWebhooks, "whsec_AAAA"), (.standardWebhooks, "whsec_!"),
        (.standardWebhooks, "whsk_JRPdnTtTceqvPYkDd+yaEVIpWtbRA1g0V8T4ZhaxerU="),
        (.standardWebhooks, "whpk_AAAA"),
        (.standardWebhooks, "whpk_AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ])
    func `a key of the wrong kind makes no ring`(provider: WebhookProvider, text: String) {
        #expect(throws: KeyRingError.wrongKind(position: 0)) { try KeyRing(provider, texts: [text]) }
    }

    @Test(arguments: WebhookProvider.allCases)
    func `an empty key or none at all makes no ring`(provider: WebhookProvider) {
        #expect(throws: KeyRingError.emptyKey(position: 0)) { try KeyRing(provider, texts: [""]) }
        #expect(throws: KeyRingError.noKeys) { try KeyRing(provider, texts: []) }
    }

    @Test func `the position of the faulty key is told`() {
        #expect(throws: KeyRingError.emptyKey(position: 1)) {
            try KeyRing(.stripe, texts: [Signed.stripeSecret, ""])
        }
    }

    @Test func `a ring has at most eight keys`() throws {
        let texts = (0..<9).map { "whsec_\($0)" }
        #expect(throws: KeyRingError.tooManyKeys) { try KeyRing(.stripe, texts: texts) }
        _ = try KeyRing(.stripe, texts: Array(texts.prefix(8)))
    }

    @Test func `a key counts from its start until just before its end`() throws {
        let start = Signed.now.adding(seconds: -10)
        let end = Signed.now.adding(seconds: 10)
        let ring = try KeyRing(
            .stripe,
            [
                KeyRing.Key(Signed.stripeSecret, notBefore: start, notAfter: end),
                KeyRing.Key(Signed.otherStripeSecret, notBefore: end),
            ]
        )
        let verdict = { (secret: String, instant: Timestamp) in
            let header = Signed.stripe(at: instant, secret: secret)
            let request = SignedRequest(method: "POST", headers: [header], body: Signed.body)
            return StripeSignature().verify(request, keys: ring, now: instant)
        }
        #expect(verdict(Signed.stripeSecret, start) == .ok)
        #expect(verdict(Signed.stripeSecret, end.adding(seconds: -1)) == .ok)
        #expect(verdict(Signed.stripeSecret, end) == .signatureMismatch)
        #expect(verdict(Signed.otherStripeSecret, start) == .signatureMismatch)
        #expect(verdict(Signed.otherStripeSecret, end) == .ok)
        #expect(verdict(Signed.stripeSecret, start.adding(seconds: -1)) == .misconfiguredKey)
    }

    @Test func `a key that ends when it begins makes no ring`() {
        let key = KeyRing.Key(Signed.stripeSecret, notBefore: Signed.now, notAfter: Signed.now)
        #expect(throws: KeyRingError.emptyPeriod(position: 0)) { try KeyRing(.stripe, [key]) }
    }

    @Test func `a ring of another provider never fits`() throws {
        let keys = try KeyRing(.moonPay, texts: [Signed.moonPaySecret])
        let request = SignedRequest(method: "POST", headers: [Signed.stripe()], body: Signed.body)
        #expect(StripeSignature().verify(request, keys: keys, now: Signed.now) == .misconfiguredKey)
    }

    @Test func `a ring never shows its keys`() throws {
        let ring = try KeyRing(.stripe, texts: [Signed.stripeSecret])
        var dumped = ""
        dump(ring, to: &dumped)
        for text in ["\(ring)", String(reflecting: ring), dumped] { #expect(!text.contains("feb7d942")) }
    }
}
