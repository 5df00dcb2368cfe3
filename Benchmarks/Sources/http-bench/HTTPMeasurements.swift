import Foundation
import Measuring

/// The rows of this benchmark.
struct HTTPMeasurements: Sendable {
    /// The rate at which webhooks are measured.
    static let webhooksPerSecond = 2_000.0
    /// The rate at which orders are measured.
    static let ordersPerSecond = 1_000.0

    let load: LoadGenerator
    let pacing: Pacing

    /// Requests as fast as the server answers, beside the emptiest route.
    func fullSpeed(_ name: String, _ source: RequestSource) async throws -> BenchmarkRow {
        try await Contest(
            contestant("\(name) at full speed", source),
            against: contestant("GET /livez at full speed", .liveness(load.address))
        ).run(pacing)
    }

    /// The 99th percentile at a given rate, beside that of the emptiest route at the same rate.
    func paced(_ name: String, perSecond: Double, _ source: RequestSource) async throws -> BenchmarkRow {
        var (mine, theirs): ([Round], [Round]) = ([], [])
        for _ in 0..<pacing.rounds {
            theirs.append(try await round(.liveness(load.address), perSecond: perSecond))
            mine.append(try await round(source, perSecond: perSecond))
        }
        func percentile(_ rounds: [Round], _ share: Double) -> Double? {
            median(rounds.compactMap { $0.latencies.percentile(share) })
        }
        let reached = median(mine.map { Double($0.operations) / $0.seconds }) ?? 0
        return BenchmarkRow(
            "p99 of \(name)",
            unit: .milliseconds,
            figure: percentile(mine, 0.99) ?? 0,
            clients: load.connections,
            p50: percentile(mine, 0.5),
            p99: percentile(mine, 0.99),
            baseline: .init("GET /livez at the same rate", percentile(theirs, 0.99) ?? 0),
            note: "asked for \(Int(perSecond))/s, got \(Int(reached))/s"
        )
    }

    private func contestant(_ name: String, _ source: RequestSource) -> Contestant {
        Contestant(name, clients: load.connections) { seconds in
            try await load.run(source, seconds: Double(seconds), perSecond: nil)
        }
    }

    private func round(_ source: RequestSource, perSecond: Double) async throws -> Round {
        try await load.run(source, seconds: Double(pacing.roundSeconds), perSecond: perSecond)
    }
}
