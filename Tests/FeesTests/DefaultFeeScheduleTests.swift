import Fees
import Foundation
import Kernel
import Testing

@Suite struct DefaultFeeScheduleTests {
    private func quote(_ operation: String, _ amount: String, _ asset: Asset, tier: FeeTier = .tier1) throws -> FeeQuote
    {
        let catalog = try FeeCatalog(FeeSchedule.defaults)
        let context = FeeContext(amount: try Money(wire: amount, asset), tier: tier)
        return try catalog.quote(operation, context, id: ID(1), at: Fixture.instant)
    }

    @Test(arguments: [Asset.usd, .eur, .usdc, .usdt])
    func `a card deposit of 100.00 leaves the customer 96.30`(asset: Asset) throws {
        let quote = try quote("banking.deposit.card", "100.00", asset)
        #expect(quote.total(of: .platform).wire == "0.50")
        #expect(quote.total(of: .provider).wire == "3.20")
        #expect(quote.total.wire == "3.70")
        #expect((quote.context.amount - quote.total).wire == "96.30")
        #expect(quote.lines.map(\.kind) == [.actual, .estimated])
        #expect(quote.lines.map(\.rate) == ["0.5 %", "2.9 % + 0.30 \(asset)"])
    }

    @Test(arguments: [Asset.usd, .eur, .usdc, .usdt])
    func `a payment of 20.00 debits 20.10`(asset: Asset) throws {
        let quote = try quote("banking.payment", "20.00", asset)
        #expect((quote.context.amount + quote.total).wire == "20.10")
        #expect(quote.total(of: .platform).wire == "0.10")
    }

    @Test(arguments: [Asset.usd, .eur, .usdc, .usdt])
    func `a withdrawal of 50.00 reserves 51.00`(asset: Asset) throws {
        let quote = try quote("banking.withdrawal", "50.00", asset)
        #expect((quote.context.amount + quote.total).wire == "51.00")
    }

    @Test(arguments: ["banking.transfer", "investing.transfer", "defi.transfer", "banking.deposit.wire"])
    func `money between a customer's own domains and by wire is free`(operation: String) throws {
        let quote = try quote(operation, "50.00", .usd)
        #expect(quote.total == .zero(.usd))
        #expect(quote.lines.isEmpty)
    }

    @Test func `a higher tier pays less for the platform and the same for the provider`() throws {
        let totals = try FeeTier.allCases.map { try quote("banking.deposit.card", "100.00", .usd, tier: $0) }
        #expect(totals.map { $0.total(of: .platform).wire } == ["0.50", "0.45", "0.40", "0.32", "0.25"])
        #expect(totals.allSatisfy { $0.total(of: .provider).wire == "3.20" })
    }

    @Test func `what the platform gains when the provider takes 3.18 is 0.02`() throws {
        let lines = try quote("banking.deposit.card", "100.00", .usd).lines
        let variance = FeeVariance(lines[1], actual: try Money(wire: "3.18", .usd))
        #expect(variance?.difference.wire == "0.02")
        #expect(FeeVariance(lines[0], actual: try Money(wire: "3.18", .usd)) == nil)
        #expect(FeeVariance(lines[1], actual: try Money(wire: "3.18", .eur)) == nil)
        #expect(FeeVariance(lines[1], actual: try Money(wire: "3.25", .usd))?.difference.wire == "-0.05")
    }

    @Test func `a payment below its fee is refused`() {
        let fees = Money(minorUnits: 10, .usd)
        #expect(throws: FeeError.feesExceedAmount(fees: fees, amount: Money(minorUnits: 9, .usd))) {
            try quote("banking.payment", "0.09", .usd)
        }
    }

    @Test func `the migration stores exactly the default schedules`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "migrations/platform/0002_fees.sql")
        let sql = try String(contentsOf: file, encoding: .utf8)
        let rows = sql.split(separator: "\n").filter { $0.hasPrefix("    ('") }.map(String.init)
        let expected = FeeSchedule.defaults.enumerated().map { index, schedule in
            let rules = String(decoding: JSON.array(schedule.rules.map(\.json)).serialized(), as: UTF8.self)
            let end = index == FeeSchedule.defaults.count - 1 ? ";" : ","
            return "    ('\(schedule.id)', '\(schedule.operation)', '\(schedule.asset)', \(schedule.version), "
                + "'[\(schedule.effectiveFrom),)', \(schedule.allowExceed), '\(rules)')\(end)"
        }
        #expect(rows == expected)
        #expect(!expected.joined().contains("''"))
    }
}
