import Compliance
import Kernel
public import PostgreSQL
import Screening

/// The whole screening, index and scoring, asked about an invented world whose truth is known.
public struct ScreeningEvaluation: Sendable {
    /// What came of it.
    public struct Report: Sendable {
        /// Entries and names of the list.
        public let size: (entries: Int, names: Int)
        /// Of those on the list who are asked for with birth or country, the share that is found.
        public let recall: Double
        /// Of all who are found with birth or country, the share that is on the list.
        public let precision: Double
        /// Of those on the list who are asked for by name alone, the share that is found.
        public let nameRecall: Double
        /// Of clean names, the share that is taken for somebody on the list.
        public let cleanAlerts: Double
        /// Of each way in which a name was changed, the share that is found: with birth or country, by name alone.
        public let transformations: [(name: String, recall: Double, nameRecall: Double)]
        /// How long each screen took, sorted, in milliseconds.
        public let milliseconds: [Double]

        /// The time that a share (0 to 1) of the screens kept, in milliseconds.
        public func percentile(_ share: Double) -> Double {
            guard let last = milliseconds.indices.last else { return 0 }
            return milliseconds[min(last, Int(Double(milliseconds.count) * share))]
        }
    }

    private struct Outcome: Sendable {
        let label: String
        let isAlert: Bool
        let isFound: Bool
        let milliseconds: Double
    }

    private let world: SyntheticWorld
    private let pool: Pool
    private let screening: SanctionsScreening

    /// A world of so many people on the list and a seventh as many companies, the same for the same seed; `pool` is the
    /// platform's of an empty store.
    public init(seed: UInt64, entries: Int, pool: Pool) {
        world = SyntheticWorld(seed: seed, entries: entries)
        self.pool = pool
        screening = SanctionsScreening(pool: pool)
    }

    /// Puts the list in force; how many names it has.
    ///
    /// - Throws: what the store throws.
    public func load() async throws -> Int {
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
        return try await lists.load(list, of: .ofac, checksum: [UInt8](repeating: 1, count: 32), by: "evaluation").names
    }

    /// Asks about everybody: who is on the list with evidence and by name alone, hard cases and clean names.
    ///
    /// - Throws: what the store throws.
    public func run(names: Int, lanes: Int) async throws -> Report {
        let truths = try await screen(world.truths, lanes, withEvidence: true)
        let truthsByName = try await screen(world.truths, lanes, withEvidence: false)
        let strangers = try await screen(world.hardNegatives + world.clean, lanes, withEvidence: true)
        let clean = try await screen(world.clean, lanes, withEvidence: false)
        let found = truths.count(where: \.isFound)
        return Report(
            size: (world.entries.count, names),
            recall: Self.share(truths, \.isFound),
            precision: Double(found) / Double(max(1, found + strangers.count(where: \.isAlert))),
            nameRecall: Self.share(truthsByName, \.isFound),
            cleanAlerts: Self.share(clean, \.isAlert),
            transformations: Transformation.allCases.map { transformation in
                let name = transformation.rawValue
                return (
                    name, Self.share(truths.filter { $0.label == name }, \.isFound),
                    Self.share(truthsByName.filter { $0.label == name }, \.isFound)
                )
            },
            milliseconds: (truths + truthsByName + strangers + clean).map(\.milliseconds).sorted()
        )
    }

    private func screen(
        _ queries: [SyntheticWorld.Query],
        _ lanes: Int,
        withEvidence: Bool
    ) async throws -> [Outcome] {
        try await withThrowingTaskGroup(of: [Outcome].self) { group in
            for lane in 0..<lanes {
                group.addTask { [screening] in
                    var outcomes: [Outcome] = []
                    for index in stride(from: lane, to: queries.count, by: lanes) {
                        let query = queries[index]
                        let start = ContinuousClock.now
                        let hits = try await screening.screen(Self.subject(query, withEvidence: withEvidence))
                        let took = (ContinuousClock.now - start).components
                        outcomes.append(
                            Outcome(
                                label: query.label,
                                isAlert: !hits.isEmpty,
                                isFound: query.entry.map { entry in hits.contains { $0.entry.key == String(entry) } }
                                    ?? false,
                                milliseconds: Double(took.seconds) * 1_000 + Double(took.attoseconds) / 1e15
                            )
                        )
                    }
                    return outcomes
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private static func subject(_ query: SyntheticWorld.Query, withEvidence: Bool) -> ScreeningSubject {
        ScreeningSubject(
            user: nil,
            name: query.name,
            kind: query.kind,
            birth: withEvidence ? query.birth : nil,
            countries: withEvidence ? query.countries : []
        )
    }

    /// Not a number where nothing was tried, which no bound holds for.
    private static func share(_ outcomes: [Outcome], _ holds: (Outcome) -> Bool) -> Double {
        outcomes.isEmpty ? .nan : Double(outcomes.count(where: holds)) / Double(outcomes.count)
    }
}

extension ScreeningEvaluation.Report {
    /// The report for people, a figure or a way of changing names a line.
    public var lines: [String] {
        [
            "screening of \(size.entries) entries, \(size.names) names",
            "  birth or country: recall \(Self.rounded(recall)), precision \(Self.rounded(precision))",
            "  name alone: recall \(Self.rounded(nameRecall)), alerts on clean names \(Self.rounded(cleanAlerts))",
            "  a screen: p50 \(Self.rounded(percentile(0.5))) ms, p99 \(Self.rounded(percentile(0.99))) ms",
        ] + transformations.map { "  \($0.name): \(Self.rounded($0.recall)), by name \(Self.rounded($0.nameRecall))" }
    }

    private static func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
