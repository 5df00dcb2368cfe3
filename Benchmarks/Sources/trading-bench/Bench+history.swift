import BenchServers
import Kernel
import Measuring

// Orders beside millions of old ones.
extension Bench {
    /// Placing beside old orders against placing beside none, their rounds in turns, and what each reading route does.
    func measureHistory(oldOrders: Int, printsPlans: Bool) async throws {
        try await withVenue("young") { young in
            try await withVenue("old") { old in
                Report.say("seeding \(oldOrders) old orders")
                try await OldOrders(count: oldOrders, crowd: old).seed()
                for (name, kind) in [("resting", OrderFlow.Kind.resting), ("trading", .trading)] {
                    results.add(try await contest(name, kind, old, young, oldOrders))
                }
                try await QueryPlans(crowd: old, printsPlans: printsPlans).measure(into: results)
            }
        }
    }

    private func contest(
        _ name: String,
        _ kind: OrderFlow.Kind,
        _ old: Crowd,
        _ young: Crowd,
        _ count: Int
    ) async throws -> BenchmarkRow {
        let (theirs, ours) = (OrderFlow(young, kind), OrderFlow(old, kind))
        let (callers, pacing) = (callers, pacing)
        // What was seeded isn't in memory yet, in both of them.
        for flow in [theirs, ours] { _ = try await Callers.atFullSpeed(callers, seconds: 2, flow.call) }
        return try await Contest(
            Contestant("\(name) orders beside \(count) old ones", clients: callers) { seconds in
                try await Callers.atFullSpeed(callers, seconds: Double(seconds), ours.call)
            },
            against: Contestant("beside none", clients: callers) { seconds in
                try await Callers.atFullSpeed(callers, seconds: Double(seconds), theirs.call)
            }
        ).run(pacing)
    }
}
