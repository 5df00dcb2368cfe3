import Kernel

/// A limit whose use is to be read: of the present day, or of a past one.
struct UsageNeed: Hashable {
    let account: ID<LedgerAccount>
    let counter: String
    /// Nil stands for today by the database's clock.
    let day: CalendarDay?
}

/// What a batch of items needs from the database before it can be decided.
struct LedgerNeeds {
    private(set) var accounts: [ID<LedgerAccount>] = []
    private(set) var reservations: [ID<Reservation>] = []
    private(set) var usage: [UsageNeed] = []
    /// Of whom limits of their own may be in force or are to be replaced.
    private(set) var limits: [LimitKey] = []
    private(set) var originals: [TransferLegs] = []
    private(set) var keys: [UInt128] = []
    /// Accounts whose active reservations may have to give way.
    private(set) var observed: [ID<LedgerAccount>] = []
    /// Whether there are transfers of what is available, and nothing else: then the accounts that they change are all
    /// that their decisions depend on.
    private(set) var isPlain = true

    init(_ items: [LedgerItem]) {
        var accounts: Set<ID<LedgerAccount>> = []
        var reservations: Set<ID<Reservation>> = []
        var usage: Set<UsageNeed> = []
        var limits: Set<LimitKey> = []
        var observed: Set<ID<LedgerAccount>> = []
        for item in items {
            if let key = item.idempotency { keys.append(key.scope) }
            if item.idempotency != nil || !item.commands.allSatisfy(\.isPlainTransfer) { isPlain = false }
            for command in item.commands {
                switch command {
                case .transfer(let new):
                    accounts.insert(new.debit)
                    accounts.insert(new.credit)
                    switch new.funding {
                    case .reservation(let id, _), .settlingLate(let id): reservations.insert(id)
                    case .available, .availableDespiteFreeze: break
                    }
                case .reverse(let new):
                    accounts.insert(new.original.debit)
                    accounts.insert(new.original.credit)
                    originals.append(new.original)
                case .collect(let new):
                    accounts.formUnion([new.debit, new.receivable, new.credit])
                case .repay(let new): accounts.formUnion([new.debit, new.receivable])
                case .reserve(let new): accounts.insert(new.account)
                case .claim(let new):
                    accounts.insert(new.account)
                    reservations.insert(new.id)
                case .observe(let new):
                    accounts.formUnion([new.account, new.other])
                    observed.insert(new.account)
                case .increment(let id, let account, _), .decrement(let id, let account, _),
                    .extend(let id, let account, _, _),
                    .release(let id, let account, _), .letGo(let id, let account, _), .expire(let id, let account):
                    accounts.insert(account)
                    reservations.insert(id)
                case .use(let new):
                    accounts.insert(new.account)
                    usage.insert(UsageNeed(account: new.account, counter: new.counter, day: nil))
                    limits.insert(LimitKey(account: new.account, counter: new.counter))
                case .giveBack(let counter, let account, _, let at):
                    accounts.insert(account)
                    usage.insert(UsageNeed(account: account, counter: counter, day: at.day))
                case .freeze(let account, _, _), .close(let account): accounts.insert(account)
                case .limit(let account, let counter, _):
                    accounts.insert(account)
                    limits.insert(LimitKey(account: account, counter: counter))
                }
            }
        }
        self.accounts = Array(accounts)
        self.reservations = Array(reservations)
        self.usage = Array(usage)
        self.limits = Array(limits)
        self.observed = Array(observed)
    }

    /// Needs more accounts, and the answers kept under more keys.
    mutating func add(_ more: Set<ID<LedgerAccount>>, _ moreKeys: [IdempotencyKey]) {
        accounts = Array(more.union(accounts))
        keys += moreKeys.map(\.scope)
    }
}

extension LedgerCommand {
    fileprivate var isPlainTransfer: Bool {
        guard case .transfer(let new) = self else { return false }
        return switch new.funding {
        case .available, .availableDespiteFreeze: true
        case .reservation, .settlingLate: false
        }
    }
}
