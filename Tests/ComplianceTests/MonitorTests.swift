import Kernel
import PostgreSQL
import Testing

@testable import Compliance

@Suite struct MonitorTests {
    @Test func `money that only passes through is noticed on the stream, once a day`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            try await world.happened("deposit", 12_000, to: user)
            try await world.happened("payment", 5_000, to: user)
            #expect(try await world.monitor.sweepOnce() == 1)
            #expect(try await world.cases.queue().isEmpty)
            try await world.happened("payment", 6_000, to: user)
            #expect(try await world.monitor.sweepOnce() == 1)
            try await world.happened("payment", 100, to: user)
            _ = try await world.monitor.sweepOnce()
            // The case that it opened is a reason to look at the customer again; then nothing is left.
            _ = try await world.monitor.sweepOnce()
            #expect(try await world.monitor.sweepOnce() == 0)
            let queue = try await world.cases.queue()
            #expect(queue.map { $0["kind"] } == ["aml"])
            #expect(try await world.count("select count(*) from platform.compliance_alerts") == 1)
        }
    }

    @Test func `money that other customers pay in and that is passed on is noticed`() async throws {
        try await ComplianceWorld.with { world in
            let mule = try await world.user("Ana Ruiz")
            for name in ["Bo Berg", "Cy Cole", "Di Dorn"] {
                try await world.happened("payment", 4_000, to: try await world.user(name), payee: mule)
            }
            // They are told of to the monitor as to who paid.
            #expect(try await world.monitor.sweepOnce() == 4)
            #expect(try await world.cases.queue().isEmpty)
            try await world.happened("withdrawal", 11_500, to: mule)
            _ = try await world.monitor.sweepOnce()
            #expect(try await world.cases.queue().map { $0["user"] } == [.string(mule.wire)])
        }
    }

    @Test func `a risk score has a history, and falls when its reasons are gone`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            let risks = RiskHistory(pool: world.pool)
            try await world.happened("deposit", 10, to: user)
            _ = try await world.monitor.sweepOnce()
            try await world.happened("deposit", 20, to: user)
            _ = try await world.monitor.sweepOnce()
            #expect(try await risks.scores(of: user).map { $0["rating"] } == ["low"])
            let alert = ComplianceCases.Alert(
                user: user,
                kind: .sanctions,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            let id = try #require(try await world.cases.raise([alert], evidence: [:]))
            _ = try await world.monitor.sweepOnce()
            #expect(try await risks.scores(of: user).map { $0["rating"] } == ["high", "low"])
            try await world.cases.propose(id, .released, by: "ada")
            try await world.cases.decide(id, agrees: true, by: "bob")
            _ = try await world.monitor.sweepOnce()
            let scores = try await risks.scores(of: user)
            #expect(scores.map { $0["rating"] } == ["low", "high", "low"])
            #expect(scores[1]["factors"]?["open_sanctions_case"] == .integer(60))
            #expect(try await risks.scores(of: ID(1)).isEmpty)
        }
    }

    static let risks: [(Int, RiskScore.Rating, @Sendable (inout RiskScore.Known) -> Void)] = [
        (0, .low, { ($0.level, $0.days) = (.full, 400) }),
        (5, .low, { ($0.level, $0.days) = (.full, 29) }),
        (20, .low, { _ in }),
        (35, .medium, { $0.isExpired = true }),
        (45, .medium, { ($0.level, $0.isOfHighRiskCountry, $0.openOtherCases, $0.days) = (.full, true, 2, 90) }),
        (60, .high, { ($0.level, $0.confirmedCases, $0.days) = (.full, 3, 90) }),
        (100, .high, { ($0.openSanctionsCases, $0.confirmedCases) = (1, 1) }),
        (
            25, .low,
            {
                ($0.level, $0.days) = (.full, 90)
                $0.findings = [MonitoringRules.Finding(flag: "pass_through", score: 75, explanation: "")]
            }
        ),
    ]

    @Test(arguments: risks.indices)
    func `a score is the sum of what is known`(index: Int) {
        let (expected, rating, change) = Self.risks[index]
        var known = RiskScore.Known()
        change(&known)
        #expect(RiskScore(known).score == expected)
        #expect(RiskScore(known).rating == rating)
    }

    @Test func `what a released case was about isn't found again`() {
        let now = Timestamp(seconds: 1_800_000_000)
        func past(_ kind: MoneyMovement.Kind, _ dollars: Int128) -> MovementHistory.Past {
            MovementHistory.Past(
                kind: kind,
                asset: "USD",
                minorUnits: dollars * 100,
                at: Timestamp(seconds: 1_799_999_000)
            )
        }
        var history = MovementHistory([past(.deposit, 20_000), past(.withdrawal, 18_000)])
        let rules = MonitoringRules(parameters: PolicyParameters())
        #expect(rules.findings(in: history, at: now).map(\.flag) == ["pass_through"])
        history.cleared = ["pass_through"]
        #expect(rules.findings(in: history, at: now).isEmpty)
        let split = MovementHistory([past(.deposit, 9_000), past(.deposit, 9_100), past(.deposit, 9_200)])
        #expect(rules.findings(in: split, at: now).map(\.flag) == ["structuring"])
    }
}
