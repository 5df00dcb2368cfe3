import Kernel
import PostgreSQL

/// Tables `second_factors` and `recovery_codes`.
enum SecondFactorRows {
    /// A second factor as it is stored.
    struct Factor: Sendable {
        /// Which value of type `identity.second_factor` the secret is.
        let secret: UInt128
        let confirmedAt: Timestamp?
        let lastStep: Int64?
    }

    /// A user's factor as it is now; nil for none.
    static func find(_ user: ID<User>, _ pool: Pool) async throws -> Factor? {
        try await pool.query(select(user)).first.map { row in try Factor(row) }
    }

    /// A user's factor, kept from changing until the transaction ends; nil for none.
    static func lock(_ user: ID<User>, in transaction: Transaction) async throws -> Factor? {
        try await transaction.query("\(select(user)) for update").first.map { row in try Factor(row) }
    }

    private static func select(_ user: ID<User>) -> SQL {
        "select secret, confirmed_at, last_step from platform.second_factors where user_id = \(user)"
    }

    /// When a user's factor was confirmed, if it was, and how many recovery codes are left.
    static func state(of user: ID<User>, _ pool: Pool) async throws -> (confirmedAt: Timestamp?, codes: Int) {
        let row = try await pool.query(
            """
            select
                (select confirmed_at from platform.second_factors where user_id = \(user)),
                (select count(*) from platform.recovery_codes where user_id = \(user) and used_at is null)
            """
        )[0]
        return (try row[0], try row[1])
    }

    /// Stores a new secret over one that wasn't confirmed; one row unless there is a confirmed one.
    static func enrol(_ user: ID<User>, secret: UInt128, at now: Timestamp) -> SQL {
        """
        insert into platform.second_factors as f (user_id, secret, created_at)
        values (\(user), \(secret), \(now))
        on conflict (user_id) do update
        set secret = excluded.secret, created_at = excluded.created_at
        where f.confirmed_at is null
        returning 1
        """
    }

    /// Uses the code of a step up: one row, or none when a code of this step or a later one was used before.
    static func use(step: Int64, of user: ID<User>, at now: Timestamp) -> SQL {
        """
        update platform.second_factors
        set last_step = \(step), confirmed_at = coalesce(confirmed_at, \(now))
        where user_id = \(user) and (last_step is null or last_step < \(step))
        returning 1
        """
    }

    /// Uses a recovery code up: one row, or none when it isn't one or was used before.
    static func use(_ code: RecoveryCode, of user: ID<User>, at now: Timestamp) -> SQL {
        """
        update platform.recovery_codes
        set used_at = \(now)
        where user_id = \(user) and digest = \(code.digest) and used_at is null
        returning 1
        """
    }

    /// Puts new recovery codes in the place of all others.
    static func replace(with codes: [RecoveryCode], of user: ID<User>) -> [SQL] {
        [
            "delete from platform.recovery_codes where user_id = \(user)",
            """
            insert into platform.recovery_codes (user_id, digest)
            select \(user), digest from unnest(\(codes.map(\.digest))) as t (digest)
            """,
        ]
    }

    /// Removes the factor with its recovery codes.
    static func remove(_ user: ID<User>) -> SQL { "delete from platform.second_factors where user_id = \(user)" }
}

extension SecondFactorRows.Factor {
    /// Reads a row of `SecondFactorRows.select`.
    fileprivate init(_ row: Row) throws(DecodingFailure) {
        (secret, confirmedAt, lastStep) = (try row[0], try row[1], try row[2])
    }
}
