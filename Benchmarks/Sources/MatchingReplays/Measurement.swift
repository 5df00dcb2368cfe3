/// How fast an engine replayed a workload.
struct Measurement {
    /// Operations in a second, one figure a round.
    var rates: [Double] = []
    /// Nanoseconds of each operation of a round of its own, rising; what an empty interval takes is taken off.
    var latencies: [UInt32] = []
    var trades: UInt64 = 0
    var live = 0

    /// Replays a workload once for throughput.
    mutating func addRate<E: Engine>(of type: E.Type, _ workload: Workload) {
        let engine = E(workload)
        let start = ContinuousClock.now
        Measurement.replay(engine, workload)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        rates.append(seconds > 0 ? Double(workload.operations.count) / seconds : 0)
        (trades, live) = (engine.trades, engine.live)
    }

    /// How many operations ahead the engine is told of an order.
    private static let (farAhead, nearAhead, soon) = (16, 8, 4)

    @inline(never)
    private static func replay<E: Engine>(_ engine: E, _ workload: Workload) {
        workload.operations.withUnsafeBufferPointer { operations in
            guard workload.symbols > 1 else {
                for index in operations.indices { engine.apply(operations[index]) }
                return
            }
            // The live orders of many books are too many for the caches.
            for index in operations.indices {
                let far = min(index &+ farAhead, operations.count &- 1)
                let near = min(index &+ nearAhead, operations.count &- 1)
                engine.approach(operations[far].id, operations[near].id)
                engine.approach(operations[min(index &+ soon, operations.count &- 1)])
                engine.apply(operations[index])
            }
        }
    }

    /// Replays a workload once for latencies.
    mutating func addLatencies<E: Engine>(of type: E.Type, _ workload: Workload) {
        let engine = E(workload)
        var found = [UInt32](repeating: 0, count: workload.operations.count)
        let cost = Nanoseconds.readingCost()
        workload.operations.withUnsafeBufferPointer { operations in
            var last = Nanoseconds.now
            for index in operations.indices {
                engine.apply(operations[index])
                let now = Nanoseconds.now
                found[index] = UInt32(clamping: max(now &- last, cost) &- cost)
                last = now
            }
        }
        found.sort()
        latencies = found
    }

    /// The line that tells it.
    func line(_ name: String, _ workload: Workload) -> String {
        let sorted = rates.sorted()
        let median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
        let parts = [
            "engine=\(name)", "ops=\(workload.operations.count)",
            "best=\(Measurement.millions(sorted.last ?? 0)) Mops/s",
            "median=\(Measurement.millions(median)) Mops/s", "p50=\(latency(0.5))", "p99=\(latency(0.99))",
            "p99.9=\(latency(0.999))", "max=\(latencies.last ?? 0) ns", "trades=\(trades)", "live=\(live)",
        ]
        return parts.joined(separator: " ")
    }

    private func latency(_ quantile: Double) -> UInt32 {
        guard !latencies.isEmpty else { return 0 }
        let position = Int((Double(latencies.count) * quantile).rounded(.up)) - 1
        return latencies[min(max(position, 0), latencies.count - 1)]
    }

    // Two decimals, by integers: no locale gets in.
    private static func millions(_ rate: Double) -> String {
        let hundredths = Int((rate / 10_000).rounded())
        return "\(hundredths / 100).\(String(100 + hundredths % 100).dropFirst())"
    }
}
