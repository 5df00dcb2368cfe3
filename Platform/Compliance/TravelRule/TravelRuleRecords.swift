public import Kernel
public import PostgreSQL

/// What was recorded of payouts by the travel rule: table `travel_rule_records`.
public struct TravelRuleRecords: Sendable {
    /// A record.
    public struct Record: Sendable {
        /// Its id's value.
        public let id: UInt128
        /// Whose payout it is.
        public let user: ID<User>
        /// When it was recorded.
        public let at: Timestamp
        /// As it is shown and exported.
        public let json: JSON
    }

    private let pool: Pool

    /// The records; `pool` is the platform's.
    public init(pool: Pool) { self.pool = pool }

    /// Records of all customers or of one, the oldest first, after one of them.
    public func list(of user: ID<User>?, after: UInt128, limit: Int) async throws -> [Record] {
        try await pool.query(
            """
            select id, user_id, asset, amount, account, originator, beneficiary, recorded_at
            from platform.travel_rule_records
            where id > \(after) and (\(user)::uuid is null or user_id = \(user))
            order by id
            limit \(limit)
            """
        ).map { row in
            let (id, at): (UInt128, Timestamp) = (try row["id"], try row["recorded_at"])
            let (code, minorUnits): (String, Int128) = (try row["asset"], try row["amount"])
            let user: ID<User> = try row["user_id"]
            let amount = Asset(code: code).map { Money(minorUnits: minorUnits, $0).wire }
            return Record(
                id: id,
                user: user,
                at: at,
                json: [
                    "id": .string(ID<TravelRule>(id).wire), "user": .string(user.wire),
                    "asset": .string(code), "amount": .string(amount ?? "\(minorUnits)"),
                    "account": .string(try row["account"]), "originator": try row["originator"],
                    "beneficiary": try row["beneficiary"], "recorded_at": .string(at.description),
                ]
            )
        }
    }
}
