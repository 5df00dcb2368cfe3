import Fees
import Kernel
import Testing

@Suite struct FeeEngineTests {
    private func fee(
        _ amount: String,
        _ terms: [FeeTerm],
        minimum: String? = nil,
        maximum: String? = nil,
        cap: String? = nil
    ) throws -> FeeLine {
        let rule = FeeRule(
            "fee",
            .platform,
            "Fee",
            terms: terms,
            minimum: try minimum.map(usd),
            maximum: try maximum.map(usd),
            cap: try cap.map(percent)
        )
        return try #require(
            try Fixture.quote([rule], FeeContext(amount: try usd(amount)), allowExceed: true).lines.first
        )
    }

    @Test(arguments: [
        ("1.00", "0.5", "0.005", "0.00"), ("3.00", "0.5", "0.015", "0.02"), ("5.00", "0.5", "0.025", "0.02"),
        ("0.01", "0.0000001", "0.00000000001", "0.00"), ("1.01", "0.5", "0.00505", "0.01"),
    ])
    func `a percentage is rounded half-even once`(amount: String, rate: String, raw: String, rounded: String) throws {
        let line = try fee(amount, [.percentage(try percent(rate))])
        #expect(line.raw == raw)
        #expect(line.amount.wire == rounded)
    }

    @Test func `terms are summed exactly before rounding`() throws {
        let line = try fee("0.50", [.percentage(try percent("0.5")), .percentage(try percent("0.5"))])
        #expect(line.raw == "0.005")
        #expect(line.amount.wire == "0.00", "each rounded alone would have been 0.00 too, rounded up 0.02")
        let split = try fee("3.00", [.percentage(try percent("0.2")), .percentage(try percent("0.3"))])
        #expect(split.amount.wire == "0.02", "each rounded alone would come to 0.01 + 0.01")
    }

    @Test(arguments: [("1000.00", "10.10"), ("1000.01", "10.60"), ("3000.00", "20.60"), ("0.01", "0.10")])
    func `graduated bands charge each part by its own band`(amount: String, expected: String) throws {
        let bands = [
            FeeBand(upTo: try usd("1000.00"), rate: try percent("1"), flat: try usd("0.10")),
            FeeBand(upTo: nil, rate: try percent("0.5"), flat: try usd("0.50")),
        ]
        #expect(try fee(amount, [.graduated(bands)]).amount.wire == expected)
    }

    @Test(arguments: [("1000.00", "10.10"), ("1000.01", "5.50"), ("3000.00", "15.50")])
    func `volume bands charge the whole by the band that it reaches`(amount: String, expected: String) throws {
        let bands = [
            FeeBand(upTo: try usd("1000.00"), rate: try percent("1"), flat: try usd("0.10")),
            FeeBand(upTo: nil, rate: try percent("0.5"), flat: try usd("0.50")),
        ]
        #expect(try fee(amount, [.volume(bands)]).amount.wire == expected)
    }

    @Test func `minimum, maximum and cap bound the line, the later one winning`() throws {
        let one = [FeeTerm.percentage(try percent("1"))]
        let low = try fee("10.00", one, minimum: "0.50", maximum: "5.00")
        #expect((low.amount.wire, low.bound) == ("0.50", .minimum))
        let high = try fee("1000.00", one, minimum: "0.50", maximum: "5.00")
        #expect((high.amount.wire, high.bound) == ("5.00", .maximum))
        let between = try fee("100.00", one, minimum: "0.50", maximum: "5.00", cap: "10")
        #expect((between.amount.wire, between.bound) == ("1.00", nil))
        let capped = try fee("1.00", one, minimum: "0.50", maximum: "5.00", cap: "10")
        #expect((capped.amount.wire, capped.bound) == ("0.10", .cap))
    }

    @Test func `a cap is rounded down, so that it holds to the minor unit`() throws {
        let line = try fee("0.19", [.flat(try usd("1.00"))], cap: "10")
        #expect((line.amount.wire, line.bound) == ("0.01", .cap))
    }

    @Test func `the total is rounded once and the lines follow by largest remainder`() throws {
        let rules = try ["0.4", "0.4", "0.4"].enumerated().map { index, rate in
            FeeRule("fee_\(index)", .platform, "Fee", terms: [.percentage(try percent(rate))])
        }
        let quote = try Fixture.quote(rules, FeeContext(amount: try usd("1.00")))
        #expect(quote.lines.map(\.raw) == ["0.004", "0.004", "0.004"])
        #expect(quote.total.wire == "0.01", "0.012 rounded once; the lines alone would come to 0.00")
        #expect(quote.lines.map(\.amount.wire) == ["0.01", "0.00", "0.00"], "a tie goes to the first line")
    }

    @Test func `the largest remainder gets the missing unit, wherever its line stands`() throws {
        let rules = try ["0.3", "0.7", "0.6"].enumerated().map { index, rate in
            FeeRule("fee_\(index)", .platform, "Fee", terms: [.percentage(try percent(rate))])
        }
        let quote = try Fixture.quote(rules, FeeContext(amount: try usd("1.00")))
        #expect(quote.total.wire == "0.02")
        #expect(quote.lines.map(\.amount.wire) == ["0.00", "0.01", "0.01"])
    }

    @Test func `a quote says by what it was made and holds for 30 minutes`() throws {
        let rule = FeeRule("gas", .network, "Gas", terms: [.percentage(try percent("2.9")), .flat(try usd("0.30"))])
        let quote = try Fixture.quote([rule], FeeContext(amount: try usd("100.00")))
        let line = try #require(quote.lines.first)
        #expect((quote.schedule, quote.version, quote.operation) == (ID(7), 3, "banking.test"))
        #expect((line.sequence, line.rule, line.text, line.version) == (1, "gas", "Gas", 3))
        #expect((line.base.wire, line.rate, line.raw, line.kind) == ("100.00", "2.9 % + 0.30 USD", "3.20", .estimated))
        #expect(quote.holds(at: Fixture.instant.adding(seconds: 30 * 60 - 1)))
        #expect(!quote.holds(at: Fixture.instant.adding(seconds: 30 * 60)))
    }

    @Test func `amounts beyond 64 bits are exact`() throws {
        let amount = Money(minorUnits: Money.limit - 1, .eth)
        let rule = FeeRule("fee", .platform, "Fee", terms: [.percentage(Rate(partsPerBillion: 999_999_999))])
        let quote = try Fixture.quote([rule], FeeContext(amount: amount))
        #expect(quote.lines[0].raw == "99999999899999999999.999999999999999999000000001")
        #expect(quote.total.wire == "99999999899999999999.999999999999999999")
    }
}
