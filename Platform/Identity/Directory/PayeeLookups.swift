import HTTP
import Kernel
import Synchronization

/// Bounds how many different names one payer may ask for, so that nobody finds out who has an account by trying them.
///
/// Those that were asked for before in the same while don't count again. It keeps two generations of payers, and
/// forgets those who didn't ask lately.
final class PayeeLookups: Sendable {
    /// Names of one payer in a while, in each process.
    static let namesMax = 100
    /// The while, in seconds: ten minutes.
    static let windowSeconds: Int64 = 600
    /// Payers that are kept, in both generations together.
    static let payersMax = 20_000

    private struct Window {
        let endsAt: Int64
        var names: Set<String> = []
    }

    private struct State {
        var young: [ID<User>: Window] = [:]
        var old: [ID<User>: Window] = [:]
    }

    private let state = Mutex(State())

    /// Counts a name, in lower case.
    ///
    /// - Throws: 429 for one too many, whether or not somebody has it.
    func admit(_ name: String, by payer: ID<User>, at now: Timestamp) throws(Problem) {
        let second = now.seconds
        let wait = state.withLock { state -> Int64? in
            if state.young[payer] == nil, state.young.count >= PayeeLookups.payersMax / 2 {
                (state.old, state.young) = (state.young, [:])
            }
            var window = state.young[payer] ?? state.old[payer] ?? Window(endsAt: 0)
            if window.endsAt <= second { window = Window(endsAt: second + PayeeLookups.windowSeconds) }
            let isKnown = window.names.contains(name)
            guard isKnown || window.names.count < PayeeLookups.namesMax else { return window.endsAt - second }
            if !isKnown { window.names.insert(name) }
            state.young[payer] = window
            return nil
        }
        guard let wait else { return }
        throw Problem(
            429,
            "rate_limited",
            "You have named too many payees. Wait as long as `Retry-After` says.",
            retryAfterSeconds: Int(wait)
        )
    }
}
