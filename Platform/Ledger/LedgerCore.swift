public import Kernel

/// The ledger's decisions as a pure value: loaded state in, outcomes and rows to store out.
///
/// No I/O, no clock, no randomness: the server, the checker, a dry run and the tests all call this.
public struct LedgerCore: Sendable {
    /// The instant at which everything is decided, by the database's clock.
    public internal(set) var instant: Timestamp
    /// The accounts loaded, as they are after what was applied.
    public internal(set) var accounts: [ID<LedgerAccount>: AccountState]
    /// The reservations loaded or made.
    public internal(set) var reservations: [ID<Reservation>: ReservationState]
    /// What is used of limits.
    public internal(set) var usage: [UsageKey: Int128]
    /// The limits that accounts have of their own.
    public internal(set) var limits: [LimitKey: AccountLimits]
    /// The transfers that reversals name, and whether they were reversed before.
    public internal(set) var originals: [TransferLegs: Bool]

    /// Transfers made, in order.
    public internal(set) var transfers: [TransferRecord] = []
    /// Accounts whose state differs from what was loaded.
    public internal(set) var changedAccounts: Set<ID<LedgerAccount>> = []
    /// Reservations made here.
    public internal(set) var newReservations: [ID<Reservation>] = []
    /// Loaded reservations that changed.
    public internal(set) var changedReservations: Set<ID<Reservation>> = []
    /// Reservations that ended because their time was over.
    public internal(set) var expired: [ID<Reservation>] = []
    /// Limits whose use changed.
    public internal(set) var changedUsage: Set<UsageKey> = []
    /// What limits of accounts' own were set for, or taken away.
    public internal(set) var changedLimits: Set<LimitKey> = []
    /// Accounts that lacked funds although reservations on them may be due.
    ///
    /// If there are any, the whole batch is to be decided anew with what is due on all accounts that hold reservations:
    /// other decisions follow from these.
    public internal(set) var unswept: Set<ID<LedgerAccount>> = []

    let due: [ID<LedgerAccount>: [ID<Reservation>]]
    var undo: [Undo] = []
    /// Reservations whose expiry was moved into the past, or made so, since they were loaded.
    var dueHere: [ID<LedgerAccount>: [ID<Reservation>]] = [:]
    /// Reservations of the present operation, in the order of the commands, and as a set.
    var touched: [ID<Reservation>] = []
    var operations = 0
    var isTouched: Set<ID<Reservation>> = []

    enum Undo {
        case account(AccountState, wasChanged: Bool)
        case reservation(ID<Reservation>, ReservationState?, wasChanged: Bool)
        case usage(UsageKey, Int128?, wasChanged: Bool)
        case limits(LimitKey, AccountLimits?, wasChanged: Bool)
        case original(TransferLegs)
    }

    /// A ledger as loaded.
    ///
    /// `due` names, for accounts whose reservations have been looked through, those whose time is over; they are
    /// among `reservations`.
    public init(
        at instant: Timestamp,
        accounts: [AccountState],
        reservations: [ReservationState] = [],
        due: [ID<LedgerAccount>: [ID<Reservation>]] = [:],
        usage: [UsageKey: Int128] = [:],
        limits: [LimitKey: AccountLimits] = [:],
        originals: [TransferLegs: Bool] = [:]
    ) {
        self.instant = instant
        self.accounts = Dictionary(uniqueKeysWithValues: accounts.map { ($0.id, $0) })
        self.reservations = Dictionary(uniqueKeysWithValues: reservations.map { ($0.id, $0) })
        (self.due, self.usage, self.limits, self.originals) = (due, usage, limits, originals)
    }

    /// Does all commands of an operation or none of them.
    public mutating func apply(
        _ commands: [LedgerCommand],
        of operation: ID<Operation>
    ) -> Result<Receipt, LedgerRefusal> {
        undo.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
        isTouched.removeAll(keepingCapacity: true)
        let marks = (transfers: transfers.count, new: newReservations.count, expired: expired.count)
        do throws(LedgerRefusal) {
            for command in commands { try apply(command, operation) }
        } catch {
            rollBack()
            transfers.removeSubrange(marks.transfers...)
            newReservations.removeSubrange(marks.new...)
            expired.removeSubrange(marks.expired...)
            return .failure(error)
        }
        operations += 1
        return .success(
            Receipt(
                at: instant,
                transfers: Array(transfers[marks.transfers...]),
                reservations: touched.compactMap { reservations[$0] },
                accounts: customersTouched,
                place: operations
            )
        )
    }

    var customersTouched: [AccountState] {
        var states: [AccountState] = []
        for step in undo {
            // An operation touches a handful of accounts: looking through them is quicker than a set of them.
            guard case .account(let old, _) = step, old.owner != AccountKey.house,
                !states.contains(where: { $0.id == old.id })
            else { continue }
            if let state = accounts[old.id] { states.append(state) }
        }
        return states
    }

