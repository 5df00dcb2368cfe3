import Kernel
import PostgreSQL

/// What batches of one process know of each other.
final class LedgerTurns: Sendable {
    /// Who decides, by account.
    let deciding = AccountTurns()
    /// Who stores, by account: in the order of deciding.
    let storing = AccountTurns()
    let uncommitted = UncommittedAccounts()
    let pacing = AheadPacing()
}

/// Batches of plain transfers, which are decided ahead: while those before them are still being stored.
///
/// Their accounts are read without locks, or taken as an earlier batch of this process will leave them, and updated on
/// the condition that they are still so: the server checks it, and a batch that doesn't find all of them so takes no
/// effect. It is then decided again under locks, and so is one in which anything is refused: the refusal could follow
/// from a state that is never committed.
extension LedgerStore {
    private struct MustLock: Error {}

    /// Commits a batch that was decided ahead; nil when nothing took effect and it is to be done under locks.
    func commitAhead(_ items: [LedgerItem], _ needs: LedgerNeeds) async throws -> [LedgerOutcome]? {
        guard needs.isPlain, turns.pacing.allowsAhead() else { return nil }
        let deciding = await turns.deciding.take(needs.accounts)
        var storing: (place: AccountTurns.Place, batch: Int)?
        defer {
            turns.deciding.leave(deciding)
            if let storing {
                turns.uncommitted.remove(needs.accounts, of: storing.batch)
                turns.storing.leave(storing.place)
            }
        }
        do {
            let outcomes = try await pool.transact { transaction in
                let loaded = try await loadAhead(needs.accounts, transaction)
                let batch = LedgerBatch(items, loaded)
                guard batch.allDone else { throw MustLock() }
                let place = turns.storing.enter(needs.accounts)
                storing = (place, turns.uncommitted.add(batch.changedAccounts, at: loaded.instant))
                turns.deciding.leave(deciding)
                let journal = batch.journal(in: schema)
                let rest = batch.statements(in: schema, telling: telling, ifStill: loaded.versions)
                if turns.storing.hasReached(place) { return Closing(batch.outcomes, last: journal + rest) }
                // Those before it are under way: what waits for nobody is stored meanwhile.
                do {
                    _ = try await transaction.pipeline(journal)
                } catch {
                    await turns.storing.reach(place)
                    throw error
                }
                await turns.storing.reach(place)
                return Closing(batch.outcomes, last: rest)
            }
            turns.pacing.wentThrough()
            return outcomes
        } catch is MustLock {
            return nil
        } catch PostgresError.refused {
            turns.pacing.metConflict()
            return nil
        }
    }

    // An account that a batch under way changes isn't read: it will be as that batch leaves it, or this one fails too.
    private func loadAhead(
        _ accounts: [ID<LedgerAccount>],
        _ transaction: Transaction
    ) async throws -> LoadedLedger {
        let known = turns.uncommitted.states(of: accounts)
        let others = known.isEmpty ? accounts : accounts.filter { known[$0] == nil }
        let results = try await transaction.pipeline([
            "\(readAccounts) where id = any(\(others))", "select clock_timestamp() as now",
        ])
        var loaded = LoadedLedger()
        try loaded.read(accounts: results[0], now: results[1])
        for account in known.values { loaded.add(account) }
        return loaded
    }
}
