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
    /// More than the limit of the day or month; in minor units.
    case limitExceeded(counter: String, span: UsageSpan, limit: Int128, used: Int128, requested: Int128)
    /// No such transfer, or not with these legs.
    case unknownTransfer(ID<Transfer>)
    /// The transfer has been reversed before.
    case alreadyReversed(ID<Transfer>)
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