    mutating func apply(_ command: LedgerCommand, _ operation: ID<Operation>) throws(LedgerRefusal) {
        switch command {
        case .transfer(let new): try transfer(new, operation)
        case .reverse(let new): try reverse(new, operation)
        case .collect(let new): try collect(new, operation)
        case .repay(let new): try repay(new, operation)
        case .reserve(let new): try reserve(new, operation)
        case .increment(let id, let account, let amount): try increment(id, account, by: amount)
        case .decrement(let id, let account, let amount): try decrement(id, account, by: amount)
        case .extend(let id, let account, let until, let unlessFrozen):
            var reservation = try active(id, of: account)
            if unlessFrozen { try checkNotFrozen(account) }
            reservation.expiresAt = until
            set(reservation)
        case .release(let id, let account, let reason):
            try end(try active(id, of: account), as: .released, reason: reason)
        case .claim(let new): try claim(new, operation)
        case .letGo(let id, let account, let reason):
            guard let held = reservations[id], held.account == account, held.phase == .active else { return }
            try end(held, as: .released, reason: reason)
        case .observe(let new): try observe(new, operation)
        case .expire(let id, let account):
            let reservation = try reservation(id, of: account)
            if reservation.isDue(at: instant) { try expire(reservation) }
        case .use(let usage): try use(usage)
        case .giveBack(let counter, let account, let amount, let at): try giveBack(counter, account, amount, at)
        case .freeze(let id, let reason, let condition): try freeze(id, reason, given: condition)
        case .close(let id): try close(id)
        case .limit(let id, let counter, let limits): try limit(id, counter, limits)
        }
    }

    // MARK: Transfers

    mutating func transfer(_ new: NewTransfer, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkWindow(new.id)
        try checkPair(new.debit, new.credit)
        var reservationID: ID<Reservation>?
        switch new.funding {
        case .available:
            try checkNotFrozen(new.debit)
            try spend(new.amount, from: new.debit)
        case .availableDespiteFreeze:
            try spend(new.amount, from: new.debit)
        case .reservation(let id, let unlessFrozen):
            if unlessFrozen { try checkNotFrozen(new.debit) }
            try capture(new.amount, of: id, on: new.debit)
            reservationID = id
        case .settlingLate(let id):
            try settleLate(id, on: new.debit, by: new.id)
            try spend(new.amount, from: new.debit)
            reservationID = id
        }
        try post(new.id, new.debit, new.credit, new.amount, new.code, operation, reservation: reservationID)
    }

    mutating func reverse(_ new: NewReversal, _ operation: ID<Operation>) throws(LedgerRefusal) {
        let original = new.original
        try checkWindow(new.id)
        guard let wasReversed = originals[original] else { throw .unknownTransfer(original.id) }
        guard !wasReversed else { throw .alreadyReversed(original.id) }
        originals[original] = true
        undo.append(.original(original))
        try checkPair(original.credit, original.debit)
        try spend(original.amount, from: original.credit)
        try post(
            new.id,
            original.credit,
            original.debit,
            original.amount,
            "reversal",
            operation,
            reservation: nil,
            reverses: original.id
        )
    }

    mutating func collect(_ new: NewCollection, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkAmount(new.amount)
        try checkWindow(new.id)
        try checkWindow(new.shortfallID)
        try checkPair(new.debit, new.credit)
        try checkPair(new.receivable, new.credit)
        let there = min(max(0, try available(on: new.debit, wanted: new.amount)), new.amount)
        if there > 0 { try post(new.id, new.debit, new.credit, there, new.code, operation, reservation: nil) }
        guard there < new.amount else { return }
        let missing = new.amount - there
        try spend(missing, from: new.receivable)
        try post(new.shortfallID, new.receivable, new.credit, missing, new.code, operation, reservation: nil)
    }

    mutating func repay(_ new: NewRepayment, _ operation: ID<Operation>) throws(LedgerRefusal) {
        try checkWindow(new.id)
        try checkPair(new.debit, new.receivable)
        let owed = -(try account(new.receivable).posted)
        guard owed > 0 else { return }
        let amount = min(try available(on: new.debit, wanted: owed), owed)
        if amount > 0 {
            try post(new.id, new.debit, new.receivable, amount, "repayment", operation, reservation: nil)
        }
    }

    mutating func post(
        _ id: ID<Transfer>,
        _ debitID: ID<LedgerAccount>,
        _ creditID: ID<LedgerAccount>,
        _ amount: Int128,
        _ code: String,
        _ operation: ID<Operation>,
        reservation: ID<Reservation>?,
        reverses: ID<Transfer>? = nil
    ) throws(LedgerRefusal) {
        var debit = try account(debitID)
        var credit = try account(creditID)
        try checkNotClosed(debit)
        try checkNotClosed(credit)
        // Compared before it is added: two amounts below 10^38 can be more than an Int128 holds.
        guard debit.posted > amount - Money.limit else { throw .balanceOverflow(debitID) }
        guard credit.posted < Money.limit - amount else { throw .balanceOverflow(creditID) }
        debit.posted -= amount
        credit.posted += amount
        debit.version += 1
        credit.version += 1
        set(debit)
        set(credit)
        transfers.append(
            TransferRecord(
                id: id,
                operation: operation,
                debit: debitID,
                credit: creditID,
                debitVersion: debit.version,
                creditVersion: credit.version,
                amount: amount,
                debitPosted: debit.posted,
                creditPosted: credit.posted,
                code: code,
                reservation: reservation,
                reverses: reverses
            )
        )
    }

