import Kernel
import Randomness
import Testing

@testable import KYC

/// Bytes of strangers: whatever they are, nothing falls over, and nothing is approved or shown that isn't of its form.
@Suite struct ParserTests {
    private static let persona = """
        {"data":{"type":"event","id":"evt_1","attributes":{"name":"inquiry.declined",\
        "created-at":"2026-11-21T13:00:01.000Z","payload":{"data":{"attributes":{"reference-id":"kyc_1"}}}}}}
        """
    private static let sumsub = """
        {"applicantId":"a1","type":"applicantReviewed","createdAtMs":"2026-11-21 13:00:01.000",\
        "externalUserId":"kyc_1","reviewResult":{"reviewAnswer":"RED","reviewRejectType":"FINAL",\
        "rejectLabels":["FORGERY"]}}
        """

    @Test(arguments: [true, false], UInt64(1)...4)
    func `bodies of vendors that are changed anywhere are refused or are what they say`(
        isPersona: Bool,
        seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        let vendor: any IdentityVendor = isPersona ? PersonaVendor() : SumsubVendor()
        let whole = Array((isPersona ? Self.persona : Self.sumsub).utf8)
        #expect(try vendor.event(try JSON.parse(whole)).reference == "kyc_1")
        var parsed = 0
        for round in 0..<2_000 {
            var body = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: body.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: body.remove(at: place)
                default: body.insert(body[Int.random(in: body.indices, using: &random)], at: place)
                }
            }
            guard let json = try? JSON.parse(body), let event = try? vendor.event(json) else { continue }
            parsed += 1
            for text in [event.id, event.type, event.reference ?? "x"] {
                #expect((1...600).contains(text.utf8.count) && !text.utf8.contains(0), "round \(round), seed \(seed)")
            }
            // Nobody is approved by a mistake in a refusal.
            #expect(event.outcome != .approved, "round \(round) of seed \(seed)")
        }
        #expect(parsed > 0)
    }

    @Test(arguments: UInt64(1)...4) func `random bytes are a document only if they begin as one`(seed: UInt64) {
        var random = SeededRandom(seed)
        let starts: [KYCDocument.MediaType: [UInt8]] = [
            .jpeg: [0xFF, 0xD8, 0xFF], .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A],
            .pdf: Array("%PDF-".utf8),
        ]
        let whole = starts.values.map { $0 }
        for _ in 0..<5_000 {
            var bytes = whole[Int.random(in: whole.indices, using: &random)]
            bytes += (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let expected = starts.first { bytes.starts(with: $0.value) }?.key
            #expect(KYCDocument.MediaType(bytes) == expected, "\(bytes)")
        }
    }
}
