/// When a failed attempt is followed by the next: the delay doubles up to a cap, and half of it is random.
public struct RetrySchedule: Hashable, Sendable {
    /// Seconds of the first delay.
    public let firstSeconds: Double
    /// The largest delay in seconds.
    public let capSeconds: Double

    /// A schedule; the caller guarantees 0 < `firstSeconds` ≤ `capSeconds`.
    public init(firstSeconds: Double, capSeconds: Double) {
        precondition(firstSeconds > 0 && firstSeconds <= capSeconds, "a retry schedule without a delay")
        (self.firstSeconds, self.capSeconds) = (firstSeconds, capSeconds)
    }

    /// From 5 seconds to 6 hours: twenty attempts take one to two days.
    public static let standard = RetrySchedule(firstSeconds: 5, capSeconds: 6 * 3600)

    /// The wait in seconds after the given attempt (1 is the first): d/2 + random(0, d/2), d = first × 2^(attempt − 1).
    public func delaySeconds(afterAttempt attempt: Int, using random: inout some RandomNumberGenerator) -> Double {
        precondition(attempt >= 1, "a delay before the first attempt")
        var delay = firstSeconds
        // Beyond 64 doublings any delay has reached any cap.
        for _ in 1..<min(attempt, 64) where delay < capSeconds { delay *= 2 }
        delay = min(delay, capSeconds)
        return delay / 2 + Double.random(in: 0...(delay / 2), using: &random)
    }
}

/// Texts kept as the reason of a failure.
enum FailureText {
    /// Characters that are kept of a reason.
    static let charactersMax = 500

    /// What is kept of a text: bounded, and without NUL, which PostgreSQL's `text` can't hold.
    static func bounded(_ text: String) -> String {
        String(text.prefix(charactersMax)).replacing("\0", with: "\u{FFFD}")
    }

    /// What is kept of an error.
    static func of(_ error: any Error) -> String { bounded(String(describing: error)) }
}
