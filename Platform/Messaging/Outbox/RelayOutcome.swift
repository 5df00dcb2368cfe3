/// What one pass of a relay came to.
struct RelayOutcome: Sendable {
    /// Events that moved on by at least one transport.
    var advanced = 0
    /// Events that every transport has taken.
    var published = 0
    /// Events that a transport refused.
    var refused = 0
    /// Refused ones that were given up.
    var dead = 0
    /// Whether events wait for a moment only, as for a relay that has an earlier one in hand.
    var isHeldUp = false
    /// Stages whose transport answered.
    var reached: [Int] = []
    /// Stages whose transport was away.
    var away: [Int] = []

    init(isHeldUp: Bool = false) { self.isHeldUp = isHeldUp }

    init(_ batch: RelayBatch, stages: Int, policy: OutboxPolicy) {
        for entry in batch.entries {
            if entry.stage > entry.record.stage { advanced += 1 }
            if entry.stage == stages { published += 1 }
            guard entry.refusal != nil else { continue }
            refused += 1
            if entry.record.attempts + 1 >= policy.attemptsMax { dead += 1 }
        }
    }
}

/// Until when each stage of a relay rests because its transport or the database was away.
struct StagePauses {
    private struct Pause {
        var until = ContinuousClock.now
        var seconds: Double
    }

    private let capSeconds: Double
    private let firstSeconds: Double
    private var pauses: [Pause]

    init(stages: Int, seconds: (first: Double, cap: Double)) {
        (firstSeconds, capSeconds) = seconds
        pauses = Array(repeating: Pause(seconds: seconds.first), count: stages)
    }

    func isPaused(_ stage: Int) -> Bool { pauses[stage].until > .now }

    mutating func pause(_ stage: Int) {
        pauses[stage].until = .now + .seconds(pauses[stage].seconds)
        pauses[stage].seconds = min(pauses[stage].seconds * 2, capSeconds)
    }

    mutating func reset(_ stage: Int) { pauses[stage].seconds = firstSeconds }
}
