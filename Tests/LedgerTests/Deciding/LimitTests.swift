import Kernel
import Testing

@testable import Ledger

@Suite struct LimitTests {
    private typealias F = CoreFixture

    /// Uses 60 of 100 at the first instant, then again at the second.
    private static func secondUse(
        _ first: String,
        _ second: String,
        day: Int128?,
        month: Int128?
    ) throws -> LedgerRefusal? {
        let (first, second) = (try #require(Timestamp(first)), try #require(Timestamp(second)))
        var core = LedgerCore(at: first, accounts: [AccountState(id: F.alice, asset: "USD")])
        try core.done(F.use(60, day: day, month: month))
        var later = LedgerCore(at: second, accounts: [AccountState(id: F.alice, asset: "USD")], usage: core.usage)
        return later.refusal(F.use(60, day: day, month: month))
    }

    @Test(arguments: [
        ("2026-11-20T00:00:00.000000Z", "2026-11-20T23:59:59.999999Z", true),
        ("2026-11-20T23:59:59.999999Z", "2026-11-21T00:00:00.000000Z", false),
        ("2024-02-28T23:59:59.999999Z", "2024-02-29T00:00:00.000000Z", false),
        ("2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00.000000Z", false),
    ])
    func `a day's limit counts the calendar day in UTC`(first: String, second: String, isExceeded: Bool) throws {
        let refusal = try LimitTests.secondUse(first, second, day: 100, month: nil)
        let expected = LedgerRefusal.limitExceeded(
            counter: "withdrawal",
            span: .day,
            limit: 100,
            used: 60,
            requested: 60
        )
        #expect(refusal == (isExceeded ? expected : nil))
    }

    @Test(arguments: [
        ("2026-11-01T00:00:00.000000Z", "2026-11-30T23:59:59.999999Z", true),
        ("2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00.000000Z", false),
        ("2024-02-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z", true),
        ("2025-12-31T23:59:59.999999Z", "2026-12-31T00:00:00.000000Z", false),
    ])
    func `a month's limit counts the calendar month in UTC`(first: String, second: String, isExceeded: Bool) throws {
        let refusal = try LimitTests.secondUse(first, second, day: nil, month: 100)
        let expected = LedgerRefusal.limitExceeded(
            counter: "withdrawal",
            span: .month,
            limit: 100,
            used: 60,
            requested: 60
        )
        #expect(refusal == (isExceeded ? expected : nil))
    }

    @Test func `a limit may be used up to its last unit`() throws {
        var core = F.core()
        try core.done(F.use(10, day: 100, month: 200))
        #expect(core.refusal(F.use(1, day: 100)) != nil)
        #expect(core.refusal(F.use(1, month: 200)) != nil)
    }

    @Test func `counters and accounts count for themselves`() throws {
        var core = F.core()
        try core.done(.use(Usage(account: F.alice, counter: "payment", amount: 100, dayLimit: 100, monthLimit: 100)))
        try core.done(F.use(100, day: 100, month: 100, of: F.bob))
    }

    @Test func `what is given back counts in the period of the original`() throws {
        var core = F.core()
        let lastMonth = F.now.adding(seconds: -31 * 86_400)
        try core.done(.giveBack(counter: "withdrawal", of: F.alice, amount: 50, at: lastMonth))
        #expect(core.refusal(F.use(11, day: 100)) != nil, "today's use is as it was")
        try core.done(.giveBack(counter: "withdrawal", of: F.alice, amount: 50, at: F.now.adding(seconds: -86_400)))
        #expect(core.refusal(F.use(11, day: 100)) != nil, "yesterday is another day")
        try core.done(F.use(51, month: 200))
        try core.done(.giveBack(counter: "withdrawal", of: F.alice, amount: 51, at: F.now))
        try core.done(F.use(10, day: 100))
    }

    @Test func `no more is given back than was used`() throws {
        var core = F.core()
        try core.done(.giveBack(counter: "withdrawal", of: F.alice, amount: 1_000, at: F.now))
        #expect(core.refusal(F.use(101, day: 100)) != nil)
        try core.done(F.use(100, day: 100))
    }

    private static func own(_ perTransaction: Int128, _ perDay: Int128, _ perMonth: Int128) throws -> LedgerCommand {
        let limits = try #require(
            AccountLimits(perTransaction: perTransaction, perDay: perDay, perMonth: perMonth)
        )
        return .limit(F.alice, counter: "withdrawal", to: limits)
    }

