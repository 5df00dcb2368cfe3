public import Kernel

/// One thing that the ledger is asked to do; an operation is a list of them, all or none.
public enum LedgerCommand: Sendable, Hashable {
    /// Moves money.
    case transfer(NewTransfer)
    /// Moves the money of an earlier transfer back, once.
    case reverse(NewReversal)
    /// Takes an amount back: what is available, a freeze notwithstanding, and the shortfall from a receivable account.
    case collect(NewCollection)
    /// Pays a receivable back from what is available, as far as that goes; does nothing when there is nothing to pay.
    case repay(NewRepayment)
    /// Holds money.
    case reserve(NewReservation)
    /// Holds more under an active reservation.
    case increment(ID<Reservation>, of: ID<LedgerAccount>, by: Int128)
    /// Gives back a part, and less than all, of what an active reservation still holds.
    case decrement(ID<Reservation>, of: ID<LedgerAccount>, by: Int128)
    /// Moves an active reservation's expiry, nil takes it away; `unlessFrozen` refuses to where outgoing money is
    /// stopped.
    case extend(ID<Reservation>, of: ID<LedgerAccount>, until: Timestamp?, unlessFrozen: Bool = false)
    /// Ends an active reservation; what was not captured is available again.
    case release(ID<Reservation>, of: ID<LedgerAccount>, reason: String)
    /// Has a reservation hold as much of its amount as is available, a freeze notwithstanding: makes it, or raises it;
    /// does nothing to one that has ended, and where nothing is available.
    case claim(NewReservation)
    /// Ends a reservation if it is active; does nothing to one that has ended or was never made.
    case letGo(ID<Reservation>, of: ID<LedgerAccount>, reason: String)
    /// Has an account that mirrors something say what was observed of it; what is reserved gives way.
    case observe(Observation)
    /// Ends a reservation whose time is over; does nothing to one that isn't due.
    case expire(ID<Reservation>, of: ID<LedgerAccount>)
    /// Counts towards the account's limits of the present UTC day and month.
    case use(Usage)
    /// Takes back what was counted in the day and month of `at`, never below zero.
    case giveBack(counter: String, of: ID<LedgerAccount>, amount: Int128, at: Timestamp)
    /// Stops outgoing money, with the reason shown to operators; nil lets it go again. What is frozen by then is looked
    /// at under the account's lock.
    case freeze(ID<LedgerAccount>, because: String?, given: FreezeCondition = .always)
    /// Ends an account on which nothing stands and nothing is held; from then on nothing is posted to it.
    case close(ID<LedgerAccount>)
    /// Gives an account limits of its own for a counter, in the place of those that come with uses; nil takes them
    /// away.
    case limit(ID<LedgerAccount>, counter: String, to: AccountLimits?)
}

/// What a freeze, or its end, asks of what is there, so that none takes away what another one stands for.
public enum FreezeCondition: Sendable, Hashable {
    /// Nothing.
    case always
    /// That the account isn't frozen, or for a reason that begins so; one that is otherwise is left as it is.
    case notOtherwise(than: String)
    /// That the account is frozen for just this reason; the operation is refused otherwise.
    case frozen(because: String)
}

/// A transfer to be made.
public struct NewTransfer: Sendable, Hashable {
    /// What pays for the debit.
    public enum Funding: Sendable, Hashable {
        /// What is posted and not reserved.
        case available
        /// Like `available`, but a freeze doesn't stop it: chargebacks, corrections by operators.
        case availableDespiteFreeze
        /// A capture, of the whole or a part of an active reservation on the debited account; `unlessFrozen` refuses it
        /// where outgoing money is stopped, for what nobody outside has been told of yet.
        case reservation(ID<Reservation>, unlessFrozen: Bool = false)
        /// The available money, for a provider's success after this reservation was released or expired; once.
        case settlingLate(ID<Reservation>)
    }

