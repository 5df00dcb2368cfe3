public import Kernel

/// How far the projections of a domain have come.
public struct ProjectionStatus: Sendable, Hashable {
    /// The domain.
    public let domain: String
    /// Everything that the domain recorded before this instant is in them, to within the length of a commit.
    public let asOf: Timestamp
    /// How old that makes them.
    public let ageSeconds: Double
    /// Accounts in `user_balances`.
    public let balances: Int
    /// Transactions in `transaction_facts`.
    public let transactions: Int
    /// When they were last rebuilt; nil for never.
    public let rebuiltAt: Timestamp?
}

/// How old a summary is.
public struct SummaryStatus: Sendable, Hashable {
    /// The materialised view.
    public let summary: Summary
    /// When its last refresh began; nil for never.
    public let refreshedAt: Timestamp?
    /// How long that was ago; nil for never.
    public let ageSeconds: Double?
    /// How long it took.
    public let seconds: Double?
}

/// A materialised view over the projections.
public enum Summary: String, Sendable, CaseIterable {
    /// Available, reserved and staked by user and asset, over all domains.
    case userBalances = "user_balance_summary"
    /// Counts, amounts and fees by user, domain, type, status and asset.
    case transactions = "transaction_summary"
}
