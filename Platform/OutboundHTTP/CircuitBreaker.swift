/// When a host that fails is left alone.
public struct CircuitPolicy: Hashable, Sendable {
    /// Failures in a row after which it is.
    public var consecutiveFailuresMax = 5
    /// The share of failures in a window from which on it is, in percent.
    public var failurePercentMax = 50
    /// Requests in a window below which the share says nothing.
    public var requestsMin = 20
    /// Seconds of a window.
    public var windowSeconds = 30.0
    /// Seconds for which it is left alone before one request tries again.
    public var openSeconds = 10.0

    /// The defaults.
    public init() {}
}

/// Closed while a host works; open after failures; then half open, where one request decides.
struct CircuitBreaker {
    enum State: Hashable {
        case closed
        case open(until: Int64)
        case halfOpen
    }

    /// The leave to send one request; its result counts only in the state in which it was given.
    struct Permit: Hashable {
        fileprivate let generation: UInt64
    }

    enum Admission: Hashable {
        case admitted(Permit)
        case refused(retryAfterNanoseconds: Int64)
    }

    enum Result {
        case success
        case failure
        /// Says nothing about the host: cancelled, or refused by us.
        case neutral
    }

    private let policy: CircuitPolicy
    private(set) var state = State.closed
    private var generation: UInt64 = 0
    private var consecutiveFailures = 0
    private var windowStart = Int64.min / 2
    private var requests = 0
    private var failures = 0

    init(policy: CircuitPolicy) { self.policy = policy }

    /// Whether nothing is known against the host.
    var isPristine: Bool { state == .closed && consecutiveFailures == 0 }

    mutating func admit(now: Int64) -> Admission {
        switch state {
        case .closed: return .admitted(Permit(generation: generation))
        case .open(let until) where now >= until:
            enter(.halfOpen)
            return .admitted(Permit(generation: generation))
        case .open(let until): return .refused(retryAfterNanoseconds: until - now)
        case .halfOpen: return .refused(retryAfterNanoseconds: 1_000_000_000)
        }
    }

    /// Counts a result; true when it opened the circuit.
    mutating func record(_ result: Result, of permit: Permit, now: Int64) -> Bool {
        guard permit.generation == generation else { return false }
        switch (state, result) {
        case (.open, _): return false
        case (.halfOpen, .success): enter(.closed)
        case (.halfOpen, .neutral): enter(.open(until: now))
        case (.halfOpen, .failure): return open(now)
        case (.closed, .neutral): return false
        case (.closed, .success): count(failed: false, now)
        case (.closed, .failure):
            count(failed: true, now)
            if consecutiveFailures >= policy.consecutiveFailuresMax || isRateExceeded { return open(now) }
        }
        return false
    }

    private var isRateExceeded: Bool {
        requests >= policy.requestsMin && failures * 100 >= requests * policy.failurePercentMax
    }

    private mutating func count(failed: Bool, _ now: Int64) {
        if now - windowStart >= Monotonic.nanoseconds(policy.windowSeconds) {
            (windowStart, requests, failures) = (now, 0, 0)
        }
        requests += 1
        failures += failed ? 1 : 0
        consecutiveFailures = failed ? consecutiveFailures + 1 : 0
    }

    private mutating func open(_ now: Int64) -> Bool {
        enter(.open(until: now + Monotonic.nanoseconds(policy.openSeconds)))
        return true
    }

    private mutating func enter(_ next: State) {
        state = next
        generation += 1
        (consecutiveFailures, requests, failures, windowStart) = (0, 0, 0, .min / 2)
    }
}