    /// Its id, minted by the caller; storing it again is refused.
    public let id: ID<Transfer>
    /// The account that has less afterwards.
    public let debit: ID<LedgerAccount>
    /// The account that has more afterwards.
    public let credit: ID<LedgerAccount>
    /// Minor units, more than zero.
    public let amount: Int128
    /// What it is: `deposit`, `fee_platform`.
    public let code: String
    /// What pays for it.
    public let funding: Funding

    /// A transfer.
    public init(
        id: ID<Transfer>,
        debit: ID<LedgerAccount>,
        credit: ID<LedgerAccount>,
        amount: Int128,
        code: String,
        funding: Funding = .available
    ) {
        (self.id, self.debit, self.credit) = (id, debit, credit)
        (self.amount, self.code, self.funding) = (amount, code, funding)
    }
}

/// A reversal to be made: the legs are those of the transfer, the other way round.
public struct NewReversal: Sendable, Hashable {
    /// The id of the new transfer.
    public let id: ID<Transfer>
    /// The transfer to reverse; the caller read it, the ledger checks it.
    public let original: TransferLegs

    /// A reversal.
    public init(id: ID<Transfer>, of original: TransferLegs) { (self.id, self.original) = (id, original) }
}

/// Money to be taken back from a customer who may have spent it.
public struct NewCollection: Sendable, Hashable {
    /// The id of the transfer from the customer's account, if anything is there.
    public let id: ID<Transfer>
    /// The id of the transfer from the receivable account, if anything is missing.
    public let shortfallID: ID<Transfer>
    /// The customer's account.
    public let debit: ID<LedgerAccount>
    /// The customer's receivable account, which may go negative: what the customer owes us.
    public let receivable: ID<LedgerAccount>
    /// Where all of it goes.
    public let credit: ID<LedgerAccount>
    /// Minor units, more than zero.
    public let amount: Int128
    /// What it is: `chargeback`.
    public let code: String

    /// A collection.
    public init(
        id: ID<Transfer>,
        shortfallID: ID<Transfer>,
        debit: ID<LedgerAccount>,
        receivable: ID<LedgerAccount>,
        credit: ID<LedgerAccount>,
        amount: Int128,
        code: String
    ) {
        (self.id, self.shortfallID, self.debit) = (id, shortfallID, debit)
        (self.receivable, self.credit, self.amount, self.code) = (receivable, credit, amount, code)
    }
}

/// A receivable to be paid back.
public struct NewRepayment: Sendable, Hashable {
    /// The id of the transfer, if there is anything to pay and to pay it from.
    public let id: ID<Transfer>
    /// The customer's account.
    public let debit: ID<LedgerAccount>
    /// The customer's receivable account.
    public let receivable: ID<LedgerAccount>

    /// A repayment.
    public init(id: ID<Transfer>, debit: ID<LedgerAccount>, receivable: ID<LedgerAccount>) {
        (self.id, self.debit, self.receivable) = (id, debit, receivable)
    }
}

/// What was seen of something outside that an account mirrors.
///
/// It has happened, so that neither a freeze nor a reservation keeps it from being posted: where less is left than
/// reservations hold, they hold less, the newest first, and end where nothing is left to hold.
public struct Observation: Sendable, Hashable {
    /// The id of the transfer, if there is any difference.
    public let id: ID<Transfer>
    /// The account; one that may go negative mirrors nothing.
    public let account: ID<LedgerAccount>
    /// The account that the difference comes from or goes to.
    public let other: ID<LedgerAccount>
    /// What there is now, in minor units: 0 or more.
    public let balance: Int128
    /// What the transfer is: `wallet_balance`.
    public let code: String

    /// What was seen.
    public init(
        id: ID<Transfer>,
        account: ID<LedgerAccount>,
        other: ID<LedgerAccount>,
        balance: Int128,
        code: String
    ) {
        (self.id, self.account, self.other, self.balance, self.code) = (id, account, other, balance, code)
    }
}

