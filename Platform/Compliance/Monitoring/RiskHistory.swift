public import Kernel
public import PostgreSQL

/// The risk scores of customers, each time that they changed: table `risk_scores`.
public struct RiskHistory: Sendable {
    /// Scores that are answered at once, the newest first.
    public static let scoresMax = 100

    private let pool: Pool

    /// The scores; `pool` is the platform's.
    public init(pool: Pool) { self.pool = pool }

    /// A customer's scores, the newest first; empty for one who was never looked at.
    public func scores(of user: ID<User>) async throws -> [JSON] {
        try await pool.query(
            """
            select score, rating, factors, computed_at from platform.risk_scores
            where user_id = \(user)
            order by id desc
            limit \(RiskHistory.scoresMax)
            """
        ).map { row in
            [
                "score": .integer(try row["score"] as Int), "rating": .string(try row["rating"]),
                "factors": try row["factors"],
                "computed_at": .string((try row["computed_at"] as Timestamp).description),
            ]
        }
    }
}
