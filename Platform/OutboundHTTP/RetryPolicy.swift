/// When and after how long a request that is safe to repeat is repeated.
public struct RetryPolicy: Hashable, Sendable {
    /// The most attempts, the first included.
    public var attemptsMax = 3
    /// Seconds before the second attempt; doubles with each, half of it random.
    public var firstDelaySeconds = 0.1
    /// The most seconds between two attempts, unless the peer asks for more.
    public var maxDelaySeconds = 2.0

    /// The defaults.
    public init() {}

    /// Nanoseconds until the next attempt; nil when there is none.
    ///
    /// `attempt` counts from 1; what would not begin within `remaining` nanoseconds is not begun.
    func delay(
        after outcome: AttemptOutcome,
        attempt: Int,
        isIdempotent: Bool,
        remaining: Int64,
        using random: inout some RandomNumberGenerator
    ) -> Int64? {
        guard isIdempotent, attempt < attemptsMax, RetryPolicy.isTransient(outcome) else { return nil }
        let doubled = firstDelaySeconds * Double(1 << min(attempt - 1, 20))
        let step = Monotonic.nanoseconds(min(doubled, maxDelaySeconds))
        var delay = step / 2 + Int64.random(in: 0...(step - step / 2), using: &random)
        if case .response(let response) = outcome, let asked = response.retryAfterSeconds {
            delay = max(delay, Monotonic.nanoseconds(Double(asked)))
        }
        return delay < remaining ? delay : nil
    }

    private static func isTransient(_ outcome: AttemptOutcome) -> Bool {
        switch outcome {
        case .response(let response): [429, 502, 503, 504].contains(response.status)
        case .failed(let failure):
            switch failure.reason {
            case .nameNotResolved, .connectFailed, .connectTimedOut: true
            case .timedOut, .connectionLost: !failure.hasResponseBytes
            default: false
            }
        }
    }
}

/// How one attempt ended.
enum AttemptOutcome: Sendable {
    struct Failure: Sendable {
        let reason: OutboundError.Reason
        /// Whether the connection stood and the request may have been written to it.
        let mayHaveBeenSent: Bool
        /// Whether something of the response had come.
        let hasResponseBytes: Bool
    }

    case response(OutboundResponse)
    case failed(Failure)

    /// A failure before anything was sent.
    static func notSent(_ reason: OutboundError.Reason) -> AttemptOutcome {
        .failed(Failure(reason: reason, mayHaveBeenSent: false, hasResponseBytes: false))
    }

    var mayHaveBeenSent: Bool {
        switch self {
        case .response: true
        case .failed(let failure): failure.mayHaveBeenSent
        }
    }
}
