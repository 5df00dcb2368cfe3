import Synchronization

/// The circuit breakers of the hosts, a bounded number of them.
final class CircuitBreakers: Sendable {
    /// Hosts that are kept in mind; beyond it those are forgotten that nothing is known against.
    static let hostsMax = 1024

    private let policy: CircuitPolicy
    private let breakers = Mutex<[String: CircuitBreaker]>([:])

    init(policy: CircuitPolicy) { self.policy = policy }

    var count: Int { breakers.withLock { $0.count } }

    func admit(_ origin: String, now: Int64) -> CircuitBreaker.Admission {
        breakers.withLock { breakers in
            if breakers[origin] == nil, breakers.count >= CircuitBreakers.hostsMax {
                breakers = breakers.filter { !$0.value.isPristine }
                if breakers.count >= CircuitBreakers.hostsMax, let any = breakers.keys.first { breakers[any] = nil }
            }
            return breakers[origin, default: CircuitBreaker(policy: policy)].admit(now: now)
        }
    }

    /// Counts a result; true when it opened the host's circuit.
    func record(_ result: CircuitBreaker.Result, of permit: CircuitBreaker.Permit, _ origin: String, now: Int64) -> Bool
    {
        breakers.withLock { $0[origin]?.record(result, of: permit, now: now) ?? false }
    }
}

extension CircuitBreaker.Result {
    /// What an attempt says about the host.
    init(_ outcome: AttemptOutcome) {
        switch outcome {
        case .response(let response): self = response.status >= 500 ? .failure : .success
        case .failed(let failure):
            switch failure.reason {
            case .nameNotResolved, .connectFailed, .connectTimedOut, .tlsFailed, .timedOut, .connectionLost,
                .invalidResponse:
                self = .failure
            case .responseTooLarge: self = .success
            case .invalidRequest, .forbiddenAddress, .forbiddenRedirect, .overloaded, .circuitOpen, .cancelled,
                .stopped:
                self = .neutral
            }
        }
    }
}
