import Kernel

/// Reservations, limits and freezes: what holds money and what holds it back.
extension LedgerCore {
    // MARK: Reservations

    mutating func reserve(_ new: NewReservation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        let account = try account(new.account)
        try checkNotClosed(account)
        if !new.isDespiteFreeze { try checkNotFrozen(new.account) }
        // A reservation never draws on an overdraft.
        guard !account.mayGoNegative else {
            throw .insufficientFunds(account: new.account, available: 0, requested: new.amount)
        }
        try spend(new.amount, from: new.account)
        guard reservations[new.id] == nil else { throw .reservationNotActive(new.id, .active) }
        try make(new, holding: new.amount, operation)
    }

    mutating func claim(_ new: NewReservation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        let account = try account(new.account)
        try checkNotClosed(account)
        guard !account.mayGoNegative else {
            throw .insufficientFunds(account: new.account, available: 0, requested: new.amount)
        }
        let known = reservations[new.id]
        if let known {
            guard known.account == new.account else { throw .unknownReservation(new.id) }
            guard known.phase == .active, !known.isDue(at: instant) else { return }
        }
        let missing = new.amount - (known?.held ?? 0)
        guard missing > 0 else { return }
        let there = min(missing, max(0, try available(on: new.account, wanted: missing)))
        guard there > 0 else { return }
        guard var raised = known else { return try make(new, holding: there, operation) }
        guard raised.amount < Money.limit - there else { throw .invalidAmount }
        raised.amount += there
        set(raised)
        try hold(there, on: new.account)
    }

    private mutating func make(
        _ new: NewReservation,
        holding amount: Int128,
        _ operation: ID<Operation>
    ) throws(LedgerRefusal) {
        let expiresAt: Timestamp? =
            switch new.lifetime {
            case .seconds(let seconds): instant.adding(seconds: seconds)
            case .unlimited: nil
            }
        let reservation = ReservationState(
            id: new.id,
            account: new.account,
            operation: operation,
            kind: new.kind,
            amount: amount,
            expiresAt: expiresAt,
            createdAt: instant,
            reason: new.reason,
            quote: new.quote
        )
        newReservations.append(new.id)
        set(reservation)
        try hold(amount, on: new.account)
    }

    // MARK: What is observed

    mutating func observe(_ new: Observation, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkWindow(new.id)
        try checkPair(new.account, new.other)
        let account = try account(new.account)
        guard !account.mayGoNegative, new.balance >= 0, new.balance < Money.limit else { throw .invalidAmount }
        let before = account.posted
        if new.balance > before {
            let came = new.balance - before
            try spend(came, from: new.other)
            try post(new.id, new.other, new.account, came, new.code, operation, reservation: nil)
        } else if new.balance < before {
            try giveWay(on: new.account, downTo: new.balance)
            try post(
                new.id,
                new.account,
                new.other,
                before - new.balance,
                new.code,
                operation,
                reservation: nil
            )
        }
    }

    /// Has reservations hold no more than there is, the newest first; all active ones of the account are loaded.
    private mutating func giveWay(on id: ID<LedgerAccount>, downTo balance: Int128) throws(LedgerRefusal) {
        var excess = try account(id).reserved - balance
        guard excess > 0 else { return }
        let active = reservations.values.filter { $0.account == id && $0.phase == .active }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        for reservation in active where excess > 0 {
            let given = min(excess, reservation.held)
            excess -= given
            guard given < reservation.held else {
                try end(reservation, as: .released, reason: "given_way")
                continue
            }
            var less = reservation
            less.amount -= given
            set(less)
            try hold(-given, on: id)
        }
        guard excess == 0 else { throw .insufficientFunds(account: id, available: 0, requested: excess) }
    }

    mutating func increment(
        _ id: ID<Reservation>,
        _ accountID: ID<LedgerAccount>,
        by amount: Int128
    ) throws(LedgerRefusal) {
        try checkAmount(amount)
        try checkNotFrozen(accountID)
        var reservation = try active(id, of: accountID)
        try spend(amount, from: accountID)
        guard reservation.amount < Money.limit - amount else { throw .invalidAmount }
        reservation.amount += amount
        set(reservation)
        try hold(amount, on: accountID)
    }

    mutating func decrement(
        _ id: ID<Reservation>,
        _ accountID: ID<LedgerAccount>,
        by amount: Int128
    ) throws(LedgerRefusal) {
        try checkAmount(amount)
        var reservation = try active(id, of: accountID)
        // Nothing left to hold is a release.
        guard amount < reservation.held else {
            throw .captureExceedsReservation(id, remaining: reservation.held, requested: amount)
        }
        reservation.amount -= amount
        set(reservation)
        try hold(-amount, on: accountID)
    }

    mutating func capture(
        _ amount: Int128,
        of id: ID<Reservation>,
        on accountID: ID<LedgerAccount>
    ) throws(LedgerRefusal) {
        var reservation = try active(id, of: accountID)
        guard amount <= reservation.held else {
            throw .captureExceedsReservation(id, remaining: reservation.held, requested: amount)
        }
        reservation.captured += amount
        if reservation.captured == reservation.amount {
            reservation.phase = .captured
            reservation.endedAt = instant
        }
        set(reservation)
        try hold(-amount, on: accountID)
    }

