public import Kernel

/// Why the ledger did not do an operation; nothing of it took effect.
public enum LedgerRefusal: Error, Sendable, Hashable {
    /// No such account.
    case unknownAccount(ID<LedgerAccount>)
    /// The two accounts hold different assets.
    case assetMismatch
    /// Debit and credit are the same account.
    case sameAccount
    /// Zero, negative, or 10^38 minor units and more.
    case invalidAmount
    /// A balance would reach 10^38 minor units.
    case balanceOverflow(ID<LedgerAccount>)
    /// The id's time is outside the partitions that are open.
    case idOutsideWindow
    /// Less is available than asked for; in minor units.
    case insufficientFunds(account: ID<LedgerAccount>, available: Int128, requested: Int128)
    /// Outgoing money is stopped.
    case accountFrozen(ID<LedgerAccount>)
    /// The account isn't frozen for the reason that was to end.
    case freezeChanged(ID<LedgerAccount>)
    /// The account was closed: nothing is posted to it.
    case accountClosed(ID<LedgerAccount>)
    /// The account can't be closed: something stands on it or is held.
    case accountNotEmpty(ID<LedgerAccount>)
    /// No such reservation on that account.
    case unknownReservation(ID<Reservation>)
    /// The reservation has ended.
    case reservationNotActive(ID<Reservation>, ReservationState.Phase)
    /// The reservation's time is over.
    case reservationExpired(ID<Reservation>)
    /// More than the reservation still holds; in minor units.
    case captureExceedsReservation(ID<Reservation>, remaining: Int128, requested: Int128)
    /// The reservation can't be settled late: it is still active, captured, or was settled before.
    case notSettleable(ID<Reservation>)
    /// More than the limit of one transaction, a day or a month; in minor units.
    case limitExceeded(counter: String, span: LimitSpan, limit: Int128, used: Int128, requested: Int128)
    /// No such transfer, or not with these legs.
    case unknownTransfer(ID<Transfer>)
    /// The transfer has been reversed before.
    case alreadyReversed(ID<Transfer>)

    /// Whether what was to be done needs a reservation that is over.
    public var saysThatReservationEnded: Bool {
        switch self {
        case .reservationExpired, .reservationNotActive, .unknownReservation: true
        default: false
        }
    }
}

/// What a limit is the most of.
public enum LimitSpan: String, Sendable, Hashable, CaseIterable {
    /// One transaction.
    case transaction
    /// A day in UTC.
    case day
    /// A month in UTC.
    case month

    /// The limit of a stretch of the calendar.
    public init(_ span: UsageSpan) {
        self =
            switch span {
            case .day: .day
            case .month: .month
            }
    }
}

/// A stretch of the calendar in which limits count.
public enum UsageSpan: String, Sendable, Hashable, CaseIterable {
    /// A day in UTC.
    case day
    /// A month in UTC.
    case month

    /// The first day of the span that an instant lies in.
    public func start(of instant: Timestamp) -> CalendarDay {
        switch self {
        case .day: instant.day
        case .month: instant.day.firstOfMonth
        }
    }
}