    /// A use that comes with the usual limits: 50 at once, 100 a day, 200 a month; 90 and 190 are used.
    private static func usual(_ amount: Int128, ceiling: Int128? = nil) -> LedgerCommand {
        .use(
            Usage(
                account: F.alice,
                counter: "withdrawal",
                amount: amount,
                transactionLimit: 50,
                dayLimit: 100,
                monthLimit: 200,
                dayCeiling: ceiling
            )
        )
    }

    @Test func `an account's own limits take the place of the usual ones, wider or narrower`() throws {
        func refusal(_ own: LedgerCommand?, _ use: LedgerCommand) throws -> LedgerRefusal? {
            var core = F.core()
            if let own { try core.done(own) }
            return core.refusal(use)
        }
        func exceeded(_ span: LimitSpan, _ limit: Int128, _ used: Int128, _ requested: Int128) -> LedgerRefusal {
            .limitExceeded(counter: "withdrawal", span: span, limit: limit, used: used, requested: requested)
        }
        #expect(try refusal(nil, LimitTests.usual(51)) == exceeded(.transaction, 50, 0, 51))
        #expect(try refusal(nil, LimitTests.usual(11)) == exceeded(.day, 100, 90, 11))
        #expect(try refusal(LimitTests.own(500, 600, 700), LimitTests.usual(500)) == nil)
        #expect(
            try refusal(LimitTests.own(500, 600, 600), LimitTests.usual(411)) == exceeded(.month, 600, 190, 411)
        )
        #expect(try refusal(LimitTests.own(5, 600, 700), LimitTests.usual(6)) == exceeded(.transaction, 5, 0, 6))
        #expect(try refusal(LimitTests.own(5, 92, 700), LimitTests.usual(3)) == exceeded(.day, 92, 90, 3))
        // What bounds everybody bounds an account of whatever limits.
        let wide = try LimitTests.own(500, 600, 700)
        #expect(try refusal(wide, LimitTests.usual(31, ceiling: 120)) == exceeded(.day, 120, 90, 31))
        // What isn't limited at all isn't limited by the account's own.
        #expect(try refusal(LimitTests.own(1, 1, 1), F.use(500)) == nil)
    }

    @Test func `limits are taken away, and go with an operation that is refused`() throws {
        var core = F.core()
        try core.done(LimitTests.own(5, 600, 700))
        #expect(core.refusal(try LimitTests.own(7, 600, 700), F.pay(61, F.alice, F.bob)) != nil)
        #expect(core.refusal(LimitTests.usual(6)) != nil)
        try core.done(LimitTests.usual(5))
        try core.done(.limit(F.alice, counter: "withdrawal", to: nil))
        #expect(
            core.refusal(LimitTests.usual(6))
                == .limitExceeded(
                    counter: "withdrawal",
                    span: .day,
                    limit: 100,
                    used: 95,
                    requested: 6
                )
        )
    }

    @Test(arguments: [(0, 1, 1), (2, 1, 3), (1, 3, 2)] as [(Int128, Int128, Int128)])
    func `limits that contradict each other are none`(once: Int128, day: Int128, month: Int128) {
        #expect(AccountLimits(perTransaction: once, perDay: day, perMonth: month) == nil)
    }

    @Test func `a refused operation uses nothing of a limit`() throws {
        var core = F.core()
        #expect(core.refusal(F.use(10, day: 100), F.pay(61, F.alice, F.bob)) != nil)
        try core.done(F.use(10, day: 100), F.pay(40, F.alice, F.bob))
    }
}
