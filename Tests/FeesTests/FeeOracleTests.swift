import Fees
import Foundation
import Kernel
import Testing

@Suite struct FeeOracleTests {
    /// `DIBOAS_FEE_CASES` asks for another number, `DIBOAS_FEE_SEED` for the cases of an earlier run.
    private static let cases = ProcessInfo.processInfo.environment["DIBOAS_FEE_CASES"].flatMap { Int($0) } ?? 100_000
    private static let seed =
        ProcessInfo.processInfo.environment["DIBOAS_FEE_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...9_999_999)

    @Test func `quotes equal those of an independent decimal calculation`() throws {
        var schedule: FeeSchedule?
        var (compared, charged, differences) = (0, 0, 0)
        try Oracle.run("quotes", cases: Self.cases, seed: Self.seed) { line in
            guard let fields = line.elements else {
                let read = try FeeSchedule(json: line)
                #expect(try FeeSchedule(json: read.json) == read)
                schedule = read
                return
            }
            let schedule = try #require(schedule)
            let expected = fields.last?.stringValue
            let found = Self.answer(try Self.context(fields, schedule.asset), schedule)
            compared += 1
            if !found.hasPrefix("!") { charged += 1 }
            if found == expected { return }
            differences += 1
            if differences <= 10 { Issue.record("seed \(Self.seed): \(fields) gave \(found) by \(schedule)") }
        }
        #expect(differences == 0, "seed \(Self.seed)")
        #expect(compared == Self.cases)
        #expect(charged > compared / 2, "most generated cases have a quote; seed \(Self.seed)")
    }

    @Test func `fees of fills equal those of an independent decimal calculation`() throws {
        var compared = 0
        try Oracle.run("fills", cases: 2_000, seed: Self.seed) { line in
            let fields = try #require(line.elements)
            let asset = try #require(fields[0].stringValue.flatMap { Asset(code: $0) })
            var fee = CumulativeFee(asset)
            var found: [String] = []
            for fill in fields[1].elements ?? [] {
                let amount = try Money(wire: fill.elements?[0].stringValue ?? "", asset)
                found.append(try fee.charge(amount, rate: try percent(fill.elements?[1].stringValue ?? "")).wire)
                #expect(CumulativeFee(asset, accrued: fee.accrued) == fee)
            }
            #expect(found == fields[2].elements?.map(\.stringValue), "seed \(Self.seed)")
            compared += 1
        }
        #expect(compared == 2_000)
    }

    private static func context(_ fields: [JSON], _ asset: Asset) throws -> FeeContext {
        guard case .object(let members) = fields[5] else { throw Oracle.Failure(description: "no usage: \(fields)") }
        var used: [String: FeeUsage] = [:]
        for member in members {
            let amount = try Money(wire: member.value.elements?[0].stringValue ?? "", asset)
            used[member.name] = FeeUsage(amount: amount, count: member.value.elements?[1].integerValue ?? -1)
        }
        return FeeContext(
            amount: try Money(wire: fields[0].stringValue ?? "", asset),
            tier: try #require(fields[1].integerValue.flatMap { FeeTier(rawValue: $0) }),
            monthVolume: try Money(wire: fields[2].stringValue ?? "", asset),
            provider: fields[3].stringValue,
            premiumOptions: Set((fields[4].elements ?? []).compactMap(\.stringValue)),
            used: used
        )
    }

    private static func answer(_ context: FeeContext, _ schedule: FeeSchedule) -> String {
        do {
            let quote = try FeeEngine.quote(context, schedule: schedule, id: ID(1), at: Fixture.instant)
            return "\(quote.total.wire)|" + quote.lines.map(text).joined(separator: ";")
        } catch {
            return "!" + text(error)
        }
    }

    private static func text(_ line: FeeLine) -> String {
        let taken = line.allowanceTaken.map { "\($0.amount.wire):\($0.count)" } ?? ":"
        let bound = line.bound?.rawValue ?? ""
        return "\(line.rule):\(line.base.wire):\(line.raw):\(line.amount.wire):\(bound):\(taken)"
    }

    private static func text(_ error: FeeError) -> String {
        switch error {
        case .amountNotPositive: "amount_not_positive"
        case .providerRequired: "provider_required"
        case .unknownPremiumOption(let option): "unknown_premium_option \(option)"
        case .allowanceUsageMissing: "allowance_usage_missing"
        case .feesExceedAmount(let fees, _): "fees_exceed_amount \(fees.wire)"
        case .overflow: "overflow"
        default: "\(error)"
        }
    }
}