    /// Makes sure that an account can pay from what is available.
    mutating func spend(_ amount: Int128, from id: ID<LedgerAccount>) throws(LedgerRefusal) {
        guard !(try account(id).mayGoNegative) else { return }
        let available = try available(on: id, wanted: amount)
        guard available >= amount else {
            throw .insufficientFunds(account: id, available: available, requested: amount)
        }
    }

    /// What an account has available; if that is less than wanted, its due reservations are ended first.
    mutating func available(on id: ID<LedgerAccount>, wanted: Int128) throws(LedgerRefusal) -> Int128 {
        let account = try account(id)
        guard account.available < wanted else { return account.available }
        if account.reserved > 0, due[id] == nil { unswept.insert(id) }
        try expireDue(on: id)
        return try self.account(id).available
    }

    // MARK: Looking and checking

    func account(_ id: ID<LedgerAccount>) throws(LedgerRefusal) -> AccountState {
        guard let account = accounts[id] else { throw .unknownAccount(id) }
        return account
    }

    func reservation(
        _ id: ID<Reservation>,
        of account: ID<LedgerAccount>
    ) throws(LedgerRefusal) -> ReservationState {
        guard let reservation = reservations[id], reservation.account == account else { throw .unknownReservation(id) }
        return reservation
    }

    func active(_ id: ID<Reservation>, of account: ID<LedgerAccount>) throws(LedgerRefusal) -> ReservationState {
        let reservation = try reservation(id, of: account)
        guard reservation.phase == .active else { throw .reservationNotActive(id, reservation.phase) }
        guard !reservation.isDue(at: instant) else { throw .reservationExpired(id) }
        return reservation
    }

    func checkAmount(_ amount: Int128) throws(LedgerRefusal) {
        guard amount > 0, amount < Money.limit else { throw .invalidAmount }
    }

    // Partitions reach from the previous month to months ahead; an id outside them would break its whole batch.
    func checkWindow(_ id: ID<Transfer>) throws(LedgerRefusal) {
        let age = instant.secondsSince(id.mintedAt)
        guard age < 28 * 86_400, age > -86_400 else { throw .idOutsideWindow }
    }

    func checkPair(_ debit: ID<LedgerAccount>, _ credit: ID<LedgerAccount>) throws(LedgerRefusal) {
        guard debit != credit else { throw .sameAccount }
        guard try account(debit).asset == account(credit).asset else { throw .assetMismatch }
    }

    func checkNotFrozen(_ id: ID<LedgerAccount>) throws(LedgerRefusal) {
        if try account(id).frozenBecause != nil { throw .accountFrozen(id) }
    }

    func checkNotClosed(_ account: AccountState) throws(LedgerRefusal) {
        if account.isClosed { throw .accountClosed(account.id) }
    }

    // MARK: Changing, and taking back

    mutating func set(_ account: AccountState) {
        guard let old = accounts.updateValue(account, forKey: account.id) else { return }
        undo.append(.account(old, wasChanged: !changedAccounts.insert(account.id).inserted))
    }

    mutating func set(_ reservation: ReservationState) {
        let old = reservations.updateValue(reservation, forKey: reservation.id)
        undo.append(
            .reservation(reservation.id, old, wasChanged: !changedReservations.insert(reservation.id).inserted)
        )
        if isTouched.insert(reservation.id).inserted { touched.append(reservation.id) }
        if reservation.isDue(at: instant) { dueHere[reservation.account, default: []].append(reservation.id) }
    }

    mutating func set(_ key: UsageKey, _ used: Int128) {
        let old = usage.updateValue(used, forKey: key)
        undo.append(.usage(key, old, wasChanged: !changedUsage.insert(key).inserted))
    }

    mutating func rollBack() {
        for step in undo.reversed() {
            switch step {
            case .account(let old, let wasChanged):
                accounts[old.id] = old
                if !wasChanged { changedAccounts.remove(old.id) }
            case .reservation(let id, let old, let wasChanged):
                reservations[id] = old
                if !wasChanged { changedReservations.remove(id) }
            case .usage(let key, let old, let wasChanged):
                usage[key] = old
                if !wasChanged { changedUsage.remove(key) }
            case .limits(let key, let old, let wasChanged):
                limits[key] = old
                if !wasChanged { changedLimits.remove(key) }
            case .original(let legs): originals[legs] = false
            }
        }
    }
}