/// What never changes of a stored transfer.
public struct TransferLegs: Sendable, Hashable {
    /// Its id.
    public let id: ID<Transfer>
    /// The account it debited.
    public let debit: ID<LedgerAccount>
    /// The account it credited.
    public let credit: ID<LedgerAccount>
    /// Minor units.
    public let amount: Int128

    /// The legs of a transfer.
    public init(id: ID<Transfer>, debit: ID<LedgerAccount>, credit: ID<LedgerAccount>, amount: Int128) {
        (self.id, self.debit, self.credit, self.amount) = (id, debit, credit, amount)
    }
}

/// A reservation to be made.
public struct NewReservation: Sendable, Hashable {
    /// When a reservation ends by itself.
    public enum Lifetime: Sendable, Hashable {
        /// After so many seconds of the database's clock.
        case seconds(Int64)
        /// Never: resting orders, manual freezes.
        case unlimited
    }

    /// Half an hour.
    public static let usualLifetime = Lifetime.seconds(1_800)

    /// Its id, minted by the caller.
    public let id: ID<Reservation>
    /// Whose money it holds.
    public let account: ID<LedgerAccount>
    /// Minor units, more than zero.
    public let amount: Int128
    /// What it is for: `withdrawal`, `manual_freeze`.
    public let kind: String
    /// When it ends by itself.
    public let lifetime: Lifetime
    /// The fee quote that was promised with it.
    public let quote: JSON?
    /// Why, where a person made it.
    public let reason: String?
    /// Whether a freeze doesn't stop it: what was held before, and is again.
    public let isDespiteFreeze: Bool

    /// A reservation.
    public init(
        id: ID<Reservation>,
        account: ID<LedgerAccount>,
        amount: Int128,
        kind: String,
        lifetime: Lifetime = usualLifetime,
        quote: JSON? = nil,
        reason: String? = nil,
        isDespiteFreeze: Bool = false
    ) {
        (self.id, self.account, self.amount, self.kind) = (id, account, amount, kind)
        (self.lifetime, self.quote, self.reason) = (lifetime, quote, reason)
        self.isDespiteFreeze = isDespiteFreeze
    }
}

/// An amount that counts towards limits.
public struct Usage: Sendable, Hashable {
    /// The account whose limits they are.
    public let account: ID<LedgerAccount>
    /// What is counted: `withdrawal`.
    public let counter: String
    /// Minor units, more than zero.
    public let amount: Int128
    /// The most at once; nil is no limit.
    public let transactionLimit: Int128?
    /// The most of one UTC calendar day; nil is no limit.
    public let dayLimit: Int128?
    /// The most of one UTC calendar month; nil is no limit.
    public let monthLimit: Int128?
    /// The most of one UTC calendar day whatever limits the account has of its own; nil is no such bound.
    public let dayCeiling: Int128?

    /// An amount that counts; limits of the account's own take the place of those that are given.
    public init(
        account: ID<LedgerAccount>,
        counter: String,
        amount: Int128,
        transactionLimit: Int128? = nil,
        dayLimit: Int128?,
        monthLimit: Int128?,
        dayCeiling: Int128? = nil
    ) {
        (self.account, self.counter, self.amount) = (account, counter, amount)
        (self.transactionLimit, self.dayLimit) = (transactionLimit, dayLimit)
        (self.monthLimit, self.dayCeiling) = (monthLimit, dayCeiling)
    }
}

/// Limits of an account's own, in minor units.
public struct AccountLimits: Sendable, Hashable {
    /// The most at once, more than zero.
    public let perTransaction: Int128
    /// The most of one UTC calendar day, not less than of one transaction.
    public let perDay: Int128
    /// The most of one UTC calendar month, not less than of one day.
    public let perMonth: Int128

    /// Limits; nil unless they are above zero and each is at least the one before.
    public init?(perTransaction: Int128, perDay: Int128, perMonth: Int128) {
        guard perTransaction > 0, perDay >= perTransaction, perMonth >= perDay, perMonth < Money.limit else {
            return nil
        }
        (self.perTransaction, self.perDay, self.perMonth) = (perTransaction, perDay, perMonth)
    }
}
