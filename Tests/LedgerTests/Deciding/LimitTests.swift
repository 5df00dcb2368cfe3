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

    @Test func `a refused operation uses nothing of a limit`() throws {
        var core = F.core()
        #expect(core.refusal(F.use(10, day: 100), F.pay(61, F.alice, F.bob)) != nil)
        try core.done(F.use(10, day: 100), F.pay(40, F.alice, F.bob))
    }
}
