import Kernel
import Testing
import Webhooks

@Suite struct MoonPaySignatureTests {
    private let query = "?externalCustomerId=a%20b&x=1"

    @Test func `a POST is signed over its body`() throws {
        let header = WebhookSigner.moonPay(body: Signed.body, secret: Signed.moonPaySecret, at: Signed.now)
        #expect(try Signed.moonPayVerdict(header) == .ok)
        #expect(try Signed.moonPayVerdict(header, query: "?ignored=1") == .ok)
        #expect(try Signed.moonPayVerdict(header, body: Signed.body + [0x0A]) == .signatureMismatch)
    }

    @Test func `a GET is signed over its query with the question mark, undecoded`() throws {
        let header = WebhookSigner.moonPay(query: query, secret: Signed.moonPaySecret, at: Signed.now)
        let verdict = { (query: String) in try Signed.moonPayVerdict(header, method: "GET", query: query, body: []) }
        #expect(try verdict(query) == .ok)
        #expect(try verdict(String(query.dropFirst())) == .signatureMismatch)
        #expect(try verdict("?externalCustomerId=a b&x=1") == .signatureMismatch)
        #expect(try verdict("?x=1&externalCustomerId=a%20b") == .signatureMismatch)
    }

    @Test func `a signature over the query does not carry over to a POST`() throws {
        let header = WebhookSigner.moonPay(query: query, secret: Signed.moonPaySecret, at: Signed.now)
        #expect(try Signed.moonPayVerdict(header, query: query) == .signatureMismatch)
    }

    @Test func `the older header without a time is not accepted`() throws {
        #expect(try Signed.moonPayVerdict(("Moonpay-Signature", "abc")) == .missingHeader)
    }

    @Test(arguments: ["", "t=1795200000", "s=aa", "t=1795200000,s", "t=1,s=aa,s=bb", "t=1,t=1,s=aa", "t=x,s=aa"])
    func `anything but one time and one signature is malformed`(header: String) throws {
        #expect(try Signed.moonPayVerdict(("Moonpay-Signature-V2", header)) == .malformedHeader)
    }

    @Test(arguments: Signed.windows)
    func `the signed time may be 300 seconds off either way`(window: (offset: Int64, verdict: SignatureVerdict)) throws
    {
        let instant = Signed.now.adding(seconds: window.offset)
        let header = WebhookSigner.moonPay(body: Signed.body, secret: Signed.moonPaySecret, at: instant)
        #expect(try Signed.moonPayVerdict(header) == window.verdict)
    }

    @Test func `upper case hex is no signature`() throws {
        let (name, value) = WebhookSigner.moonPay(body: Signed.body, secret: Signed.moonPaySecret, at: Signed.now)
        let upper = value.replacing("s=", with: "S=").uppercased().replacing("T=", with: "t=").replacing(
            "S=",
            with: "s="
        )
        #expect(try Signed.moonPayVerdict((name, upper)) == .signatureMismatch)
    }
}
