public import DataProtection
public import Kernel
public import PostgreSQL

/// What compliance stores about users, which outlives them, and what stands against their erasure.
public struct ComplianceRecords: UserRecords {
    private let pool: Pool

    /// Records in the database of `pool`, which is the platform's.
    public init(pool: Pool) { self.pool = pool }

    private static let law = "Anti-money-laundering law: it is kept after the relationship ends."

    /// Checks are shown; what a person is suspected of isn't, since the law forbids to tell them.
    public var sections: [RecordSection] {
        [
            RecordSection("platform.compliance_checks", .kept(because: ComplianceRecords.law), in: pool) {
                """
                select id, to_jsonb(c) from platform.compliance_checks c
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("platform.compliance_cases", .kept(because: ComplianceRecords.law)) { _, _, _ in [] },
            RecordSection("platform.risk_scores", .kept(because: ComplianceRecords.law)) { _, _, _ in [] },
            RecordSection("platform.travel_rule", .kept(because: ComplianceRecords.law), in: pool, amounts: ["amount"])
            {
                """
                select id, jsonb_build_object('asset', asset, 'amount', amount::text, 'account', account,
                    'originator', originator, 'beneficiary', beneficiary, 'recorded_at', recorded_at)
                from platform.travel_rule_records
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            RecordSection("platform.screening", .erased, in: pool) {
                """
                select user_id, jsonb_build_object('name', name, 'screened_at', screened_at)
                from platform.screening_subjects
                where user_id = \($0) and user_id > \($1)
                limit \($2)
                """
            },
        ]
    }

    /// A case that isn't closed, and money that is held for one.
    public func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        let rows = try await pool.query(
            """
            select exists (select from platform.compliance_cases where user_id = \(user) and closed_at is null)
                or exists (select from platform.compliance_holds where user_id = \(user))
            """
        )
        guard try rows[0][0] else { return [] }
        return [
            ErasureObstacle(place: "platform", code: "compliance_review", text: "The account is under review.")
        ]
    }

    /// A user who is nobody's customer any more is no longer screened.
    public func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal] {
        [
            Removal("platform.screening", "delete from platform.screening_subjects where user_id = \(user)"),
            Removal("platform.screening", "delete from platform.compliance_clearances where user_id = \(user)"),
            Removal("platform.screening", "delete from platform.outgoing_claims where user_id = \(user)"),
            Removal("platform.screening", "delete from platform.known_devices where user_id = \(user)"),
        ]
    }
}
