/// How long to wait before the next attempt: doubling up to a bound, half of it random, so that clients don't come back
/// in step.
struct ReconnectDelay {
    private let firstNanoseconds: Int64
    private let maxNanoseconds: Int64
    private var currentNanoseconds: Int64

    init(firstSeconds: Double, maxSeconds: Double) {
        firstNanoseconds = Monotonic.nanoseconds(firstSeconds)
        maxNanoseconds = Monotonic.nanoseconds(maxSeconds)
        currentNanoseconds = min(firstNanoseconds, maxNanoseconds)
    }

    /// The next delay: between half of the present step and the whole of it.
    mutating func next(using random: inout some RandomNumberGenerator) -> Int64 {
        let step = currentNanoseconds
        currentNanoseconds = min(step * 2, maxNanoseconds)
        return step / 2 + Int64.random(in: 0...(step - step / 2), using: &random)
    }

    /// Starts over, after a connection was made.
    mutating func reset() { currentNanoseconds = min(firstNanoseconds, maxNanoseconds) }
}
