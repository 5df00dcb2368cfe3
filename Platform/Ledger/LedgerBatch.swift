import Kernel
import PostgreSQL

/// A batch as decided: outcomes for its callers and statements that store it.
struct LedgerBatch {
    private struct KeptAnswer {
        let key: IdempotencyKey
        let answer: StoredAnswer
    }

    private(set) var core: LedgerCore
    private(set) var outcomes: [LedgerOutcome] = []
    private var rows: [any StoredRow] = []
    private var kept: [KeptAnswer] = []

    /// A batch that was decided elsewhere, with answers to keep.
    init(_ core: LedgerCore, keeping answers: [(key: IdempotencyKey, answer: StoredAnswer)]) {
        self.core = core
        kept = answers.map { KeptAnswer(key: $0.key, answer: $0.answer) }
    }

    init(_ items: [LedgerItem], _ loaded: LoadedLedger) {
        core = LedgerCore(
            at: loaded.instant,
            accounts: loaded.accounts,
            reservations: loaded.reservations,
            due: loaded.due,
            usage: loaded.usage,
            limits: loaded.limits,
            originals: loaded.originals
        )
        outcomes.reserveCapacity(items.count)
        var answers = loaded.answers
        for item in items {
            if let key = item.idempotency, let earlier = answers[key.scope] {
                outcomes.append(earlier.request == key.request ? .replayed(earlier.answer) : .keyReused)
                continue
            }
            let outcome = decide(item)
            outcomes.append(outcome)
            if let key = item.idempotency, let answer = outcome.answer {
                answers[key.scope] = LoadedLedger.Kept(request: key.request, answer: answer)
                kept.append(KeptAnswer(key: key, answer: answer))
            }
        }
    }

    private mutating func decide(_ item: LedgerItem) -> LedgerOutcome {
        let decision = core.apply(item.commands, of: item.operation)
        let finish = item.finish(decision, core.instant)
        rows += finish.rows
        switch decision {
        case .success(let receipt): return .done(receipt, finish.answer)
        case .failure(let refusal): return .refused(refusal, finish.answer)
        }
    }

    /// Whether nothing was refused.
    var allDone: Bool {
        outcomes.allSatisfy { if case .done = $0 { true } else { false } }
    }

    /// The accounts that it changes, as it leaves them, in the order in which every batch locks them.
    var changedAccounts: [AccountState] {
        core.changedAccounts.compactMap { core.accounts[$0] }.sorted { $0.id < $1.id }
    }

    /// Statements that wait for no other transaction: the transfers, and rows of domains which say so of themselves.
    func journal(in schema: Schema) -> [SQL] {
        let transfers = core.transfers.isEmpty ? [] : [insertTransfers(schema)]
        return transfers + rows.filter { type(of: $0).waitsForNobody }.statements(in: schema, at: core.instant)
    }

    /// What stores the batch besides its journal, in the order of execution: accounts, reservations, keys, the domains'
    /// rows.
    ///
    /// With `versions` it takes effect only if the accounts that it changes are still so.
    func statements(
        in schema: Schema,
        telling: ReservationSweeper.Telling,
        ifStill versions: [ID<LedgerAccount>: AccountVersion]? = nil
    ) -> [SQL] {
        var statements: [SQL] = []
        if let reversals = insertReversals(schema) { statements.append(reversals) }
        if !core.changedAccounts.isEmpty {
            statements.append(versions.map { updateAccounts(schema, ifStill: $0) } ?? updateAccounts(schema))
        }
        if !core.newReservations.isEmpty { statements.append(insertReservations(schema)) }
        if let changed = updateReservations(schema) { statements.append(changed) }
        if !core.changedUsage.isEmpty { statements.append(storeUsage(schema)) }
        statements += storeLimits(schema)
        if !kept.isEmpty { statements.append(insertKeys(schema)) }
        let expiries = core.expired.isEmpty ? [] : telling(ended, core.instant)
        let others = rows.filter { !type(of: $0).waitsForNobody }
        return statements + (expiries + others).statements(in: schema, at: core.instant)
    }

