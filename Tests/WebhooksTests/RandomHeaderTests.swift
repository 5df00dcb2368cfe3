import Kernel
import Randomness
import Testing
import Webhooks

/// Signature headers of strangers: whatever they are, nothing falls over, and nothing is signed by accident.
@Suite struct RandomHeaderTests {
    private static let names: [WebhookProvider: [String]] = [
        .stripe: ["Stripe-Signature"], .moonPay: ["Moonpay-Signature-V2"], .persona: ["Persona-Signature"],
        .standardWebhooks: ["webhook-id", "webhook-timestamp", "webhook-signature"],
        .sumsub: ["X-Payload-Digest", "X-Payload-Digest-Alg"],
    ]
    private static let secrets: [WebhookProvider: String] = [
        .stripe: Signed.stripeSecret, .moonPay: Signed.moonPaySecret, .standardWebhooks: Signed.standardSecret,
        .persona: "wbhsec_feb7d942d7042214959be82112896c8a", .sumsub: "yA3kW9dVfLz0tQ1mR6pX",
    ]
    private static let alphabet = Array("t=1795200000,v1 s:;0123abcdefHMAC_SHA256_HEX+/= \"".utf8)

    /// Bytes of any kind, or of the kind that the headers are made of, up to beyond the bound.
    private static func text(_ random: inout SeededRandom) -> String {
        let isLong = Int.random(in: 0..<50, using: &random) == 0
        let count = Int.random(in: 0...(isLong ? WebhookLimits.headerBytesMax + 9 : 160), using: &random)
        let isWild = Bool.random(using: &random)
        let bytes = (0..<count).map { _ in
            isWild
                ? UInt8.random(in: .min ... .max, using: &random)
                : alphabet[Int.random(in: alphabet.indices, using: &random)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: Array(names.keys).sorted { $0.rawValue < $1.rawValue }, UInt64(1)...4)
    func `random headers are no signature`(provider: WebhookProvider, seed: UInt64) throws {
        var random = SeededRandom(seed)
        let keys = try KeyRing(provider, texts: [try #require(Self.secrets[provider])])
        for round in 0..<1_000 {
            let headers = (Self.names[provider] ?? []).flatMap { name in
                (0..<Int.random(in: 0...2, using: &random)).map { _ in (name, Self.text(&random)) }
            }
            let request = SignedRequest(method: "POST", headers: headers, body: Signed.body)
            let verdict = provider.verifier.verify(request, keys: keys, now: Signed.now)
            #expect(verdict != .ok, "round \(round) of seed \(seed)")
        }
    }

    @Test(arguments: UInt64(1)...4) func `no changed byte of a signed request counts`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let keys = try KeyRing(.stripe, texts: [Signed.stripeSecret])
        let (name, header) = Signed.stripe()
        for round in 0..<1_000 {
            var (changed, body) = (Array(header.utf8), Signed.body)
            let (bit, isBody) = (UInt8(1) << UInt8.random(in: 0..<8, using: &random), Bool.random(using: &random))
            if isBody {
                body[Int.random(in: body.indices, using: &random)] ^= bit
            } else {
                changed[Int.random(in: changed.indices, using: &random)] ^= bit
            }
            let text = String(decoding: changed, as: UTF8.self)
            let request = SignedRequest(method: "POST", headers: [(name, text)], body: body)
            let verdict = StripeSignature().verify(request, keys: keys, now: Signed.now)
            #expect(verdict != .ok, "round \(round) of seed \(seed): \(text)")
        }
    }
}
