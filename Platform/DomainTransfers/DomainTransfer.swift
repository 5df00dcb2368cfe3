public import Kernel
public import Ledger

/// Money of a customer that goes from one domain to another, as one of the two sees it.
///
/// Both sides know it by the same id.
public struct DomainTransfer: Sendable, Hashable, Entity {
    /// `xfer_…`.
    public static let idPrefix = "xfer"

    /// Which way it goes, seen from the domain that keeps the row.
    public enum Direction: String, Sendable, CaseIterable {
        /// It leaves this domain.
        case out
        /// It reaches this domain.
        case into = "in"
    }

    /// Where it is in its life.
    public enum State: Sendable, Hashable {
        /// A person must look at it; its money is held in this domain.
        case inReview
        /// It left this domain and the other one hasn't answered.
        case inTransit
        /// The customer has it in the domain that it goes to.
        case completed
        /// The other domain refused it, and the customer has it back.
        case returned(reason: String)
        /// This domain refused it; it never had it.
        case refused(reason: String)
        /// It never left, for what the person found; what was held is the customer's to use again.
        case failed(reason: String)
    }

    /// Its id.
    public let id: ID<DomainTransfer>
    /// Whose money it is.
    public let user: ID<User>
    /// Which way it goes.
    public let direction: Direction
    /// The schema of the other domain.
    public let other: String
    /// The kind of the customer's ledger account here: `checking`.
    public let account: String
    /// How much arrives.
    public let amount: Money
    /// What it costs beside the amount, paid where it leaves.
    public let fee: Money
    /// What holds its money while a person looks at it, and what it left from then; nil where nobody had to.
    public let reservation: ID<Reservation>?
    /// When this domain first knew of it, by the database's clock.
    public let createdAt: Timestamp
    /// Where it is in its life.
    public private(set) var state: State
    /// How often it was stored.
    public private(set) var version: Int64
    /// What the ledger made for it.
    public private(set) var ledgerTransfers: [ID<Transfer>]
    /// When it was stored last.
    public private(set) var updatedAt: Timestamp

    /// One that has just been decided; `ledgerTransfers` is what the ledger made for it.
    init(
        _ order: TransferOrder,
        id: ID<DomainTransfer>,
        direction: Direction,
        account: String,
        fee: Money,
        state: State,
        reservation: ID<Reservation>? = nil,
        ledgerTransfers: [ID<Transfer>],
        at now: Timestamp
    ) {
        self.reservation = reservation
        (self.id, user, self.direction, other) = (id, order.user, direction, order.other)
        (self.account, amount, self.fee, createdAt) = (account, order.amount, fee, now)
        (self.state, version, self.ledgerTransfers, updatedAt) = (state, 1, ledgerTransfers, now)
    }

    /// One as it is stored.
    init(
        order: TransferOrder,
        id: ID<DomainTransfer>,
        direction: Direction,
        account: String,
        fee: Money,
        state: State,
        version: Int64,
        reservation: ID<Reservation>?,
        ledgerTransfers: [ID<Transfer>],
        createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.reservation = reservation
        (self.id, user, self.direction, other) = (id, order.user, direction, order.other)
        (self.account, amount, self.fee, self.createdAt) = (account, order.amount, fee, createdAt)
        (self.state, self.version, self.ledgerTransfers) = (state, version, ledgerTransfers)
        self.updatedAt = updatedAt
    }

    /// The next version, after a person's decision or the other domain's answer; nil for a state that the transfer
    /// can't come to any more.
    func advanced(to state: State, ledgerTransfers new: [ID<Transfer>], at now: Timestamp) -> DomainTransfer? {
        guard direction == .out else { return nil }
        switch (self.state, state) {
        case (.inReview, .inTransit), (.inReview, .failed), (.inTransit, .completed), (.inTransit, .returned): break
        default: return nil
        }
        var next = self
        (next.state, next.version, next.updatedAt) = (state, version + 1, now)
        next.ledgerTransfers += new
        return next
    }
}

extension DomainTransfer.State {
    /// The status in the database and on the wire.
    public var name: String {
        switch self {
        case .inReview: "in_review"
        case .inTransit: "in_transit"
        case .completed: "completed"
        case .returned: "returned"
        case .refused: "refused"
        case .failed: "failed"
        }
    }

    /// Why it didn't arrive; nil for one that did or may.
    public var reason: String? {
        switch self {
        case .inReview, .inTransit, .completed: nil
        case .returned(let reason), .refused(let reason), .failed(let reason): reason
        }
    }

    /// A stored state; nil for one that no transfer has.
    init?(name: String, reason: String?) {
        switch (name, reason) {
        case ("in_review", nil): self = .inReview
        case ("in_transit", nil): self = .inTransit
        case ("completed", nil): self = .completed
        case ("returned", let reason?): self = .returned(reason: reason)
        case ("refused", let reason?): self = .refused(reason: reason)
        case ("failed", let reason?): self = .failed(reason: reason)
        default: return nil
        }
    }

    static let names = ["in_review", "in_transit", "completed", "returned", "refused", "failed"]
    /// What a customer may see: of a refused one, the domain never had anything.
    static let shownNames = names.filter { $0 != "refused" }
}
