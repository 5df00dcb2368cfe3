import Kernel

@testable import Ledger

/// What the database does for `LedgerCore`, in dictionaries: gives a batch what it needs, keeps what it says changed.
struct MemoryStore {
    private(set) var accounts: [ID<LedgerAccount>: AccountState] = [:]
    private(set) var reservations: [ID<Reservation>: ReservationState] = [:]
    private(set) var usage: [UsageKey: Int128] = [:]
    private(set) var limits: [LimitKey: AccountLimits] = [:]
    private(set) var transfers: [TransferRecord] = []
    private(set) var legs: [ID<Transfer>: TransferLegs] = [:]
    private(set) var reversals: Set<ID<Transfer>> = []
    /// Batches that were decided twice, because somebody lacked funds while holding reservations.
    private(set) var secondDecisions = 0

    mutating func open(_ account: AccountState) { accounts[account.id] = account }

    /// Decides a batch as `LedgerStore` does, and stores it.
    mutating func commit(
        _ items: [LedgerItem],
        at instant: Timestamp
    ) -> [Result<LedgerCore.Receipt, LedgerRefusal>] {
        let needs = LedgerNeeds(items)
        var core = load(needs, at: instant, due: [:])
        var outcomes = items.map { core.apply($0.commands, of: $0.operation) }
        if !core.unswept.isEmpty {
            secondDecisions += 1
            core = load(needs, at: instant, due: dueReservations(on: needs, at: instant))
            outcomes = items.map { core.apply($0.commands, of: $0.operation) }
        }
        store(core)
        return outcomes
    }

    private func load(
        _ needs: LedgerNeeds,
        at instant: Timestamp,
        due: [ID<LedgerAccount>: [ID<Reservation>]]
    ) -> LedgerCore {
        var needed = Set(needs.reservations)
        for list in due.values { needed.formUnion(list) }
        for reservation in reservations.values where needs.observed.contains(reservation.account) {
            if reservation.phase == .active { needed.insert(reservation.id) }
        }
        var usage: [UsageKey: Int128] = [:]
        for need in needs.usage {
            let day = need.day ?? instant.day
            for (span, starts) in [(UsageSpan.day, day), (.month, day.firstOfMonth)] {
                let key = UsageKey(account: need.account, counter: need.counter, span: span, starts: starts)
                if let used = self.usage[key] { usage[key] = used }
            }
        }
        var originals: [TransferLegs: Bool] = [:]
        for original in needs.originals {
            if let stored = legs[original.id] { originals[stored] = reversals.contains(stored.id) }
        }
        return LedgerCore(
            at: instant,
            accounts: needs.accounts.compactMap { accounts[$0] },
            reservations: needed.compactMap { reservations[$0] },
            due: due,
            usage: usage,
            limits: limits.filter { needs.limits.contains($0.key) },
            originals: originals
        )
    }

    private func dueReservations(
        on needs: LedgerNeeds,
        at instant: Timestamp
    ) -> [ID<LedgerAccount>: [ID<Reservation>]] {
        var due: [ID<LedgerAccount>: [ID<Reservation>]] = [:]
        for id in needs.accounts where (accounts[id]?.reserved ?? 0) > 0 { due[id] = [] }
        for reservation in reservations.values where due[reservation.account] != nil {
            guard reservation.phase == .active, let expiresAt = reservation.expiresAt, expiresAt <= instant else {
                continue
            }
            due[reservation.account]?.append(reservation.id)
        }
        return due
    }

    private mutating func store(_ core: LedgerCore) {
        for id in core.changedAccounts { accounts[id] = core.accounts[id] }
        for id in core.newReservations + core.changedReservations { reservations[id] = core.reservations[id] }
        for key in core.changedUsage { usage[key] = core.usage[key] }
        for key in core.changedLimits { limits[key] = core.limits[key] }
        transfers += core.transfers
        for transfer in core.transfers {
            legs[transfer.id] = TransferLegs(
                id: transfer.id,
                debit: transfer.debit,
                credit: transfer.credit,
                amount: transfer.amount
            )
            if let original = transfer.reverses { reversals.insert(original) }
        }
    }

    // MARK: Invariants

    /// Which rules of a sound ledger are broken; none when all is well.
    func brokenRules() -> [String] {
        var broken: [String] = []
        var sums: [String: Int128] = [:]
        var posted: [ID<LedgerAccount>: Int128] = [:]
        var versions: [ID<LedgerAccount>: Int64] = [:]
        var held: [ID<LedgerAccount>: Int128] = [:]
        for transfer in transfers {
            posted[transfer.debit, default: 0] -= transfer.amount
            posted[transfer.credit, default: 0] += transfer.amount
            versions[transfer.debit, default: 0] += 1
            versions[transfer.credit, default: 0] += 1
            if (transfer.debitVersion, transfer.creditVersion) != (versions[transfer.debit], versions[transfer.credit])
            {
                broken.append("versions of \(transfer.id) aren't dense")
            }
            if (transfer.debitPosted, transfer.creditPosted) != (posted[transfer.debit], posted[transfer.credit]) {
                broken.append("balances of \(transfer.id) don't follow")
            }
        }
        for reservation in reservations.values where reservation.phase == .active {
            held[reservation.account, default: 0] += reservation.amount - reservation.captured
        }
        for (id, account) in accounts {
            sums[account.asset, default: 0] += account.posted
            if account.posted != posted[id] ?? 0 { broken.append("balance of \(id)") }
            if account.version != versions[id] ?? 0 { broken.append("version of \(id)") }
            if account.reserved != held[id] ?? 0 { broken.append("reserved of \(id)") }
            if account.reserved < 0 { broken.append("reserved of \(id) below zero") }
            if account.mayGoNegative ? account.reserved != 0 : account.available < 0 { broken.append("funds of \(id)") }
        }
        for (asset, sum) in sums where sum != 0 { broken.append("sum of \(asset)") }
        return broken
    }
}
