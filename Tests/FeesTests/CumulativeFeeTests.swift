import Fees
import Kernel
import Testing

@Suite struct CumulativeFeeTests {
    @Test func `a hundred small fills cost what one large fill costs`() throws {
        var fills = CumulativeFee(.usd)
        var total = Money.zero(.usd)
        for _ in 0..<100 { total = total + (try fills.charge(try usd("0.99"), rate: try percent("0.15"))) }
        var whole = CumulativeFee(.usd)
        #expect(try whole.charge(try usd("99.00"), rate: try percent("0.15")) == total)
        #expect(total.wire == "0.15")
        #expect(fills.accrued == "0.1485")
    }

    @Test func `fills at different rates add up exactly`() throws {
        var fee = CumulativeFee(.usd)
        #expect(try fee.charge(try usd("4.00"), rate: try percent("0.1")).wire == "0.00")
        #expect(try fee.charge(try usd("4.00"), rate: try percent("0.15")).wire == "0.01")
        #expect(fee.charged.wire == "0.01")
    }

    @Test func `a refused fill changes nothing`() throws {
        var fee = CumulativeFee(.usd)
        _ = try fee.charge(Money(minorUnits: Money.limit - 1, .usd), rate: .one)
        let before = fee
        #expect(throws: FeeError.overflow) { try fee.charge(Money(minorUnits: 1, .usd), rate: .one) }
        #expect(throws: FeeError.assetMismatch(expected: .usd, found: .eur)) {
            try fee.charge(Money(minorUnits: 1, .eur), rate: .one)
        }
        #expect(throws: FeeError.amountNotPositive) { try fee.charge(Money(minorUnits: -1, .usd), rate: .one) }
        #expect(fee == before)
    }

    @Test(arguments: [
        "", "1", "1.", ".5", "-1.00", "01.00", "1.0x", "1.00000000000000000000x", "1.000000000000000000001",
    ])
    func `a text that it doesn't write restores nothing`(text: String) {
        #expect(CumulativeFee(.usd, accrued: text) == nil)
    }

    @Test(arguments: ["0.00", "1.20", "1.000000000000000001", "123456789012345678901234567890.123"])
    func `what it accrued restores it`(text: String) {
        #expect(CumulativeFee(.usd, accrued: text)?.accrued == text)
    }
}
