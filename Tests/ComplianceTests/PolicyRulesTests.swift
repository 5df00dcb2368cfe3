import Kernel
import Testing

@testable import Compliance

@Suite struct PolicyRulesTests {
    private static let now = Timestamp(seconds: 1_800_000_000)
    private static let user = ID<User>(7)
    private static let rules = PolicyRules(parameters: PolicyParameters(), version: 3)

    private static func movement(_ kind: MoneyMovement.Kind, _ dollars: Int128) -> MoneyMovement {
        let amount = Money(minorUnits: dollars * 100, Asset(code: "USD") ?? .usd)
        return MoneyMovement(subject: 1, user: user, kind: kind, amount: amount, identification: .approved)
    }

    private static func past(
        _ kind: MoneyMovement.Kind,
        _ dollars: Int128,
        hoursAgo: Int64,
        isArrival: Bool = false
    ) -> MovementHistory.Past {
        let at = Timestamp(seconds: 1_800_000_000 - hoursAgo * 3_600)
        return MovementHistory.Past(kind: kind, asset: "USD", minorUnits: dollars * 100, at: at, isArrival: isArrival)
    }

    private static func flags(_ movement: MoneyMovement, _ history: MovementHistory) -> [String] {
        rules.check(movement, history, at: now).flatMap(\.flags)
    }

    @Test func `small payments need no history, money that leaves always does`() {
        #expect(!Self.rules.needsHistory(Self.movement(.payment, 999)))
        #expect(Self.rules.needsHistory(Self.movement(.payment, 1_000)))
        #expect(Self.rules.needsHistory(Self.movement(.withdrawal, 1)))
    }

    @Test func `an ordinary history raises nothing`() {
        let history = MovementHistory([Self.past(.deposit, 500, hoursAgo: 50), Self.past(.payment, 20, hoursAgo: 2)])
        for kind in MoneyMovement.Kind.allCases { #expect(Self.flags(Self.movement(kind, 100), history).isEmpty) }
    }

    @Test func `much in a day is looked at, the same long ago isn't`() {
        let much = MovementHistory([Self.past(.withdrawal, 60_000, hoursAgo: 3)])
        #expect(Self.flags(Self.movement(.withdrawal, 40_000), much) == ["velocity"])
        #expect(Self.flags(Self.movement(.withdrawal, 39_999), much).isEmpty)
        #expect(Self.flags(Self.movement(.deposit, 90_000), much).isEmpty)
        let long = MovementHistory([Self.past(.withdrawal, 60_000, hoursAgo: 30)])
        #expect(Self.flags(Self.movement(.withdrawal, 40_000), long).isEmpty)
        let many = MovementHistory((0..<300).map { _ in Self.past(.payment, 1, hoursAgo: 1) })
        #expect(Self.flags(Self.movement(.withdrawal, 1), many) == ["velocity"])
    }

    @Test func `amounts just below the flagged one are taken for one that was split`() {
        let two = MovementHistory([Self.past(.deposit, 9_000, hoursAgo: 5), Self.past(.deposit, 9_500, hoursAgo: 1)])
        #expect(Self.flags(Self.movement(.deposit, 9_900), two) == ["structuring"])
        #expect(Self.flags(Self.movement(.deposit, 10_000), two).isEmpty)
        #expect(Self.flags(Self.movement(.deposit, 7_999), two).isEmpty)
        #expect(Self.flags(Self.movement(.withdrawal, 9_900), two).isEmpty)
    }

    @Test func `a new device, a sleeping account and a country of high risk are looked at`() {
        var history = MovementHistory([Self.past(.deposit, 500, hoursAgo: 50)])
        history.newestDeviceAt = Timestamp(seconds: 1_800_000_000 - 3_600)
        #expect(Self.flags(Self.movement(.withdrawal, 2_000), history) == ["new_device"])
        #expect(Self.flags(Self.movement(.withdrawal, 200), history).isEmpty)
        history.newestDeviceAt = Timestamp(seconds: 1_800_000_000 - 86_400)
        #expect(Self.flags(Self.movement(.withdrawal, 2_000), history).isEmpty)
        let asleep = MovementHistory([Self.past(.deposit, 500, hoursAgo: 24 * 180)])
        #expect(Self.flags(Self.movement(.payment, 1_000), asleep) == ["dormant_account"])
        #expect(Self.flags(Self.movement(.deposit, 1_000), asleep).isEmpty)
        history.countries = ["FR", "KP"]
        #expect(Self.flags(Self.movement(.withdrawal, 1), history) == ["high_risk_country"])
    }

    @Test func `money sent round between domains is noticed, and looked at when it leaves`() {
        let round = MovementHistory(
            (0..<12).map { Self.past(.transfer, 50, hoursAgo: 2, isArrival: $0.isMultiple(of: 2)) }
        )
        let leaving = Self.rules.check(Self.movement(.withdrawal, 50), round, at: Self.now)
        #expect(leaving.map(\.rule) == ["round_trip.v3"] && leaving.map(\.outcome) == [.review])
        let inside = Self.rules.check(Self.movement(.transfer, 50), round, at: Self.now)
        #expect(inside.map(\.outcome) == [.approve])
    }

    @Test func `the history keeps the youngest`() {
        var history = MovementHistory()
        for hour in (0...Int64(MovementHistory.movementsMax)).reversed() {
            history.append(Self.past(.payment, 1, hoursAgo: hour))
        }
        #expect(history.past.count == MovementHistory.movementsMax)
        #expect(history.lately(Self.now).count == 24)
    }

    @Test func `parameters are read as they are written`() throws {
        var parameters = PolicyParameters()
        parameters.velocityCount = 5
        parameters.highRiskCountries = ["FR"]
        #expect(try PolicyParameters(json: parameters.json) == parameters)
        #expect(try PolicyParameters(json: [:]) == PolicyParameters())
    }

    static let impossible: [(JSON, PolicyParametersError)] = [
        ([], .notAnObject), (["velocity": .integer(1)], .unknown("velocity")),
        (["velocity_count": "5"], .impossible("velocity_count")),
        (["velocity_count": .integer(0)], .impossible("velocity_count")),
        (["flag_units": .integer(2_000_000)], .impossible("flag_units")),
        (["structuring_percent": .integer(100)], .impossible("structuring_percent")),
        (["high_risk_countries": ["FRA"]], .impossible("high_risk_countries")),
    ]

    @Test(arguments: PolicyRulesTests.impossible)
    func `parameters that can't be are refused`(json: JSON, error: PolicyParametersError) {
        #expect(throws: error) { try PolicyParameters(json: json) }
    }
}
