import Fees
import Kernel
import Testing

@Suite struct FeeDiscountTests {
    private func rule(allowance: FeeAllowance? = nil) throws -> FeeRule {
        FeeRule(
            "fee",
            .platform,
            "Fee",
            terms: [.percentage(try percent("1"))],
            minimum: try usd("0.20"),
            allowance: allowance,
            tiers: [
                .tier2: .discount(try percent("10")), .tier4: .terms([.flat(try usd("0.70"))]),
                .tier5: .discount(.one),
            ],
            volumeDiscounts: [
                FeeVolumeDiscount(from: try usd("1000.00"), discount: try percent("5")),
                FeeVolumeDiscount(from: try usd("5000.00"), discount: try percent("50")),
            ]
        )
    }

    @Test(arguments: [
        (FeeTier.tier1, "0.00", "1.00", "1 %"), (.tier1, "999.99", "1.00", "1 %"),
        (.tier1, "1000.00", "0.95", "1 % less 5 %"), (.tier2, "1000.00", "0.90", "1 % less 10 %"),
        (.tier2, "5000.00", "0.50", "1 % less 50 %"), (.tier3, "0.00", "1.00", "1 %"),
        (.tier4, "0.00", "0.70", "0.70 USD"), (.tier4, "5000.00", "0.35", "0.70 USD less 50 %"),
    ])
    func `the larger of tier and volume discount counts`(
        tier: FeeTier,
        volume: String,
        expected: String,
        rate: String
    ) throws {
        let context = FeeContext(amount: try usd("100.00"), tier: tier, monthVolume: try usd(volume))
        let line = try Fixture.quote([try rule()], context).lines[0]
        #expect((line.amount.wire, line.rate) == (expected, rate))
    }

    @Test func `a discount of 100 percent waives the minimum too`() throws {
        let line = try Fixture.quote([try rule()], FeeContext(amount: try usd("100.00"), tier: .tier5)).lines[0]
        #expect((line.amount.wire, line.bound) == ("0.00", .waived))
    }

    @Test(arguments: [
        ("0.00", "50.00", "50.00", "0.00"), ("0.00", "60.00", "50.00", "0.20"), ("50.00", "60.00", "0.00", "0.60"),
        ("80.00", "60.00", "0.00", "0.60"), ("20.00", "60.00", "30.00", "0.30"),
    ])
    func `a free amount lowers the base`(used: String, amount: String, taken: String, expected: String) throws {
        let usage = FeeUsage(amount: try usd(used), count: 9)
        let context = FeeContext(amount: try usd(amount), used: ["fee": usage])
        let line = try Fixture.quote([try rule(allowance: .amount(try usd("50.00")))], context).lines[0]
        #expect(line.amount.wire == expected)
        #expect(line.allowanceTaken == FeeUsage(amount: try usd(taken), count: 0))
        #expect(line.base == context.amount - (try usd(taken)))
    }

    @Test(arguments: [(0, "0.00", 1), (1, "0.00", 1), (2, "1.00", 0)])
    func `a free count makes the first operations free`(used: Int, expected: String, taken: Int) throws {
        let usage = FeeUsage(amount: try usd("7.00"), count: used)
        let context = FeeContext(amount: try usd("100.00"), used: ["fee": usage])
        let line = try Fixture.quote([try rule(allowance: .count(2))], context).lines[0]
        #expect((line.amount.wire, line.allowanceTaken?.count) == (expected, taken))
        #expect(line.bound == (taken == 1 ? .allowance : nil))
    }

    @Test func `rules of a provider and of an option apply only to them`() throws {
        let rules = [
            FeeRule("all", .platform, "All", terms: [.flat(try usd("0.01"))]),
            FeeRule("stripe", .provider, "Stripe", terms: [.flat(try usd("0.02"))], provider: "stripe"),
            FeeRule("instant", .premium, "Instant", terms: [.flat(try usd("0.04"))], premiumOption: "instant"),
        ]
        func codes(_ provider: String, _ options: Set<String>) throws -> [String] {
            let context = FeeContext(amount: try usd("1.00"), provider: provider, premiumOptions: options)
            return try Fixture.quote(rules, context).lines.map(\.rule)
        }
        #expect(try codes("stripe", []) == ["all", "stripe"])
        #expect(try codes("ramp", ["instant"]) == ["all", "instant"])
        #expect(try codes("stripe", ["instant"]) == ["all", "stripe", "instant"])
    }
}
