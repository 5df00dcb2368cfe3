import HTTPTypes
import Kernel
import Testing

@testable import HTTP

struct SignatureTests {
    private static let hash = String(repeating: "0a", count: 32)
    private static let good = "Diboas-Key id=key_x, time=1763706000123, body=\(hash), signature=AAAA"

    @Test func `a signature is read from its header`() throws {
        let read = try #require(RequestSignature(authorization: SignatureTests.good))
        #expect(read.key == "key_x" && read.milliseconds == 1_763_706_000_123)
        #expect(read.bodyHash == SignatureTests.hash && read.signature == "AAAA")
    }

    @Test(
        arguments: [
            "", "Diboas-Key", good + " ", " " + good, good + ", x=1", good.replacing(", ", with: ","),
            good.replacing("Diboas-Key", with: "diboas-key"), good.replacing("time=1", with: "time=01"),
            good.replacing("time=1", with: "time=+1"), good.replacing("time=1763706000123", with: "time="),
            good.replacing("time=1", with: "time=1111111"), good.replacing("0a", with: "0A"),
            good.replacing("body=0a", with: "body=0"), good.replacing("id=key_x", with: "id="),
            good.replacing("signature=AAAA", with: "signature="), good.replacing("id=", with: "ID="),
            good.replacing("AAAA", with: String(repeating: "A", count: 500)),
        ]
    )
    func `anything else is no signature`(text: String) {
        #expect(RequestSignature(authorization: text) == nil, "\(text)")
    }

    @Test func `random bytes are no signature and no fault`() {
        var state: UInt64 = 20_261_121
        let alphabet = Array(SignatureTests.good)
        for _ in 0..<20_000 {
            var text = alphabet
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text[Int(state >> 33) % text.count] = alphabet[Int(state >> 40) % alphabet.count]
            }
            let read = RequestSignature(authorization: String(text))
            if let read { #expect(read.bodyHash.utf8.count == 64 && read.milliseconds > 0) }
        }
    }

    @Test func `a step-up is asked for where the route says so, by how the caller has proven who it is`() {
        let now = Timestamp(seconds: 1_000)
        func problem(_ assurance: Assurance, _ permissions: Set<Permission>, _ access: Access) -> String? {
            Principal(user: ID(1), permissions: permissions, assurance: assurance).refusal(of: access, at: now)?.code
        }
        let access = Access.permission("a:b", stepUp: true)
        for assurance: Assurance in [.password, .signature, .secondFactorDue, .secondFactor(until: now)] {
            #expect(problem(assurance, [], access) == "forbidden")
            #expect(problem(assurance, ["a:b"], .permission("a:b")) == nil)
            #expect(problem(assurance, [], .authenticated) == nil)
        }
        #expect(problem(.password, ["a:b"], access) == "two_factor_required")
        #expect(problem(.secondFactorDue, ["a:b"], access) == "step_up_required")
        #expect(problem(.secondFactor(until: now), ["a:b"], access) == "step_up_required")
        #expect(problem(.secondFactor(until: now.adding(seconds: 1)), ["a:b"], access) == nil)
        #expect(problem(.signature, ["a:b"], access) == nil)
        for permission: Permission in ["operate:money", "staff:users", "compliance:review"] {
            #expect(problem(.password, [permission], .permission(permission)) == "two_factor_required")
        }
    }
}
