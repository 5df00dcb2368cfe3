import Kernel
import Synchronization

/// Lines of batches, one for each account: who shares an account with an earlier one waits for it, in the order of
/// entering; who shares none goes ahead.
///
/// It orders batches of this process only and keeps no balance right: that is the database's work.
final class AccountTurns: Sendable {
    /// A place in the lines of some accounts, from `enter` until `leave`.
    final class Place: Sendable {
        fileprivate let number: Int
        fileprivate let accounts: [ID<LedgerAccount>]
        fileprivate let hasLeft = Atomic(false)

        fileprivate init(_ number: Int, _ accounts: [ID<LedgerAccount>]) {
            (self.number, self.accounts) = (number, accounts)
        }
    }

    private struct Waiting {
        /// Lines in which somebody is before it.
        var missing: Int
        var continuation: UnsafeContinuation<Void, Never>?
    }

    private struct State {
        /// For each account that somebody has, those who wait for it, in order.
        var lines: [ID<LedgerAccount>: [Int]] = [:]
        var waiting: [Int: Waiting] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    /// Stands in line for all accounts at once, so that nobody waits in a circle; `accounts` names each once.
    func enter(_ accounts: [ID<LedgerAccount>]) -> Place {
        state.withLock { state in
            state.lastNumber += 1
            var missing = 0
            for account in accounts {
                if state.lines[account]?.append(state.lastNumber) != nil {
                    missing += 1
                } else {
                    state.lines[account] = []
                }
            }
            if missing > 0 { state.waiting[state.lastNumber] = Waiting(missing: missing) }
            return Place(state.lastNumber, accounts)
        }
    }

    /// Whether the place is the first in all its lines.
    func hasReached(_ place: Place) -> Bool { state.withLock { $0.waiting[place.number] == nil } }

    /// Enters, and returns when the place is the first in all its lines.
    func take(_ accounts: [ID<LedgerAccount>]) async -> Place {
        let place = enter(accounts)
        await reach(place)
        return place
    }

    /// Returns when the place is the first in all its lines.
    func reach(_ place: Place) async {
        await withUnsafeContinuation { continuation in
            let isFirst = state.withLock { state in
                guard state.waiting[place.number] != nil else { return true }
                state.waiting[place.number]?.continuation = continuation
                return false
            }
            if isFirst { continuation.resume() }
        }
    }

    /// Gives up a place that was reached; idempotent.
    func leave(_ place: Place) {
        guard !place.hasLeft.exchange(true, ordering: .relaxed) else { return }
        let next = state.withLock { state in
            var reached: [UnsafeContinuation<Void, Never>] = []
            for account in place.accounts {
                guard let first = state.lines[account]?.first else {
                    state.lines[account] = nil
                    continue
                }
                state.lines[account]?.removeFirst()
                state.waiting[first]?.missing -= 1
                if state.waiting[first]?.missing == 0, let waiting = state.waiting.removeValue(forKey: first) {
                    if let continuation = waiting.continuation { reached.append(continuation) }
                }
            }
            return reached
        }
        for continuation in next { continuation.resume() }
    }
}