    mutating func settleLate(
        _ id: ID<Reservation>,
        on accountID: ID<LedgerAccount>,
        by transfer: ID<Transfer>
    ) throws(LedgerRefusal) {
        var reservation = try reservation(id, of: accountID)
        if reservation.isDue(at: instant) {
            try expire(reservation)
            reservation = try self.reservation(id, of: accountID)
        }
        let isOver = reservation.phase == .expired || reservation.phase == .released
        // Several transfers of one operation may settle together: amount and fee.
        guard isOver, reservation.settledBy == nil || isTouched.contains(id) else { throw .notSettleable(id) }
        if reservation.settledBy == nil { reservation.settledBy = transfer }
        set(reservation)
    }

    mutating func end(
        _ reservation: ReservationState,
        as phase: ReservationState.Phase,
        reason: String
    ) throws(LedgerRefusal) {
        var ended = reservation
        ended.phase = ended.captured > 0 ? .captured : phase
        ended.endedAt = instant
        ended.reason = reason
        set(ended)
        try hold(-reservation.held, on: reservation.account)
    }

    mutating func expire(_ reservation: ReservationState) throws(LedgerRefusal) {
        try end(reservation, as: .expired, reason: "expired")
        expired.append(reservation.id)
    }

    mutating func expireDue(on id: ID<LedgerAccount>) throws(LedgerRefusal) {
        for reservationID in (due[id] ?? []) + (dueHere[id] ?? []) {
            if let reservation = reservations[reservationID], reservation.isDue(at: instant) { try expire(reservation) }
        }
    }

    mutating func hold(_ amount: Int128, on id: ID<LedgerAccount>) throws(LedgerRefusal) {
        var account = try account(id)
        account.reserved += amount
        set(account)
    }

    // MARK: Limits

    mutating func use(_ new: Usage) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkNotClosed(try account(new.account))
        let own = limits[LimitKey(account: new.account, counter: new.counter)]
        // Only what is limited at all is limited by the account's own.
        if let usual = new.transactionLimit, new.amount > own?.perTransaction ?? usual {
            throw .limitExceeded(
                counter: new.counter,
                span: .transaction,
                limit: own?.perTransaction ?? usual,
                used: 0,
                requested: new.amount
            )
        }
        let day = [new.dayLimit.map { own?.perDay ?? $0 }, new.dayCeiling].compactMap(\.self).min()
        for (span, limit) in [(UsageSpan.day, day), (.month, new.monthLimit.map { own?.perMonth ?? $0 })] {
            let key = UsageKey(account: new.account, counter: new.counter, span: span, starts: span.start(of: instant))
            let used = usage[key] ?? 0
            let limit = limit ?? Money.limit - 1
            guard new.amount <= limit - used else {
                throw .limitExceeded(
                    counter: new.counter,
                    span: LimitSpan(span),
                    limit: limit,
                    used: used,
                    requested: new.amount
                )
            }
            set(key, used + new.amount)
        }
    }

    mutating func limit(
        _ account: ID<LedgerAccount>,
        _ counter: String,
        _ new: AccountLimits?
    ) throws(LedgerRefusal) {
        _ = try self.account(account)
        let key = LimitKey(account: account, counter: counter)
        let old = limits[key]
        limits[key] = new
        undo.append(.limits(key, old, wasChanged: !changedLimits.insert(key).inserted))
    }

    // MARK: Freezes, and the end of an account

    mutating func freeze(
        _ id: ID<LedgerAccount>,
        _ reason: String?,
        given condition: FreezeCondition
    ) throws(LedgerRefusal) {
        var account = try account(id)
        switch condition {
        case .always: break
        case .notOtherwise(let words):
            if let present = account.frozenBecause, !present.hasPrefix(words) { return }
        case .frozen(let present):
            guard account.frozenBecause == present else { throw .freezeChanged(id) }
        }
        account.frozenBecause = reason
        set(account)
    }

    mutating func close(_ id: ID<LedgerAccount>) throws(LedgerRefusal) {
        // Asked for more than can be there, so that reservations whose time is over are ended first.
        _ = try available(on: id, wanted: Money.limit)
        var account = try account(id)
        try checkNotClosed(account)
        guard account.posted == 0, account.reserved == 0 else { throw .accountNotEmpty(id) }
        account.isClosed = true
        set(account)
    }

    mutating func giveBack(
        _ counter: String,
        _ account: ID<LedgerAccount>,
        _ amount: Int128,
        _ at: Timestamp
    ) throws(LedgerRefusal) {
        try checkAmount(amount)
        _ = try self.account(account)
        for span in UsageSpan.allCases {
            let key = UsageKey(account: account, counter: counter, span: span, starts: span.start(of: at))
            set(key, max(0, (usage[key] ?? 0) - amount))
        }
    }
}
