public import Kernel

/// A ledger account as of the batch that is being decided.
public struct AccountState: Sendable, Hashable {
    /// Its id.
    public let id: ID<LedgerAccount>
    /// Whose it is; `AccountKey.house` for one of the house.
    public let owner: UInt128
    /// What it is: `checking`.
    public let kind: String
    /// The code of its asset.
    public let asset: String
    /// Whether its balance may be below zero; such an account can't hold reservations.
    public let mayGoNegative: Bool
    /// Credits less debits, in minor units.
    public internal(set) var posted: Int128
    /// What reservations hold that have not ended, in minor units.
    public internal(set) var reserved: Int128
    /// How many transfers touched it.
    public internal(set) var version: Int64
    /// Why outgoing money is stopped; nil when it isn't.
    public internal(set) var frozenBecause: String?
    /// Whether it was closed: nothing is posted to it any more.
    public internal(set) var isClosed: Bool

    /// An account's state.
    public init(
        id: ID<LedgerAccount>,
        asset: String,
        mayGoNegative: Bool = false,
        posted: Int128 = 0,
        reserved: Int128 = 0,
        version: Int64 = 0,
        frozenBecause: String? = nil,
        isClosed: Bool = false,
        owner: UInt128 = AccountKey.house,
        kind: String = ""
    ) {
        (self.id, self.asset, self.mayGoNegative) = (id, asset, mayGoNegative)
        (self.owner, self.kind) = (owner, kind)
        (self.posted, self.reserved, self.version) = (posted, reserved, version)
        (self.frozenBecause, self.isClosed) = (frozenBecause, isClosed)
    }

    /// What may be spent, in minor units.
    public var available: Int128 { posted - reserved }
}

/// A reservation as of the batch that is being decided.
public struct ReservationState: Sendable, Hashable {
    /// Where it is in its life.
    public enum Phase: String, Sendable, Hashable, CaseIterable {
        /// It holds money.
        case active
        /// It ended with something captured.
        case captured
        /// It was ended with nothing captured.
        case released
        /// Its time ran out with nothing captured.
        case expired
    }

    /// Its id.
    public let id: ID<Reservation>
    /// Whose money it holds.
    public let account: ID<LedgerAccount>
    /// What it belongs to.
    public let operation: ID<Operation>
    /// What it is for.
    public let kind: String
    /// What it held in all, captured part included, in minor units.
    public internal(set) var amount: Int128
    /// What was captured of it, in minor units.
    public internal(set) var captured: Int128
    /// Where it is in its life.
    public internal(set) var phase: Phase
    /// When it ends by itself; nil is never.
    public internal(set) var expiresAt: Timestamp?
    /// When it was made.
    public let createdAt: Timestamp
    /// When it ended; nil while it is active.
    public internal(set) var endedAt: Timestamp?
    /// Why it ended, or why a person made it.
    public internal(set) var reason: String?
    /// The fee quote that was promised with it.
    public let quote: JSON?
    /// The transfer that settled it late.
    public internal(set) var settledBy: ID<Transfer>?

    /// A reservation's state.
    public init(
        id: ID<Reservation>,
        account: ID<LedgerAccount>,
        operation: ID<Operation>,
        kind: String,
        amount: Int128,
        captured: Int128 = 0,
        phase: Phase = .active,
        expiresAt: Timestamp?,
        createdAt: Timestamp,
        endedAt: Timestamp? = nil,
        reason: String? = nil,
        quote: JSON? = nil,
        settledBy: ID<Transfer>? = nil
    ) {
        (self.id, self.account, self.operation, self.kind) = (id, account, operation, kind)
        (self.amount, self.captured, self.phase, self.expiresAt) = (amount, captured, phase, expiresAt)
        (self.createdAt, self.endedAt, self.reason) = (createdAt, endedAt, reason)
        (self.quote, self.settledBy) = (quote, settledBy)
    }

    /// What it still holds, in minor units; 0 once it has ended.
    public var held: Int128 { phase == .active ? amount - captured : 0 }

    /// Whether its time is over at an instant, swept or not.
    public func isDue(at instant: Timestamp) -> Bool {
        guard phase == .active, let expiresAt else { return false }
        return expiresAt <= instant
    }
}

/// A transfer as it is stored: both legs, and both accounts' versions and balances after it.
public struct TransferRecord: Sendable, Hashable {
    /// Its id.
    public let id: ID<Transfer>
    /// What it belongs to.
    public let operation: ID<Operation>
    /// The debited account.
    public let debit: ID<LedgerAccount>
    /// The credited account.
    public let credit: ID<LedgerAccount>
    /// The debited account's version after it.
    public let debitVersion: Int64
    /// The credited account's version after it.
    public let creditVersion: Int64
    /// Minor units.
    public let amount: Int128
    /// The debited account's balance after it, in minor units.
    public let debitPosted: Int128
    /// The credited account's balance after it, in minor units.
    public let creditPosted: Int128
    /// What it is.
    public let code: String
    /// The reservation that it captured or settled.
    public let reservation: ID<Reservation>?
    /// The transfer that it reverses.
    public let reverses: ID<Transfer>?
}

/// What limits of an account's own are for.
public struct LimitKey: Sendable, Hashable {
    /// The account.
    public let account: ID<LedgerAccount>
    /// What is counted.
    public let counter: String

    /// A key.
    public init(account: ID<LedgerAccount>, counter: String) { (self.account, self.counter) = (account, counter) }
}

/// Which limit of which account, and when.
public struct UsageKey: Sendable, Hashable {
    /// The account.
    public let account: ID<LedgerAccount>
    /// What is counted.
    public let counter: String
    /// Day or month.
    public let span: UsageSpan
    /// The first day of the span.
    public let starts: CalendarDay

    /// A key.
    public init(account: ID<LedgerAccount>, counter: String, span: UsageSpan, starts: CalendarDay) {
        (self.account, self.counter, self.span, self.starts) = (account, counter, span, starts)
    }
}
