import Kernel
import Testing

@testable import Banking

@Suite struct ProviderNumberTests {
    @Test(
        arguments: [
            ("50", 2, 5000), ("0.00203", 18, 2_030_000_000_000_000), ("1e-7", 8, 10), ("1E+2", 2, 10_000), ("0", 6, 0),
            ("12.300", 2, 1230), ("0.1", 1, 1), ("1.5e1", 0, 15), ("100e-2", 0, 1), ("0e-50", 2, 0),
            ("9007199254740993.01", 2, 900_719_925_474_099_301),
        ] as [(String, Int, Int128)]
    )
    func `a number is read by its digits`(_ text: String, _ scale: Int, _ expected: Int128) {
        #expect(ProviderNumber.minorUnits(.number(text), scale: scale) == expected)
    }

    @Test(arguments: [("12.345", 2), ("-1", 2), ("1e-3", 2), ("1e61", 2), ("1e40", 0), ("1e99999999999999999999", 0)])
    func `a number that the scale can't hold is none`(_ text: String, _ scale: Int) {
        #expect(ProviderNumber.minorUnits(.number(text), scale: scale) == nil)
    }

    @Test func `a quoted number is read strictly, and nothing else is one`() {
        #expect(ProviderNumber.minorUnits("12.34", scale: 2) == 1234)
        for json in ["1e1", "+1", "", .null, true, [:], nil] as [JSON?] {
            #expect(ProviderNumber.minorUnits(json, scale: 2) == nil)
        }
    }
}
