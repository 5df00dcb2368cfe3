import Kernel
import Screening
import Testing

@Suite struct EvidenceTests {
    @Test(arguments: [
        ("1962-03-27", ["1962-03-27"], BirthAgreement.sameDay), ("1962-03-27", ["1960", "1962"], .sameYear),
        ("1962-03-27", ["1961-1964"], .sameYear), ("1962-03-04", ["1962-04-03"], .near),
        ("1962-03-27", ["1963"], .near),
        ("1962-03-27", ["1961-03-27"], .near), ("1962-03-27", [], .unknown), ("1962-03-27", ["1962-03-28"], .differs),
        ("1962-03-27", ["1970"], .differs), ("1962", ["circa 1964"], .sameYear),
    ])
    func `births agree as far as they are known`(known: String, listed: [String], agreement: BirthAgreement) {
        #expect(BirthAgreement(BirthDate(known), listed.compactMap { BirthDate($0) }) == agreement)
    }

    @Test(arguments: ["", "62", "1962-13-01", "1964-1960", "circa", "19620", "abcd", "1962-3-27"])
    func `what is no date is none`(text: String) {
        #expect(BirthDate(text) == nil)
    }

    @Test func `what is written is read again`() {
        for text in ["1962-03-27", "1962", "1960-1964"] { #expect(BirthDate(text)?.description == text) }
    }

    @Test func `evidence moves a score up and down`() {
        let name = NameLikeness(ScreenedName("John Smith"), ScreenedName("Jon Smith"))
        func total(_ birth: BirthAgreement, _ country: CountryAgreement) -> Int {
            ScreeningScore(name: name, birth: birth, country: country).total
        }
        #expect(total(.sameDay, .unknown) > total(.sameYear, .unknown))
        #expect(total(.sameYear, .unknown) > total(.unknown, .unknown))
        #expect(total(.unknown, .agrees) > total(.unknown, .unknown))
        #expect(total(.unknown, .differs) < total(.unknown, .unknown))
        #expect(total(.differs, .agrees) < ScreeningScore.alertMin)
        #expect(CountryAgreement(["IQ"], ["IQ", "SY"]) == .agrees)
        #expect(CountryAgreement([], ["IQ"]) == .unknown)
        #expect(CountryAgreement(["FR"], ["IQ"]) == .differs)
    }

    @Test(arguments: [
        ("ETH", "0xAB5801a7D398351b8bE11C439e05C5B3259aeC9B", "0xab5801a7d398351b8be11c439e05c5b3259aec9b", "evm"),
        ("XBT", "BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bitcoin"),
        ("XBT", " 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bitcoin"),
        ("TRX", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8", "tron"),
        (
            "BCH", "bitcoincash:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
            "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
            "bitcoincash"
        ),
    ])
    func `addresses have one form`(asset: String, written: String, text: String, chain: String) throws {
        let address = try #require(WalletAddress(asset: asset, address: written))
        #expect(address.text == text && address.chain == chain)
        #expect(WalletAddress(asset: asset, address: address.text) == address)
    }

    @Test(arguments: ["", "short", "0xZZZZZZZZZZZZ", String(repeating: "a", count: 131), "with\u{0}control-char"])
    func `what is no address is none`(text: String) {
        #expect(WalletAddress(asset: "ETH", address: text) == nil)
    }
}
