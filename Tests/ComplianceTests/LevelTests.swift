import Kernel
import PostgreSQL
import Testing

@testable import Compliance

@Suite struct LevelTests {
    private static let rules = PolicyRules(parameters: PolicyParameters(), version: 1)
    private static let now = Timestamp(seconds: 1_800_000_000)

    private static func flags(
        _ dollars: Int128,
        after before: Int128,
        _ identification: MoneyMovement.Identification,
        _ change: (inout MovementHistory) -> Void = { _ in }
    ) -> [String] {
        let past = MovementHistory.Past(
            kind: .payment,
            asset: "USD",
            minorUnits: before * 100,
            at: Timestamp(seconds: 1_800_000_000 - 3_600)
        )
        var history = MovementHistory([past])
        change(&history)
        let movement = MoneyMovement(
            subject: 1,
            user: ID(7),
            kind: .payment,
            amount: Money(minorUnits: dollars * 100, .usd),
            identification: identification
        )
        return rules.check(movement, history, at: now).filter { $0.kind == .kyc }.flatMap(\.flags)
    }

    @Test func `who isn't identified may pay little in a day, however it is split`() {
        #expect(Self.flags(900, after: 1_100, .none).isEmpty)
        #expect(Self.flags(901, after: 1_100, .none) == ["level_limit"])
        #expect(Self.rules.needsHistory(Self.payment(1, .none)))
        #expect(!Self.rules.needsHistory(Self.payment(1, .approved)))
    }

    @Test func `documents lift the limit until they run out`() {
        #expect(Self.flags(50_000, after: 50_001, .approved) == ["level_limit"])
        #expect(Self.flags(50_000, after: 50_001, .approved) { $0.documented = .full }.isEmpty)
        let expired = Self.flags(50_000, after: 1, .approved) { ($0.documented, $0.isExpired) = (.full, true) }
        #expect(expired == ["identification_expired"])
        #expect(Self.flags(500_000, after: 500_001, .approved) { $0.documented = .full } == ["level_limit"])
    }

    @Test func `amounts of all assets count together, by their worth`() throws {
        let worth = AssetWorth.usual
        let btc = try #require(Asset(code: "BTC"))
        #expect(worth.hundredths(Money(minorUnits: 20_000_000, btc)) == 1_000_000)
        #expect(worth.hundredths(Money(minorUnits: 1, .eth)) == 0)
        #expect(worth.hundredths(Money(minorUnits: 1_999_999, .usdc)) == 199)
        #expect(AssetWorth(values: ["ETH": AssetWorth.valueMax]).hundredths(Int128(10).power(33), "ETH") > 0)
        let past = MovementHistory.Past(
            kind: .withdrawal,
            asset: "BTC",
            minorUnits: 200_000_000,
            at: Timestamp(seconds: 1_799_999_000)
        )
        var history = MovementHistory([past])
        history.documented = .full
        let flags = Self.rules.check(Self.payment(1, .approved), history, at: Self.now).flatMap(\.flags)
        #expect(flags == ["velocity"])
    }

    @Test func `a movement of nothing known is the same at every level`() {
        #expect(KYCLevel.of(.none, documented: .full, isExpired: false) == .none)
        #expect(KYCLevel.of(.rejected, documented: .full, isExpired: false) == .none)
        #expect(KYCLevel.of(.approved, documented: nil, isExpired: false) == .basic)
        #expect(KYCLevel.of(.approved, documented: .full, isExpired: false) == .full)
        #expect(KYCLevel.of(.approved, documented: .full, isExpired: true) == .none)
        for level in KYCLevel.allCases { #expect(KYCLevel(name: level.name) == level) }
        #expect(KYCLevel(name: "gold") == nil && KYCLevel.none < .full)
    }

    private static func payment(_ dollars: Int128, _ identification: MoneyMovement.Identification) -> MoneyMovement {
        MoneyMovement(
            subject: 1,
            user: ID(7),
            kind: .payment,
            amount: Money(minorUnits: dollars * 100, .usd),
            identification: identification
        )
    }
}

extension Int128 {
    fileprivate func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { result, _ in result * self } }
}