    private var ended: ReservationSweeper.Ended {
        let reservations = core.expired.compactMap { core.reservations[$0] }
        return ReservationSweeper.Ended(reservations: reservations, accounts: core.accounts)
    }

    private func insertTransfers(_ schema: Schema) -> SQL {
        let transfers = core.transfers
        return """
            insert into \(schema).ledger_transfers (id, operation, debit_account, credit_account, debit_version,
                credit_version, recorded_at, amount, debit_posted, credit_posted, code, reservation)
            select id, operation, debit, credit, debit_version, credit_version, \(core.instant), amount, debit_posted,
                credit_posted, code, reservation
            from unnest(\(transfers.map(\.id)), \(transfers.map(\.operation)), \(transfers.map(\.debit)),
                \(transfers.map(\.credit)), \(transfers.map(\.debitVersion)), \(transfers.map(\.creditVersion)),
                \(transfers.map(\.amount)), \(transfers.map(\.debitPosted)), \(transfers.map(\.creditPosted)),
                \(transfers.map(\.code)), \(transfers.map(\.reservation)))
                as t(id, operation, debit, credit, debit_version, credit_version, amount, debit_posted, credit_posted,
                    code, reservation)
            """
    }

    private func insertReversals(_ schema: Schema) -> SQL? {
        let pairs = core.transfers.compactMap { transfer in transfer.reverses.map { (of: $0, by: transfer.id) } }
        guard !pairs.isEmpty else { return nil }
        return """
            insert into \(schema).reversals (reversal_of, transfer)
            select * from unnest(\(pairs.map(\.of)), \(pairs.map(\.by)))
            """
    }

    private func updateAccounts(_ schema: Schema) -> SQL {
        let accounts = core.changedAccounts.compactMap { core.accounts[$0] }
        return """
            update \(schema).ledger_accounts a
            set posted = n.posted, reserved = n.reserved, version = n.version, frozen_because = n.frozen_because,
                is_closed = n.is_closed, recorded_at = \(core.instant)
            from unnest(\(accounts.map(\.id)), \(accounts.map(\.posted)), \(accounts.map(\.reserved)),
                \(accounts.map(\.version)), \(accounts.map(\.frozenBecause)), \(accounts.map(\.isClosed)))
                as n(id, posted, reserved, version, frozen_because, is_closed)
            where a.id = n.id
            """
    }

    // A transfer changes neither what is reserved nor a freeze, so those are compared with what is written. The rows
    // are locked in id order, as by batches that lock first.
    private func updateAccounts(_ schema: Schema, ifStill versions: [ID<LedgerAccount>: AccountVersion]) -> SQL {
        let accounts = changedAccounts
        let before = accounts.compactMap { versions[$0.id] }
        return """
            with touched as (
                update \(schema).ledger_accounts a
                set posted = n.posted, version = n.version, recorded_at = \(core.instant)
                from (
                    select * from unnest(\(accounts.map(\.id)), \(accounts.map(\.posted)), \(accounts.map(\.reserved)),
                        \(accounts.map(\.version)), \(accounts.map(\.frozenBecause)), \(before.map(\.version)),
                        \(before.map(\.changedAt)))
                        as n(id, posted, reserved, version, frozen_because, version_before, recorded_before)
                    order by id
                ) n
                where a.id = n.id and a.version = n.version_before and a.recorded_at = n.recorded_before
                    and a.reserved = n.reserved and a.frozen_because is not distinct from n.frozen_because
                returning 1)
            select blocks.expect_rows(count(*), \(accounts.count)) from touched
            """
    }

