public import Kernel
import PostgreSQL

/// Replaces keys while everything goes on, a bounded set at a time.
///
/// What is left to do is told by the rows themselves, so that a rotation that was cut off goes on where it was, and two
/// at once only share the work.
public struct KeyRotation: Sendable {
    /// What a rotation came to.
    public struct Report: Hashable, Sendable {
        /// Keys, or users, that were done.
        public var done = 0
        /// How many are left, since others were at them; a repetition does those.
        public var left = 0

        /// A report.
        public init(done: Int = 0, left: Int = 0) { (self.done, self.left) = (done, left) }
    }

    /// How many users each master key, each number of hashes, and the oldest key stand for.
    public struct Status: Sendable {
        /// Users, and keys of hashes, by the master key that wraps theirs.
        public let masters: [(name: String, keys: Int)]
        /// The master key that wraps now.
        public let current: String
        /// Values that are found, by the key of their hash.
        public let lookups: [(id: Int, values: Int)]
        /// When the oldest key of a user was made; nil without users.
        public let oldestKeyAt: Timestamp?
    }

    /// Keys of one set.
    public static let setMax = 200

    let pool: Pool
    let data: PersonalValues
    let masters: any MasterKeys

    /// The rotation of the keys of private data, under the same master keys.
    public init(_ data: PersonalValues) { (self.data, pool, masters) = (data, data.pool, data.keys.masters) }

    /// Wraps every key by the current master key that another one wraps.
    ///
    /// `afterSet` is called between sets with how many are done; what it throws ends the rotation there.
    /// - Throws: a `PostgresError`, or what the master keys throw; what was done stays.
    public func rewrap(afterSet: (Int) async throws -> Void = { _ in }) async throws -> Report {
        let current = try await masters.current()
        var report = Report(done: try await rewrapLookups(current))
        var last = ID<User>(0)
        while true {
            let keys = try await outdated(after: last, current)
            guard let end = keys.last?.user else { break }
            report.done += try await rewrap(keys)
            last = end
            try await afterSet(report.done)
        }
        report.left = try await count(
            """
            select (select count(*) from platform.user_data_keys
                    where destroyed_at is null and master_key <> \(current))
                + (select count(*) from platform.lookup_keys where master_key <> \(current))
            """
        )
        return report
    }

    /// Gives each user whose key was made before an instant a new one, and seals all values under it.
    ///
    /// - Throws: as `rewrap`.
    public func renew(
        madeBefore instant: Timestamp,
        afterSet: (Int) async throws -> Void = { _ in }
    ) async throws
        -> Report
    {
        let due: SQL =
            "select user_id from platform.user_data_keys where destroyed_at is null and created_at < \(instant)"
        return try await renew(due, afterSet)
    }

    /// Makes a new key of the hashes, takes every hash by it, and removes the older ones.
    ///
    /// One that was cut off is finished instead of another begun.
    /// - Throws: as `rewrap`.
    public func replaceLookupKey(afterSet: (Int) async throws -> Void = { _ in }) async throws -> Report {
        let present = try await data.lookups.open()
        let newest = present.first?.id ?? 1
        let current = present.count > 1 ? newest : newest + 1
        if present.count == 1 { try await data.lookups.add(current) }
        let due: SQL = "select distinct user_id from platform.encrypted_user_data where lookup_key < \(current)"
        let report = try await renew(due, afterSet)
        if report.left == 0 {
            _ = try await pool.query(
                """
                delete from platform.lookup_keys k
                where k.id < \(current)
                    and not exists (select from platform.encrypted_user_data d where d.lookup_key = k.id)
                """
            )
        }
        return report
    }

    /// Which keys stand for how much.
    public func status() async throws -> Status {
        let current = try await masters.current()
        let rows = try await pool.withConnection { connection in
            try await connection.pipeline([
                """
                select master_key, count(*) from (
                    select master_key from platform.user_data_keys where destroyed_at is null
                    union all select master_key from platform.lookup_keys) keys
                group by 1 order by 1
                """,
                """
                select k.id, count(d.user_id) from platform.lookup_keys k
                left join platform.encrypted_user_data d on d.lookup_key = k.id
                group by 1 order by 1
                """, "select min(created_at) from platform.user_data_keys where destroyed_at is null",
            ])
        }
        return Status(
            masters: try rows[0].map { (try $0[0], try $0[1]) },
            current: current,
            lookups: try rows[1].map { (try $0[0], try $0[1]) },
            oldestKeyAt: try rows[2][0][0]
        )
    }

    /// Notes that a master key is gone for good; from then on nothing can be wrapped by it.
    ///
    /// - Throws: 409 `key_in_use` while it is the current one, or something is wrapped by it.
    public func retire(_ master: String, at now: Timestamp) async throws {
        let current = try await masters.current()
        try await pool.withTransaction { transaction in
            // Waits for those who are wrapping, and lets readers go on.
            _ = try await transaction.query(
                "lock table platform.user_data_keys, platform.lookup_keys in share row exclusive mode"
            )
            let used: Int = try await transaction.query(
                """
                select (select count(*) from platform.user_data_keys
                        where destroyed_at is null and master_key = \(master))
                    + (select count(*) from platform.lookup_keys where master_key = \(master))
                """
            )[0][0]
            guard used == 0, master != current else {
                throw Problem(409, "key_in_use", "The master key \(master) is in use: \(used) keys are wrapped by it.")
            }
            _ = try await transaction.query(
                """
                insert into platform.retired_master_keys (name, retired_at) values (\(master), \(now))
                on conflict (name) do nothing
                """
            )
        }
    }
}
