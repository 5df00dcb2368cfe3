import Kernel

/// An account that trades: orders, positions and balances are its own.
struct TradingAccount: Sendable, Hashable, Entity {
    static let idPrefix = "tacc"

    enum Kind: String, Sendable, CaseIterable {
        case brokerage, retirement, margin

        /// The kind in the ledger of accounts that are no portfolio's.
        var ledgerKind: String { self == .brokerage ? "trading" : "trading:\(rawValue)" }
    }

    enum Status: String, Sendable, CaseIterable {
        case open
        /// Takes no new orders; what is open may be cancelled.
        case restricted
        case closed
    }

    let id: ID<TradingAccount>
    /// The owner by which the matching engine knows it.
    let number: UInt32
    let user: ID<User>
    let kind: Kind
    /// The kind of its accounts in the ledger.
    let ledgerKind: String
    /// The account that it is a portfolio of; nil for one of its own.
    let parent: ID<TradingAccount>?
    var status: Status
    /// Whether it may borrow.
    let isMarginEnabled: Bool
    var riskTolerance: String
    var version: Int64
    let createdAt: Timestamp

    /// 422 for an order of an account that isn't open.
    static func refusal(_ status: Status) -> Problem {
        Problem(422, "account_\(status.rawValue)", "This account takes no orders. Contact support.")
    }

    /// Whose own risk rules its orders are held against.
    var ruled: ID<TradingAccount> { parent ?? id }
}
