import Kernel

@testable import Ledger

extension DictionaryLedger {
    mutating func apply(_ command: LedgerCommand, _ operation: ID<Operation>) throws(LedgerRefusal) {
        switch command {
        case .transfer(let new): try transfer(new, operation)
        case .reverse(let new):
            let original = new.original
            try checkWindow(new.id)
            try takeBack(original)
            try checkPair(original.credit, original.debit)
            try spend(original.amount, original.credit)
            try post(
                new.id,
                original.credit,
                original.debit,
                original.amount,
                "reversal",
                operation,
                nil,
                reverses: original.id
            )
        case .collect(let new): try collect(new, operation)
        case .repay(let new): try repay(new, operation)
        case .reserve(let new): try reserve(new, operation)
        case .increment(let id, let account, let amount): try increment(id, account, amount)
        case .decrement(let id, let account, let amount): try decrement(id, account, amount)
        case .extend(let id, let account, let until, let unlessFrozen):
            var hold = try active(id, account)
            if unlessFrozen { try checkNotFrozen(account) }
            hold.expiresAt = until
            set(id, hold)
        case .release(let id, let account, let reason):
            end(id, try active(id, account), .released, reason)
        case .claim(let new): try claim(new, operation)
        case .letGo(let id, let account, let reason):
            guard let hold = state.holds[id], hold.account == account, hold.phase == .active else { return }
            end(id, hold, .released, reason)
        case .observe(let new): try observe(new, operation)
        case .expire(let id, let account):
            let hold = try find(id, account)
            if isDue(hold) { end(id, hold, .expired, "expired") }
        case .use(let new): try use(new)
        case .giveBack(let counter, let account, let amount, let at):
            try checkAmount(amount)
            _ = try find(account)
            count(Use(account: account, counter: counter, amount: -amount, at: at))
        case .freeze(let account, let reason, let condition): try freeze(account, reason, given: condition)
        case .close(let account):
            _ = try find(account)
            expireDue(account)
            try checkNotClosed(account)
            guard posted(account) == 0, reserved(account) == 0 else { throw .accountNotEmpty(account) }
            close(account)
        case .limit(let account, let counter, let limits):
            _ = try find(account)
            limit(account, counter, limits)
        }
    }

    private mutating func freeze(
        _ account: ID<LedgerAccount>,
        _ reason: String?,
        given condition: FreezeCondition
    ) throws(LedgerRefusal) {
        let present = try find(account).frozenBecause
        switch condition {
        case .notOtherwise(let words) where present != nil && present?.starts(with: words) == false: return
        case .frozen(let because) where present != because: throw .freezeChanged(account)
        case .always, .notOtherwise, .frozen: freeze(account, reason)
        }
    }

    private mutating func increment(
        _ id: ID<Reservation>,
        _ account: ID<LedgerAccount>,
        _ amount: Int128
    ) throws(LedgerRefusal) {
        try checkAmount(amount)
        try checkNotFrozen(account)
        var hold = try active(id, account)
        try spend(amount, account)
        guard hold.amount < Money.limit - amount else { throw .invalidAmount }
        hold.amount += amount
        set(id, hold)
    }

    private mutating func decrement(
        _ id: ID<Reservation>,
        _ account: ID<LedgerAccount>,
        _ amount: Int128
    ) throws(LedgerRefusal) {
        try checkAmount(amount)
        var hold = try active(id, account)
        let held = hold.amount - hold.captured
        guard amount < held else { throw .captureExceedsReservation(id, remaining: held, requested: amount) }
        hold.amount -= amount
        set(id, hold)
    }

    private mutating func transfer(_ new: NewTransfer, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkWindow(new.id)
        try checkPair(new.debit, new.credit)
        var reservation: ID<Reservation>?
        switch new.funding {
        case .available:
            try checkNotFrozen(new.debit)
            try spend(new.amount, new.debit)
        case .availableDespiteFreeze:
            try spend(new.amount, new.debit)
        case .reservation(let id, let unlessFrozen):
            if unlessFrozen { try checkNotFrozen(new.debit) }
            reservation = id
            var hold = try active(id, new.debit)
            let left = hold.amount - hold.captured
            guard new.amount <= left else {
                throw .captureExceedsReservation(id, remaining: left, requested: new.amount)
            }
            hold.captured += new.amount
            if new.amount == left { (hold.phase, hold.endedAt) = (.captured, now) }
            set(id, hold)
        case .settlingLate(let id):
            reservation = id
            try settleLate(id, new, operation)
            try spend(new.amount, new.debit)
        }
        try post(new.id, new.debit, new.credit, new.amount, new.code, operation, reservation)
    }

