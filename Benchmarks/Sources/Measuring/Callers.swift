/// A fast source of randomness for load (SplitMix64; Steele, Lea and Flood 2014); worth nothing as a secret.
public struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A source that starts somewhere else each time.
    public init() { state = UInt64.random(in: .min ... .max) }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Callers that work side by side.
public enum Callers {
    /// One call; answers how many operations it did.
    public typealias Call = @Sendable (inout SplitMix) async throws -> Int

    /// What one caller did.
    private struct Work: Sendable {
        var operations = 0
        var latencies: [Double] = []
    }

    /// Each caller calls again as soon as it has its answer, for some seconds.
    ///
    /// - Throws: the first failure of a call.
    public static func atFullSpeed(_ callers: Int, seconds: Double, _ call: @escaping Call) async throws -> Round {
        let start = ContinuousClock.now
        return try await together(callers, from: start) { _, random, work in
            while ContinuousClock.now - start < .seconds(seconds), !Task.isCancelled {
                let begun = ContinuousClock.now
                work.operations += try await call(&random)
                work.latencies.append((ContinuousClock.now - begun).inSeconds * 1000)
            }
        }
    }

    /// Callers that together make so many calls a second, as long as `goesOn` says so.
    ///
    /// A call that begins late because the one before it took long counts from when it was due, so that a stall is seen
    /// by every call that it held up.
    public static func paced(
        _ callers: Int,
        perSecond: Double,
        while goesOn: @escaping @Sendable () -> Bool,
        _ call: @escaping Call
    ) async throws -> Round {
        let start = ContinuousClock.now
        let step = Duration.seconds(Double(callers) / perSecond)
        return try await together(callers, from: start) { number, random, work in
            var due = start + step * (Double(number) / Double(callers))
            while goesOn(), !Task.isCancelled {
                let isLate = ContinuousClock.now > due
                if !isLate { try await Task.sleep(until: due, clock: .continuous) }
                let begun = isLate ? due : ContinuousClock.now
                work.operations += try await call(&random)
                work.latencies.append((ContinuousClock.now - begun).inSeconds * 1000)
                due += step
            }
        }
    }

    private static func together(
        _ callers: Int,
        from start: ContinuousClock.Instant,
        _ body: @escaping @Sendable (Int, inout SplitMix, inout Work) async throws -> Void
    ) async throws -> Round {
        let works = try await withThrowingTaskGroup(of: Work.self) { group in
            for number in 0..<callers {
                group.addTask {
                    var (random, work) = (SplitMix(), Work())
                    try await body(number, &random, &work)
                    return work
                }
            }
            return try await group.reduce(into: [Work]()) { $0.append($1) }
        }
        try Task.checkCancellation()
        return Round(
            operations: works.reduce(0) { $0 + $1.operations },
            seconds: (ContinuousClock.now - start).inSeconds,
            latencies: Latencies(milliseconds: works.flatMap(\.latencies))
        )
    }
}
