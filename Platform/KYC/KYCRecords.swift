public import DataProtection
public import Kernel
public import PostgreSQL

/// What is stored about how users were identified: the documents go with the user's key, what was decided stays.
public struct KYCRecords: UserRecords {
    private let pool: Pool

    /// Records in the database of `pool`, which is the platform's.
    public init(pool: Pool) { self.pool = pool }

    private static let law = "Anti-money-laundering law: that, when and by what somebody was identified is kept."

    /// Applications, levels, and the documents, which are downloaded one by one.
    public var sections: [RecordSection] {
        [
            RecordSection("platform.identity_applications", .kept(because: KYCRecords.law), in: pool) {
                """
                select id, jsonb_build_object('level', level, 'status', status, 'provider', provider,
                    'reason', reason, 'created_at', created_at, 'submitted_at', submitted_at,
                    'decided_at', decided_at)
                from platform.kyc_applications
                where user_id = \($0) and id > \($1)
                order by id limit \($2)
                """
            },
            documents,
            RecordSection("platform.identity_level", .kept(because: KYCRecords.law), in: pool) {
                """
                select user_id, jsonb_build_object('level', level, 'since', since, 'expires_at', expires_at)
                from platform.kyc_levels
                where user_id = \($0) and user_id > \($1)
                limit \($2)
                """
            },
        ]
    }

    private var documents: RecordSection {
        let pool = pool
        return RecordSection("platform.identity_documents", .erased) { user, after, limit in
            try await pool.query(
                """
                select id, application_id, kind, media_type, bytes, added_at from platform.kyc_documents
                where user_id = \(user) and id > \(after)
                order by id limit \(limit)
                """
            ).map { row in
                let application: ID<KYCApplication> = try row["application_id"]
                let (kind, added): (String, Timestamp) = (try row["kind"], try row["added_at"])
                let record: JSON = [
                    "kind": .string(kind), "media_type": .string(try row["media_type"]),
                    "bytes": .integer(try row["bytes"] as Int), "added_at": .string(added.description),
                    "path": .string("/v1/me/identity/applications/\(application.wire)/documents/\(kind)"),
                ]
                return (id: try row["id"], json: record)
            }
        }
    }

    /// What isn't decided is taken back, so that nobody works on it any more.
    public func close(_ user: ID<User>, by requester: Requester) async throws {
        _ = try await pool.query(
            """
            update platform.kyc_applications set status = 'withdrawn', version = version + 1
            where user_id = \(user) and status in ('draft', 'submitted', 'incomplete')
            """
        )
    }

    /// The documents, whose bytes go with the user's key.
    public func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal] {
        [Removal("platform.identity_documents", "delete from platform.kyc_documents where user_id = \(user)")]
    }
}