    private mutating func collect(_ new: NewCollection, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkWindow(new.id)
        try checkWindow(new.shortfallID)
        try checkPair(new.debit, new.credit)
        try checkPair(new.receivable, new.credit)
        if available(new.debit) < new.amount { expireDue(new.debit) }
        let there = max(0, min(new.amount, available(new.debit)))
        if there > 0 { try post(new.id, new.debit, new.credit, there, new.code, operation, nil) }
        if there == new.amount { return }
        try spend(new.amount - there, new.receivable)
        try post(new.shortfallID, new.receivable, new.credit, new.amount - there, new.code, operation, nil)
    }

    private mutating func repay(_ new: NewRepayment, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkWindow(new.id)
        try checkPair(new.debit, new.receivable)
        let owed = -posted(new.receivable)
        guard owed > 0 else { return }
        if available(new.debit) < owed { expireDue(new.debit) }
        let paid = min(owed, available(new.debit))
        if paid > 0 { try post(new.id, new.debit, new.receivable, paid, "repayment", operation, nil) }
    }

    /// Once a reservation is over with nothing captured, one operation may settle it, in as many transfers as it likes.
    private mutating func settleLate(
        _ id: ID<Reservation>,
        _ new: NewTransfer,
        _ operation: ID<Operation>
    ) throws(LedgerRefusal) {
        let hold = try find(id, new.debit)
        if isDue(hold) { end(id, hold, .expired, "expired") }
        var ended = try find(id, new.debit)
        guard ended.phase == .expired || ended.phase == .released else { throw .notSettleable(id) }
        if let earlier = ended.settledBy {
            guard receipt.transfers.contains(where: { $0.id == earlier }) else { throw .notSettleable(id) }
        } else {
            ended.settledBy = new.id
        }
        set(id, ended)
    }

    private mutating func reserve(_ new: NewReservation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        let account = try find(new.account)
        try checkNotClosed(new.account)
        try checkNotFrozen(new.account)
        if account.mayGoNegative {
            throw .insufficientFunds(account: new.account, available: 0, requested: new.amount)
        }
        try spend(new.amount, new.account)
        var expiresAt: Timestamp?
        if case .seconds(let seconds) = new.lifetime { expiresAt = now.adding(seconds: seconds) }
        set(
            new.id,
            Hold(
                account: new.account,
                operation: operation,
                kind: new.kind,
                amount: new.amount,
                expiresAt: expiresAt,
                createdAt: now,
                reason: new.reason
            )
        )
    }

    private mutating func claim(_ new: NewReservation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        let account = try find(new.account)
        try checkNotClosed(new.account)
        if account.mayGoNegative {
            throw .insufficientFunds(account: new.account, available: 0, requested: new.amount)
        }
        let known = state.holds[new.id]
        if let known {
            guard known.account == new.account else { throw .unknownReservation(new.id) }
            if known.phase != .active || isDue(known) { return }
        }
        let missing = new.amount - (known.map { $0.amount - $0.captured } ?? 0)
        if missing <= 0 { return }
        if available(new.account) < missing { expireDue(new.account) }
        let there = min(missing, available(new.account))
        if there <= 0 { return }
        var expiresAt: Timestamp?
        if case .seconds(let seconds) = new.lifetime { expiresAt = now.adding(seconds: seconds) }
        var hold =
            known
            ?? Hold(
                account: new.account,
                operation: operation,
                kind: new.kind,
                amount: 0,
                expiresAt: expiresAt,
                createdAt: now,
                reason: new.reason
            )
        guard hold.amount < Money.limit - there else { throw .invalidAmount }
        hold.amount += there
        set(new.id, hold)
    }

    private mutating func observe(_ new: Observation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkWindow(new.id)
        try checkPair(new.account, new.other)
        guard try !find(new.account).mayGoNegative, (0..<Money.limit).contains(new.balance) else {
            throw .invalidAmount
        }
        let before = posted(new.account)
        if before < new.balance {
            try spend(new.balance - before, new.other)
            try post(new.id, new.other, new.account, new.balance - before, new.code, operation, nil)
        }
        guard before > new.balance else { return }
        // Always of the newest that holds any.
        while reserved(new.account) > new.balance {
            let holding = state.holds.filter { $0.value.account == new.account && $0.value.phase == .active }
            guard let newest = holding.max(by: { ($0.value.createdAt, $0.key) < ($1.value.createdAt, $1.key) })
            else { return }
            let held = newest.value.amount - newest.value.captured
            let given = min(held, reserved(new.account) - new.balance)
            if given == held {
                end(newest.key, newest.value, .released, "given_way")
            } else {
                var less = newest.value
                less.amount -= given
                set(newest.key, less)
            }
        }
        try post(new.id, new.account, new.other, before - new.balance, new.code, operation, nil)
    }

