import Fees
import Kernel
import Testing

@Suite struct FeeErrorTests {
    private let amount = Money(minorUnits: 100, .usd)

    private func flat(_ code: String, cents: Int128, provider: String? = nil, allowance: FeeAllowance? = nil) -> FeeRule
    {
        FeeRule(
            code,
            .platform,
            "Fee",
            terms: [.flat(Money(minorUnits: cents, .usd))],
            allowance: allowance,
            provider: provider
        )
    }

    @Test func `fees above the amount are refused unless the schedule allows them`() throws {
        let context = FeeContext(amount: amount)
        #expect(throws: FeeError.feesExceedAmount(fees: Money(minorUnits: 101, .usd), amount: amount)) {
            try Fixture.quote([flat("a", cents: 60), flat("b", cents: 41)], context)
        }
        #expect(try Fixture.quote([flat("a", cents: 60), flat("b", cents: 40)], context).total == amount)
        let allowed = try Fixture.quote([flat("a", cents: 101)], context, allowExceed: true)
        #expect(allowed.total.wire == "1.01")
    }

    @Test(arguments: [0, -1])
    func `an amount that is not above zero is refused`(minorUnits: Int128) {
        #expect(throws: FeeError.amountNotPositive) {
            try Fixture.quote([], FeeContext(amount: Money(minorUnits: minorUnits, .usd)))
        }
    }

    @Test func `a schedule refuses other assets, wherever they stand`() throws {
        let schedule = try Fixture.schedule([])
        let contexts = [
            FeeContext(amount: Money(minorUnits: 1, .eur)),
            FeeContext(amount: amount, monthVolume: Money(minorUnits: 1, .eur)),
            FeeContext(amount: amount, used: ["fee": .none(.eur)]),
        ]
        for context in contexts {
            #expect(throws: FeeError.assetMismatch(expected: .usd, found: .eur)) {
                try FeeEngine.quote(context, schedule: schedule, id: ID(1), at: Fixture.instant)
            }
        }
    }

    @Test func `a schedule that is not in force gives no quote`() throws {
        let (start, end) = (Timestamp(seconds: 100), Timestamp(seconds: 200))
        let schedule = try FeeSchedule(
            id: ID(1),
            version: 1,
            operation: "banking.test",
            asset: .usd,
            effectiveFrom: start,
            effectiveTo: end,
            rules: []
        )
        let context = FeeContext(amount: amount)
        for instant in [Timestamp(microseconds: start.microseconds - 1), end] {
            #expect(throws: FeeError.notEffective(at: instant)) {
                try FeeEngine.quote(context, schedule: schedule, id: ID(1), at: instant)
            }
        }
        #expect(try FeeEngine.quote(context, schedule: schedule, id: ID(1), at: start).lines.isEmpty)
    }

    @Test func `what the rules depend on must be told`() {
        #expect(throws: FeeError.providerRequired) {
            try Fixture.quote([flat("a", cents: 1, provider: "stripe")], FeeContext(amount: amount))
        }
        #expect(throws: FeeError.unknownPremiumOption("gold")) {
            try Fixture.quote([flat("a", cents: 1)], FeeContext(amount: amount, premiumOptions: ["gold"]))
        }
        #expect(throws: FeeError.allowanceUsageMissing(rule: "a")) {
            try Fixture.quote([flat("a", cents: 1, allowance: .count(1))], FeeContext(amount: amount))
        }
    }

    @Test func `fees of 10^38 minor units overflow`() {
        let most = flat("a", cents: Money.limit - 1)
        #expect(throws: FeeError.overflow) {
            try Fixture.quote([most, flat("b", cents: 1)], FeeContext(amount: amount), allowExceed: true)
        }
        let half = FeeRule("b", .platform, "Half a cent", terms: [.percentage(Rate(partsPerBillion: 5_000_000))])
        #expect(throws: FeeError.overflow) {
            try Fixture.quote([most, half], FeeContext(amount: amount), allowExceed: true)
        }
    }

    @Test func `each error is told to a client by a word of its own`() {
        let errors: [FeeError] = [
            .noSchedule(operation: "banking.test", asset: .usd, at: Fixture.instant), .amountNotPositive,
            .providerRequired,
            .unknownPremiumOption("gold"), .feesExceedAmount(fees: amount, amount: amount), .overflow,
            .refundExceedsAmount(left: amount, requested: amount), .allowanceUsageMissing(rule: "a"),
        ]
        #expect(Set(errors.map(\.problem.code)).count == errors.count)
        #expect(errors.dropLast().allSatisfy { $0.problem.status == 422 })
        #expect(FeeError.notEffective(at: Fixture.instant).problem.status == 500)
    }
}
