import Compliance
import Foundation
import Kernel
import PostgreSQL
import Screening
import TestSupport
import Testing

/// The whole screening, index and scoring, against an invented world whose truth is known.
///
/// `DIBOAS_SCREENING_ENTRIES=20000` is the size that the figures in docs/compliance.md are from.
@Suite struct EvaluationTests {
    private static let entries =
        ProcessInfo.processInfo.environment["DIBOAS_SCREENING_ENTRIES"].flatMap { Int($0) } ?? 1_000
    private static let seed = ProcessInfo.processInfo.environment["DIBOAS_SCREENING_SEED"].flatMap { UInt64($0) } ?? 11
    private static let lanes = 4

    /// What screening one query gave.
    private struct Outcome: Sendable {
        let label: String
        let isAlert: Bool
        let isFound: Bool
        let milliseconds: Double
    }

    @Test(.timeLimit(.minutes(60)))
    func `who is on the list is found, and hardly anybody else`() async throws {
        let world = SyntheticWorld(seed: Self.seed, entries: Self.entries)
        try await TestDatabase.with { database in
            let pool = database.pool(.platform, size: Self.lanes)
            let clock = SystemClock()
            let lists = SanctionsLists(pool: pool, ids: IDGenerator(clock: clock), clock: clock)
            var list = ReadList()
            list.parties = world.entries.enumerated().map { index, entry in
                ListedParty(
                    key: String(index),
                    kind: entry.kind,
                    names: entry.names.map { ListedParty.Name($0) },
                    births: entry.births,
                    countries: Array(entry.countries)
                )
            }
            let report = try await lists.load(list, of: .ofac, checksum: [UInt8](repeating: 1, count: 32), by: "test")
            #expect(report.added == world.entries.count && report.rejected == 0)
            _ = try await database.pool().query("analyze platform.sanctions_names")
            try await check(world, SanctionsScreening(pool: pool), names: report.names)
        }
    }

    private func check(_ world: SyntheticWorld, _ screening: SanctionsScreening, names: Int) async throws {
        let truths = try await screen(world.truths, screening, withEvidence: true)
        let truthsByName = try await screen(world.truths, screening, withEvidence: false)
        let strangers = try await screen(world.hardNegatives + world.clean, screening, withEvidence: true)
        let clean = try await screen(world.clean, screening, withEvidence: false)
        let found = truths.count(where: \.isFound)
        let recall = Double(found) / Double(truths.count)
        let precision = Double(found) / Double(found + strangers.count(where: \.isAlert))
        let nameRecall = Double(truthsByName.count(where: \.isFound)) / Double(truthsByName.count)
        let alerts = Double(clean.count(where: \.isAlert)) / Double(clean.count)
        print("screening, seed \(Self.seed): \(world.entries.count) entries, \(names) names")
        print("  birth or country: recall \(rounded(recall)), precision \(rounded(precision))")
        print("  name alone: recall \(rounded(nameRecall)), alerts on clean names \(rounded(alerts))")
        for transformation in Transformation.allCases {
            let with = truths.filter { $0.label == transformation.rawValue }
            let without = truthsByName.filter { $0.label == transformation.rawValue }
            #expect(!with.isEmpty, "nothing was tried for \(transformation)")
            print(
                "  \(transformation): \(rounded(Double(with.count(where: \.isFound)) / Double(with.count))),",
                "by name \(rounded(Double(without.count(where: \.isFound)) / Double(without.count)))"
            )
        }
        let times = (truths + truthsByName + strangers + clean).map(\.milliseconds).sorted()
        print("  a screen: p50 \(rounded(times[times.count / 2])) ms, p99 \(rounded(times[times.count * 99 / 100])) ms")
        #expect(recall >= 0.99)
        #expect(precision >= 0.60)
        #expect(nameRecall >= 0.97)
        #expect(alerts <= 0.015)
    }

    private func screen(
        _ queries: [SyntheticWorld.Query],
        _ screening: SanctionsScreening,
        withEvidence: Bool
    ) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: [Outcome].self) { group in
            for lane in 0..<Self.lanes {
                group.addTask {
                    var outcomes: [Outcome] = []
                    for index in stride(from: lane, to: queries.count, by: Self.lanes) {
                        let query = queries[index]
                        let start = ContinuousClock.now
                        let hits = try await screening.screen(
                            ScreeningSubject(
                                user: nil,
                                name: query.name,
                                kind: query.kind,
                                birth: withEvidence ? query.birth : nil,
                                countries: withEvidence ? query.countries : []
                            )
                        )
                        outcomes.append(
                            Outcome(
                                label: query.label,
                                isAlert: !hits.isEmpty,
                                isFound: query.entry.map { entry in hits.contains { $0.entry.key == String(entry) } }
                                    ?? false,
                                milliseconds: (ContinuousClock.now - start).seconds * 1_000
                            )
                        )
                    }
                    return outcomes
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
