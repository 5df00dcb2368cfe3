import Foundation
import PostgreSQL
import ScreeningWorld
import TestSupport
import Testing

/// The whole screening, index and scoring, against an invented world whose truth is known.
///
/// `DIBOAS_SCREENING_ENTRIES=20000` is the whole size; `Benchmarks/run --part identity` asks the same of it in release.
@Suite struct EvaluationTests {
    private static let entries =
        ProcessInfo.processInfo.environment["DIBOAS_SCREENING_ENTRIES"].flatMap { Int($0) } ?? 1_000
    private static let seed = ProcessInfo.processInfo.environment["DIBOAS_SCREENING_SEED"].flatMap { UInt64($0) } ?? 11
    private static let lanes = 4

    @Test(.timeLimit(.minutes(60)))
    func `who is on the list is found, and hardly anybody else`() async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.platform, size: Self.lanes)
            let evaluation = ScreeningEvaluation(seed: Self.seed, entries: Self.entries, pool: pool)
            let names = try await evaluation.load()
            _ = try await database.pool().query("analyze platform.sanctions_names")
            let report = try await evaluation.run(names: names, lanes: Self.lanes)
            for line in report.lines { print(line) }
            #expect(report.size.entries >= Self.entries && names >= report.size.entries)
            for way in report.transformations { #expect(way.recall > 0, "nothing was found of \(way.name)") }
            #expect(report.recall >= 0.99)
            #expect(report.precision >= 0.60)
            #expect(report.nameRecall >= 0.97)
            #expect(report.cleanAlerts <= 0.015)
        }
    }
}