    private func insertReservations(_ schema: Schema) -> SQL {
        let new = core.newReservations.compactMap { core.reservations[$0] }
        return """
            insert into \(schema).reservations (id, account, operation, kind, amount, captured, state, expires_at,
                created_at, ended_at, reason, quote, settled_by)
            select * from unnest(\(new.map(\.id)), \(new.map(\.account)), \(new.map(\.operation)), \(new.map(\.kind)),
                \(new.map(\.amount)), \(new.map(\.captured)), \(new.map(\.phase)), \(new.map(\.expiresAt)),
                \(new.map(\.createdAt)), \(new.map(\.endedAt)), \(new.map(\.reason)), \(new.map(\.quote)),
                \(new.map(\.settledBy)))
            """
    }

    private func updateReservations(_ schema: Schema) -> SQL? {
        let new = Set(core.newReservations)
        let changed = core.changedReservations.subtracting(new).compactMap { core.reservations[$0] }
        guard !changed.isEmpty else { return nil }
        return """
            with touched as (
                update \(schema).reservations r
                set amount = n.amount, captured = n.captured, state = n.state, expires_at = n.expires_at,
                    ended_at = n.ended_at, reason = n.reason, settled_by = n.settled_by
                from unnest(\(changed.map(\.id)), \(changed.map(\.amount)), \(changed.map(\.captured)),
                    \(changed.map(\.phase)), \(changed.map(\.expiresAt)), \(changed.map(\.endedAt)),
                    \(changed.map(\.reason)), \(changed.map(\.settledBy)))
                    as n(id, amount, captured, state, expires_at, ended_at, reason, settled_by)
                where r.id = n.id and (r.state = 'active' or r.settled_by is null)
                returning 1)
            select blocks.expect_rows(count(*), \(changed.count)) from touched
            """
    }

    private func storeUsage(_ schema: Schema) -> SQL {
        let keys = Array(core.changedUsage)
        return """
            insert into \(schema).account_usage (account, counter, span, starts, used)
            select * from unnest(\(keys.map(\.account)), \(keys.map(\.counter)), \(keys.map(\.span)),
                \(keys.map(\.starts)), \(keys.map { core.usage[$0] ?? 0 }))
            on conflict (account, counter, span, starts) do update set used = excluded.used
            """
    }

    private func storeLimits(_ schema: Schema) -> [SQL] {
        let removed = core.changedLimits.filter { core.limits[$0] == nil }
        let set = core.changedLimits.compactMap { key in core.limits[key].map { (key: key, limits: $0) } }
        var statements: [SQL] = []
        if !removed.isEmpty {
            statements.append(
                """
                delete from \(schema).account_limits l
                using unnest(\(removed.map(\.account)), \(removed.map(\.counter))) as k(account, counter)
                where l.account = k.account and l.counter = k.counter
                """
            )
        }
        if !set.isEmpty {
            statements.append(
                """
                insert into \(schema).account_limits (account, counter, per_transaction, per_day, per_month)
                select * from unnest(\(set.map(\.key.account)), \(set.map(\.key.counter)),
                    \(set.map(\.limits.perTransaction)), \(set.map(\.limits.perDay)), \(set.map(\.limits.perMonth)))
                on conflict (account, counter) do update
                set per_transaction = excluded.per_transaction, per_day = excluded.per_day,
                    per_month = excluded.per_month
                """
            )
        }
        return statements
    }

    // In the keys' order, so that two batches with the same keys wait for each other in one order.
    private func insertKeys(_ schema: Schema) -> SQL {
        let kept = kept.sorted { $0.key.scope < $1.key.scope }
        return """
            insert into \(schema).idempotency_keys (key, request, status, headers, answer, created_at)
            select k.key, k.request, k.status, k.headers, k.answer, \(core.instant)
            from unnest(\(kept.map(\.key.scope)), \(kept.map(\.key.request)), \(kept.map(\.answer.status)),
                \(kept.map { $0.answer.headersJSON }), \(kept.map { Bytes($0.answer.body) }))
                as k(key, request, status, headers, answer)
            """
    }
}

extension LedgerOutcome {
    fileprivate var answer: StoredAnswer? {
        switch self {
        case .done(_, let answer), .refused(_, let answer): answer
        case .replayed, .keyReused: nil
        }
    }
}