    private mutating func use(_ new: Usage) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkNotClosed(new.account)
        let own = try find(new.account).limits[new.counter]
        func check(_ span: LimitSpan, _ limit: Int128, _ used: Int128) throws(LedgerRefusal) {
            guard new.amount <= limit - used else {
                throw .limitExceeded(
                    counter: new.counter,
                    span: span,
                    limit: limit,
                    used: used,
                    requested: new.amount
                )
            }
        }
        let none = Money.limit - 1
        if let limit = new.transactionLimit { try check(.transaction, own?.perTransaction ?? limit, 0) }
        var day = new.dayLimit == nil ? none : own?.perDay ?? new.dayLimit ?? none
        if let ceiling = new.dayCeiling, ceiling < day { day = ceiling }
        try check(.day, day, used(new.counter, new.account, .day, now))
        let month = new.monthLimit == nil ? none : own?.perMonth ?? new.monthLimit ?? none
        try check(.month, month, used(new.counter, new.account, .month, now))
        count(Use(account: new.account, counter: new.counter, amount: new.amount, at: now))
    }

    /// An account that can't pay first gets back what reservations held whose time is over.
    private mutating func spend(_ amount: Int128, _ id: ID<LedgerAccount>) throws(LedgerRefusal) {
        if try find(id).mayGoNegative { return }
        if available(id) < amount { expireDue(id) }
        guard available(id) >= amount else {
            throw .insufficientFunds(account: id, available: available(id), requested: amount)
        }
    }

    private mutating func expireDue(_ account: ID<LedgerAccount>) {
        for (id, hold) in state.holds where hold.account == account && isDue(hold) {
            end(id, hold, .expired, "expired")
        }
    }

    private mutating func end(
        _ id: ID<Reservation>,
        _ hold: Hold,
        _ phase: ReservationState.Phase,
        _ reason: String
    ) {
        var ended = hold
        ended.phase = hold.captured > 0 ? .captured : phase
        (ended.endedAt, ended.reason) = (now, reason)
        set(id, ended)
    }

    // MARK: Checks

    private func find(_ id: ID<LedgerAccount>) throws(LedgerRefusal) -> Account {
        guard let account = state.accounts[id] else { throw .unknownAccount(id) }
        return account
    }

    private func find(_ id: ID<Reservation>, _ account: ID<LedgerAccount>) throws(LedgerRefusal) -> Hold {
        guard let hold = state.holds[id], hold.account == account else { throw .unknownReservation(id) }
        return hold
    }

    private func active(_ id: ID<Reservation>, _ account: ID<LedgerAccount>) throws(LedgerRefusal) -> Hold {
        let hold = try find(id, account)
        guard hold.phase == .active else { throw .reservationNotActive(id, hold.phase) }
        guard !isDue(hold) else { throw .reservationExpired(id) }
        return hold
    }

    private func isDue(_ hold: Hold) -> Bool {
        guard hold.phase == .active, let expiresAt = hold.expiresAt else { return false }
        return now >= expiresAt
    }

    private func checkAmount(_ amount: Int128) throws(LedgerRefusal) {
        if amount <= 0 || amount >= Money.limit { throw .invalidAmount }
    }

    private func checkWindow(_ id: ID<Transfer>) throws(LedgerRefusal) {
        let minted = id.mintedAt
        if minted <= now.adding(seconds: -28 * 86_400) || minted >= now.adding(seconds: 86_400) {
            throw .idOutsideWindow
        }
    }

    private func checkPair(_ debit: ID<LedgerAccount>, _ credit: ID<LedgerAccount>) throws(LedgerRefusal) {
        if debit == credit { throw .sameAccount }
        if try find(debit).asset != find(credit).asset { throw .assetMismatch }
    }

    private func checkNotClosed(_ id: ID<LedgerAccount>) throws(LedgerRefusal) {
        if try find(id).isClosed { throw .accountClosed(id) }
    }

    private func checkNotFrozen(_ id: ID<LedgerAccount>) throws(LedgerRefusal) {
        if try find(id).frozenBecause != nil { throw .accountFrozen(id) }
    }
}
