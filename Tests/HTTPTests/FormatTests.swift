import HTTP
import Kernel
import Randomness
import Testing

@Suite struct FormatTests {
    private static let formats: [Format] = [
        .amount, .positiveAmount, .asset, .cursor, .username, .instant, .day, .country, .email, .id(of: User.self),
    ]

    private static let seeds = [
        "0", "00", "01", "12.34", "12.", ".5", "1.123456789012345678", "1.1234567890123456789", "99999999999999999999",
        "100000000000000000000", "+1", "1e3", " 1", "USD", "usd", "USDC", "K", "ada", "ada_lovelace", "_ada", "1ada",
        "a23456789012345678901234567890", "a234567890123456789012345678901", "2026-11-20T08:30:00Z",
        "2026-11-20T08:30:00.123456Z", "2026-11-20T08:30:00.1234567Z", "2026-11-20T24:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-31T00:00:00Z", "2026-11-20t08:30:00Z", "2026-11-20T08:30:00+01:00", "2026-11-20", "2026-04-31", "PT",
        "Pt", "PRT", "ada@example.com", "ada@", "@example.com", "a.b@c.de", "a..b@c.de", "a@-b.de", "a@b-.de", "a@b",
        "usr_01jd3qkw5hf6r8v2m4x7c9tb0e", "usr_81jd3qkw5hf6r8v2m4x7c9tb0e", "usr_01jd3qkw5hf6r8v2m4x7c9tb0u", "",
        String(repeating: "A", count: 55), String(repeating: "A", count: 54) + "B", "a\n", "ada\n", "12.34\n", "USD\n",
        "0.0", "0.01",
    ]

    /// The published pattern may promise less than the check accepts, never more: what matches it must be accepted.
    @Test(arguments: formats.indices)
    func `what matches the published pattern is accepted`(index: Int) throws {
        let format = FormatTests.formats[index]
        let pattern = try Regex(format.pattern)
        var random = SeededRandom(0x5EED + UInt64(index))
        var accepted = 0
        for round in 0..<20_000 {
            var text = Array(FormatTests.seeds[Int(random.next() % UInt64(FormatTests.seeds.count))].unicodeScalars)
            if round % 2 == 1, !text.isEmpty {
                let alphabet = Array("0129aAzZ_.-@%+TZ:\n é".unicodeScalars)
                text[Int(random.next() % UInt64(text.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            var string = String()
            string.unicodeScalars.append(contentsOf: text)
            let matches = try pattern.wholeMatch(in: string) != nil
            guard matches else { continue }
            accepted += 1
            #expect(format.fault(in: string) == nil, "\(format.name) refuses \(string.debugDescription)")
        }
        #expect(accepted > 100, "the seeds hardly match \(format.name)")
    }

    @Test(arguments: [
        ("amount", "00.5"), ("amount", "0x1"), ("positive_amount", "0"),
        ("positive_amount", "0.00"), ("positive_amount", "-1"), ("asset", "usd"), ("username", "Ada"),
        ("instant", "2026-11-20"),
        ("day", "2026-02-30"), ("country", "prt"), ("email", "a@b"), ("usr_id", "pay_01jd3qkw5hf6r8v2m4x7c9tb0e"),
        ("cursor", "AAAA"), ("username", "ada\n"), ("asset", "USD\n"), ("amount", "12.34\n"),
    ])
    func `what is not of the format is refused`(name: String, text: String) throws {
        let format = try #require(FormatTests.formats.first { $0.name == name })
        #expect(format.fault(in: text) != nil)
    }

    @Test func `the examples are good`() {
        for format in FormatTests.formats {
            if let example = format.example { #expect(format.fault(in: example) == nil, "\(format.name)") }
        }
    }
}
