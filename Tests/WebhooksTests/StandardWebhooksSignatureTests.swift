import Kernel
import Testing
import Webhooks

@Suite struct StandardWebhooksSignatureTests {
    @Test func `a signed request is fine`() throws {
        #expect(try Signed.standardVerdict(Signed.standard()) == .ok)
    }

    @Test func `while secrets rotate either side may be ahead`() throws {
        let both = [Signed.standardSecret, Signed.otherStandardSecret]
        #expect(try Signed.standardVerdict(Signed.standard(secrets: both)) == .ok)
        #expect(try Signed.standardVerdict(Signed.standard(secrets: both.reversed()), keys: [both[0]]) == .ok)
        #expect(try Signed.standardVerdict(Signed.standard(secrets: [both[1]]), keys: both) == .ok)
        #expect(try Signed.standardVerdict(Signed.standard(secrets: [both[1]])) == .signatureMismatch)
    }

    @Test(arguments: [0, 1, 2])
    func `each of the three headers is needed, not empty, once, and small`(index: Int) throws {
        let headers = try Signed.standard()
        var missing = headers
        missing.remove(at: index)
        #expect(try Signed.standardVerdict(missing) == .missingHeader)
        var empty = headers
        empty[index].1 = ""
        #expect(try Signed.standardVerdict(empty) == .missingHeader)
        #expect(try Signed.standardVerdict(headers + [headers[index]]) == .duplicateHeader)
        var large = headers
        large[index].1 = String(repeating: "1", count: 8193)
        #expect(try Signed.standardVerdict(large) == .headerTooLarge)
    }

    @Test func `more than 32 signatures are not looked at`() throws {
        var headers = try Signed.standard()
        headers[2].1 = String(repeating: "v1,AAAA ", count: 31) + headers[2].1
        #expect(try Signed.standardVerdict(headers) == .ok)
        headers[2].1 = "v1,AAAA " + headers[2].1
        #expect(try Signed.standardVerdict(headers) == .headerTooLarge)
    }

    @Test(arguments: ["v2,AAAA", "v1", "v1a,AAAA", " ", "garbage v0,AA"])
    func `without a signature that the keys are for there is none`(signatures: String) throws {
        var headers = try Signed.standard()
        headers[2].1 = signatures
        #expect(try Signed.standardVerdict(headers) == .noV1Signature)
    }

    @Test func `a v1a signature under a foreign public key does not fit`() throws {
        var headers = try Signed.standard()
        headers[2].1 = "v1a,oI90/SwmCTw2/8vLQ+qmXg5nzoCWDEeNw/9/XHceOUbHwoykN1GoTF0rea3ACS9zLmJ4dSnBOWo/8iuB8Z1oAQ=="
        let key = "whpk_pQVQ91rTaVdyh8669OjtgvPUYSJlN06LYC6jph8QLRE="
        #expect(try Signed.standardVerdict(headers, keys: [key]) == .signatureMismatch)
    }

    @Test func `the id is signed`() throws {
        var headers = try Signed.standard()
        headers[0].1 = "msg_2"
        #expect(try Signed.standardVerdict(headers) == .signatureMismatch)
    }

    @Test(arguments: Signed.windows)
    func `the signed time may be 300 seconds off either way`(window: (offset: Int64, verdict: SignatureVerdict)) throws
    {
        #expect(
            try Signed.standardVerdict(Signed.standard(at: Signed.now.adding(seconds: window.offset))) == window.verdict
        )
    }

    @Test func `signing refuses what is no secret`() {
        #expect(throws: KeyRingError.noKeys) { try Signed.standard(secrets: []) }
        #expect(throws: KeyRingError.emptyKey(position: 0)) { try Signed.standard(secrets: [""]) }
        let publicKey = "whpk_pQVQ91rTaVdyh8669OjtgvPUYSJlN06LYC6jph8QLRE="
        #expect(throws: KeyRingError.wrongKind(position: 1)) {
            try Signed.standard(secrets: [Signed.standardSecret, publicKey])
        }
    }
}
