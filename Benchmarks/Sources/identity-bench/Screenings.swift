import Measuring
import PostgreSQL
import ScreeningWorld

/// Names screened against a list of 20,000 people and 3,000 companies, all invented.
struct Screenings: Sendable {
    private static let entries = 20_000
    private static let lanes = 2

    let pool: Pool
    /// The tables' owner, who may have them analysed.
    let owner: Pool
    let seed: UInt64

    /// The rows of screening: the rate and the times of all queries of the evaluation, whose qualities are the note.
    func rows() async throws -> [BenchmarkRow] {
        let evaluation = ScreeningEvaluation(seed: seed, entries: Self.entries, pool: pool)
        let names = try await evaluation.load()
        _ = try await owner.query("analyze platform.sanctions_names")
        let start = ContinuousClock.now
        let report = try await evaluation.run(names: names, lanes: Self.lanes)
        let seconds = (ContinuousClock.now - start).inSeconds
        return [
            BenchmarkRow(
                "screens of names against \(report.size.entries) entries",
                unit: .perSecond,
                figure: Double(report.milliseconds.count) / seconds,
                clients: Self.lanes,
                p50: report.percentile(0.5),
                p99: report.percentile(0.99),
                note: report.lines.joined(separator: "\n    ")
            )
        ]
    }
}
