/// What one short round of a contestant came to.
public struct Round: Sendable {
    /// Operations that were done.
    public let operations: Int
    /// How long it took.
    public let seconds: Double
    /// How long the single calls took.
    public let latencies: Latencies

    /// A round.
    public init(operations: Int, seconds: Double, latencies: Latencies = Latencies()) {
        (self.operations, self.seconds, self.latencies) = (operations, seconds, latencies)
    }

    var perSecond: Double { seconds > 0 ? Double(operations) / seconds : 0 }
}

/// Something that is measured, in rounds.
public struct Contestant: Sendable {
    /// What it is.
    public let name: String
    /// How many callers it has at once.
    public let clients: Int
    private let body: @Sendable (_ seconds: Int) async throws -> Round

    /// A contestant; `body` works for about the seconds given, or does a fixed piece of work.
    public init(_ name: String, clients: Int, _ body: @escaping @Sendable (_ seconds: Int) async throws -> Round) {
        (self.name, self.clients, self.body) = (name, clients, body)
    }

    /// One round.
    public func round(seconds: Int) async throws -> Round { try await body(seconds) }
}

/// How long rows are measured.
public struct Pacing: Sendable {
    /// Rounds of a row at most.
    static let roundsMax = 3

    /// How many rounds a contestant has.
    public let rounds: Int
    /// Whole seconds of a round, since pgbench knows no others.
    public let roundSeconds: Int

    /// About so many seconds a contestant, 1 or more.
    public init(seconds: Int) {
        rounds = min(max(seconds, 1), Pacing.roundsMax)
        roundSeconds = (max(seconds, 1) + rounds - 1) / rounds
    }
}

/// A contestant beside its baseline: their rounds take turns, so that what slows the machine down slows both.
public struct Contest: Sendable {
    private let ours: Contestant
    private let baseline: Contestant

    /// A contest.
    public init(_ ours: Contestant, against baseline: Contestant) { (self.ours, self.baseline) = (ours, baseline) }

    /// Runs the rounds; every figure is the median of its rounds.
    public func run(_ pacing: Pacing, note: String? = nil) async throws -> BenchmarkRow {
        var (mine, theirs): ([Round], [Round]) = ([], [])
        for _ in 0..<pacing.rounds {
            try Task.checkCancellation()
            theirs.append(try await baseline.round(seconds: pacing.roundSeconds))
            try Task.checkCancellation()
            mine.append(try await ours.round(seconds: pacing.roundSeconds))
        }
        return BenchmarkRow(
            ours.name,
            unit: .perSecond,
            figure: median(mine.map(\.perSecond)) ?? 0,
            clients: ours.clients,
            p50: median(mine.compactMap { $0.latencies.percentile(0.5) }),
            p99: median(mine.compactMap { $0.latencies.percentile(0.99) }),
            baseline: .init(baseline.name, median(theirs.map(\.perSecond)) ?? 0),
            note: note
        )
    }
}
