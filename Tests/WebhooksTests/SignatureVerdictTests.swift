import Kernel
import Testing
import Webhooks

@Suite struct SignatureVerdictTests {
    @Test func `the reason codes are the thirteen of the contract`() {
        let codes = [
            "ok", "missing_header", "malformed_header", "malformed_signature", "no_v1_signature", "signature_mismatch",
            "timestamp_too_old", "timestamp_too_new", "header_too_large", "duplicate_header", "duplicate_keys",
            "invalid_payload", "misconfigured_key",
        ]
        #expect(SignatureVerdict.allCases.map(\.rawValue) == codes)
    }

    @Test(arguments: [
        ("ok", 200), ("missing_header", 400), ("malformed_header", 400), ("malformed_signature", 400),
        ("no_v1_signature", 400), ("signature_mismatch", 401), ("timestamp_too_old", 401), ("timestamp_too_new", 401),
        ("header_too_large", 400), ("duplicate_header", 400), ("duplicate_keys", 400), ("invalid_payload", 400),
        ("misconfigured_key", 503),
    ])
    func `each reason has its status, and no refusal is a 200`(code: String, status: Int) throws {
        let verdict = try #require(SignatureVerdict(rawValue: code))
        #expect(verdict.httpStatus == status)
        #expect(verdict.problem?.status == (verdict == .ok ? nil : status))
        #expect(verdict.problem?.code == (verdict == .ok ? nil : code))
        #expect(verdict.problem?.detail.isEmpty != true)
    }
}
