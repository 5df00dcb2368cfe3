public import Kernel

/// The fees of one operation, frozen: what the customer was promised until it expires, and what explains the fees
/// afterwards.
public struct FeeQuote: Hashable, Sendable, Entity {
    /// `fqt_…`.
    public static let idPrefix = "fqt"
    /// How long a quote holds unless said otherwise: as long as a reservation.
    public static let lifetimeSeconds: Int64 = 30 * 60

    /// Its id.
    public let id: ID<FeeQuote>
    /// The schedule that it was made by.
    public let schedule: ID<FeeSchedule>
    /// The schedule's version.
    public let version: Int
    /// What is charged for.
    public let operation: String
    /// What the fees were calculated from.
    public let context: FeeContext
    /// The fees in the order of the schedule's rules, lines of zero included since they explain what was free.
    public let lines: [FeeLine]
    /// The sum of the lines.
    public let total: Money
    /// When it was made.
    public let quotedAt: Timestamp
    /// The first instant at which it no longer holds.
    public let expiresAt: Timestamp

    /// A quote as it was stored; `FeeEngine.quote` makes new ones.
    public init(
        id: ID<FeeQuote>,
        schedule: ID<FeeSchedule>,
        version: Int,
        operation: String,
        context: FeeContext,
        lines: [FeeLine],
        total: Money,
        quotedAt: Timestamp,
        expiresAt: Timestamp
    ) {
        (self.id, self.schedule, self.version, self.operation) = (id, schedule, version, operation)
        (self.context, self.lines, self.total) = (context, lines, total)
        (self.quotedAt, self.expiresAt) = (quotedAt, expiresAt)
    }

    /// Whether the quote still holds at an instant.
    public func holds(at instant: Timestamp) -> Bool { instant < expiresAt }

    /// What the lines of a category come to.
    public func total(of category: FeeCategory) -> Money {
        lines.reduce(.zero(total.asset)) { $1.category == category ? $0 + $1.amount : $0 }
    }
}
