public import Kernel

extension LedgerRefusal {
    /// The refusal as a client gets it; `asset` is what the operation's amounts are in.
    public func problem(in asset: Asset) -> Problem {
        func money(_ minorUnits: Int128) -> String { Money(minorUnits: minorUnits, asset).description }
        switch self {
        case .insufficientFunds(_, let available, let requested):
            return Problem(
                422,
                "insufficient_funds",
                "\(money(requested)) is needed and \(money(available)) is available. Add money first."
            )
        case .accountFrozen:
            return Problem(422, "account_frozen", "Outgoing money of this account is stopped. Contact support.")
        case .freezeChanged:
            return Problem(409, "conflict", "The account is frozen for another reason by now. Read it again and retry.")
        case .accountClosed:
            return Problem(422, "account_closed", "The account is closed. Name another account.")
        case .accountNotEmpty:
            return Problem(422, "account_not_empty", "There is money on the account. Move it first.")
        case .limitExceeded(_, let span, let limit, let used, let requested):
            return Problem(
                422,
                "limit_exceeded",
                "\(money(requested)) exceeds the limit of \(money(limit)) a \(span.rawValue), of which \(money(used)) "
                    + "is used. Choose a smaller amount.",
                faults: [Problem.Fault("/amount", "limit_per_\(span.rawValue)")]
            )
        case .reservationExpired, .reservationNotActive, .unknownReservation, .notSettleable:
            return Problem(422, "reservation_not_active", "The money is no longer reserved. Start again.")
        case .captureExceedsReservation(_, let remaining, let requested):
            return Problem(
                422,
                "capture_exceeds_reservation",
                "\(money(requested)) is more than the \(money(remaining)) still reserved."
            )
        case .alreadyReversed:
            return Problem(409, "already_reversed", "This was reversed before.")
        case .sameAccount:
            return Problem(422, "same_account", "Source and destination are the same.")
        case .invalidAmount, .balanceOverflow:
            return Problem(422, "amount_out_of_range", "The amount, or the balance with it, is out of range.")
        case .unknownAccount, .assetMismatch, .idOutsideWindow, .unknownTransfer:
            return Problem(500, "internal_error", "Something went wrong on our side. Nothing was changed.")
        }
    }
}
