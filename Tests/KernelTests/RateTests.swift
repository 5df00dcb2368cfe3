import Kernel
import Testing

@Suite struct RateTests {
    @Test(
        arguments: [
            ("0", 0, "0"), ("2.9", 29_000_000, "2.9"), ("0.5", 5_000_000, "0.5"), ("100", 1_000_000_000, "100"),
            ("0.0000001", 1, "0.0000001"), ("10.00", 100_000_000, "10"),
        ] as [(String, Int64, String)]
    )
    func `a percentage is parts per billion`(text: String, parts: Int64, written: String) throws {
        let rate = try #require(try Rate(percent: text))
        #expect(rate.partsPerBillion == parts)
        #expect(rate.percent == written)
    }

    @Test func `a percentage over 100 is none and one too fine is refused`() throws {
        #expect(try Rate(percent: "100.0000001") == nil)
        #expect(throws: AmountError.tooManyDecimals) { try Rate(percent: "0.00000001") }
        #expect(throws: AmountError.sign) { try Rate(percent: "-1") }
    }

    @Test func `a share is rounded once, as named`() throws {
        let rate = try #require(try Rate(percent: "0.5"))
        #expect(rate.of(10_000, rounding: .down) == 50)
        #expect(rate.of(10_100, rounding: .halfEven) == 50)
        #expect(rate.of(10_300, rounding: .halfEven) == 52)
        #expect(rate.of(10_001, rounding: .up) == 51)
        #expect(Rate.one.of(Money.limit - 1, rounding: .up) == Money.limit - 1)
    }

    @Test func `rates are ordered by size`() {
        #expect(Rate(partsPerBillion: 1) < .one)
        #expect(!(Rate.one < .one))
    }
}
