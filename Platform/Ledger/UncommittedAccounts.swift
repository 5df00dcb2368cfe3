import Kernel
import Synchronization

/// An account and when it was last changed, by the database's clock.
struct SeenAccount: Sendable {
    let state: AccountState
    let changedAt: Timestamp
}

/// Accounts as batches of this process will leave them once they are committed: what the next batch starts from while
/// those before it are still being stored.
final class UncommittedAccounts: Sendable {
    private struct Entry {
        let account: SeenAccount
        let batch: Int
    }

    private struct State {
        var accounts: [ID<LedgerAccount>: Entry] = [:]
        var lastBatch = 0
    }

    private let state = Mutex(State())

    /// Those of some accounts that a batch under way changes, as the last one leaves them.
    func states(of ids: [ID<LedgerAccount>]) -> [ID<LedgerAccount>: SeenAccount] {
        state.withLock { state in
            guard !state.accounts.isEmpty else { return [:] }
            var found: [ID<LedgerAccount>: SeenAccount] = [:]
            for id in ids { found[id] = state.accounts[id]?.account }
            return found
        }
    }

    /// Notes how a batch leaves its accounts; answers with the number under which to forget it.
    func add(_ accounts: [AccountState], at instant: Timestamp) -> Int {
        state.withLock { state in
            state.lastBatch += 1
            for account in accounts {
                state.accounts[account.id] = Entry(
                    account: SeenAccount(state: account, changedAt: instant),
                    batch: state.lastBatch
                )
            }
            return state.lastBatch
        }
    }

    /// Forgets a batch that was stored, or was not: its accounts are what the database says, unless a later batch has
    /// them.
    func remove(_ ids: [ID<LedgerAccount>], of batch: Int) {
        state.withLock { state in
            for id in ids where state.accounts[id]?.batch == batch { state.accounts[id] = nil }
        }
    }
}
