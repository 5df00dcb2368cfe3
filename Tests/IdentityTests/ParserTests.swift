import Kernel
import Randomness
import Testing

@testable import Identity

/// Texts of strangers: whatever they are, nothing falls over, and nothing counts that isn't exactly of its form.
@Suite struct ParserTests {
    private static let seeds = UInt64(1)...8

    private static let alphabet = Array("rft_etk-_abcdefghijklmnopqrstuvwxyzABCZ0123456789:/.@ ".utf8)

    /// Bytes of any kind, or of the kind that the formats are made of.
    private static func text(_ random: inout SeededRandom) -> String {
        let count = Int.random(in: 0...80, using: &random)
        let isWild = Bool.random(using: &random)
        let bytes = (0..<count).map { _ in
            isWild
                ? UInt8.random(in: .min ... .max, using: &random)
                : alphabet.randomElement(using: &random) ?? UInt8(ascii: "a")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: seeds) func `random texts are neither tokens nor codes nor ranges by accident`(seed: UInt64) {
        var random = SeededRandom(seed)
        for _ in 0..<1_000 {
            let text = ParserTests.text(&random)
            if let token = RefreshToken(text) { #expect(token.text == text && text.hasPrefix("rft_")) }
            if let code = RecoveryCode(text) { #expect(code.text.filter { $0 != "-" } == text.filter { $0 != "-" }) }
            if let range = AddressRange(text) { #expect(AddressRange(range.text)?.text == range.text) }
            if let email = Email(text) { #expect(email.text.contains("@")) }
            _ = EmailToken(text)
        }
    }

    @Test(arguments: seeds) func `no changed letter of an access token is accepted as another's`(
        seed: UInt64
    ) async throws {
        try await Fixture.with { world in
            let (token, id) = try await world.customer()
            var random = SeededRandom(seed)
            let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
            let parts = token.split(separator: ".")
            for _ in 0..<150 {
                var changed = Array(token)
                let place = Int.random(in: changed.indices, using: &random)
                let letter = letters.randomElement(using: &random) ?? "A"
                guard letter != changed[place] else { continue }
                changed[place] = letter
                let answer = try await world.send("GET", "/v1/probe", token: String(changed))
                // The last letter of a part has bits that stand for nothing.
                let ends = parts.indices.map { index in parts[...index].map(\.count).reduce(index - 1, +) }
                if ends.contains(place), answer.status == 200 {
                    #expect(answer.text("user") == id.wire)
                } else {
                    #expect(answer.status == 401, "place \(place) of seed \(seed)")
                }
            }
        }
    }
}
