import Kernel
import Testing

@Suite struct MoneyTests {
    @Test(
        arguments: [
            ("0", "USD", 0, "0.00"), ("12.3", "USD", 1230, "12.30"), ("0.01", "USD", 1, "0.01"),
            ("100", "USD", 10000, "100.00"),
            ("1.5", "USDC", 1_500_000, "1.50"), ("1.123456", "USDC", 1_123_456, "1.123456"),
            ("0.12345678", "BTC", 12_345_678, "0.12345678"), ("0.10000000", "BTC", 10_000_000, "0.10"),
            ("0.000000000000000001", "ETH", 1, "0.000000000000000001"),
        ] as [(String, String, Int128, String)]
    )
    func `a wire amount becomes minor units and is written with two decimals at least`(
        text: String,
        code: String,
        units: Int128,
        wire: String
    ) throws {
        let asset = try #require(Asset(code: code))
        let money = try Money(wire: text, asset)
        #expect(money == Money(minorUnits: units, asset))
        #expect(money.wire == wire)
        #expect(try Money(wire: money.wire, asset) == money)
        #expect("\(money)" == "\(wire) \(code)")
    }

    @Test(arguments: [
        ("", AmountError.empty), ("-1", .sign), ("+1", .sign), ("1e3", .exponent), ("1E3", .exponent),
        (" 1", .whitespace),
        ("1 ", .whitespace), ("1\t", .whitespace), ("1\u{A0}", .whitespace), ("١٢", .nonASCIIDigit),
        ("１", .nonASCIIDigit),
        ("1,5", .malformed), ("1.2.3", .malformed), (".5", .malformed), ("5.", .malformed), (".", .malformed),
        ("0x1", .malformed), ("NaN", .malformed), ("1\0", .malformed), ("01", .leadingZero), ("00", .leadingZero),
        ("00.1", .leadingZero), ("1.234", .tooManyDecimals), ("1.230", .tooManyDecimals), ("0.001", .tooManyDecimals),
        ("1000000000000000000000000000000000000", .overflow), ("1" + String(repeating: "0", count: 40), .overflow),
        ("1" + String(repeating: "0", count: 400), .overflow),
    ])
    func `each fault of an amount has its own error`(text: String, error: AmountError) {
        #expect(throws: error) { try Money(wire: text, .usd) }
    }

    @Test func `every error of an amount is provoked`() {
        let texts = ["", "-1", "1e3", " 1", "١", "x", "01", "1.234", "1" + String(repeating: "0", count: 40)]
        let errors: [AmountError] = texts.compactMap { (text: String) -> AmountError? in
            do throws(AmountError) {
                _ = try Money(wire: text, .usd)
                return nil
            } catch {
                return error
            }
        }
        #expect(Set(errors) == Set(AmountError.allCases))
    }

    @Test func `the largest amount is one minor unit below 10^38`() throws {
        let nines = String(repeating: "9", count: 36) + ".99"
        let largest = try Money(wire: nines, .usd)
        #expect(largest.minorUnits == Money.limit - 1)
        #expect(largest.wire == nines)
    }

    @Test func `amounts add and subtract, below zero too`() {
        let (ten, three) = (Money(minorUnits: 1000, .usd), Money(minorUnits: 300, .usd))
        #expect(ten + three == Money(minorUnits: 1300, .usd))
        #expect((three - ten).wire == "-7.00")
        #expect(Money(minorUnits: -5, .usd).wire == "-0.05")
        #expect(Money.zero(.btc).wire == "0.00")
    }

    @Test func `a code names its asset exactly`() {
        #expect(Asset.all.allSatisfy { Asset(code: $0.code) == $0 && (0...18).contains($0.scale) })
        #expect(Asset(code: "usd") == nil)
        #expect(Asset(code: "") == nil)
        #expect("\(Asset.eth)" == "ETH")
    }

    @Test(arguments: [(0, "7"), (1, "0.7"), (2, "0.07"), (3, "0.007"), (18, "0.000000000000000007")])
    func `an amount is written at any scale`(scale: Int, text: String) throws {
        #expect(DecimalText.format(7, scale: scale) == text)
        #expect(try DecimalText.parse(text, scale: scale) == 7)
    }
}
