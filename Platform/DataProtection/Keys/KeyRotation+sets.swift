import Cryptography
import Kernel
import PostgreSQL

/// The sets of a rotation.
extension KeyRotation {
    func outdated(after last: ID<User>, _ current: String) async throws -> [StoredDataKey] {
        try await pool.query(
            """
            select \(StoredDataKey.columns) from platform.user_data_keys k
            where k.destroyed_at is null and k.master_key <> \(current) and k.user_id > \(last)
            order by k.user_id
            limit \(KeyRotation.setMax)
            """
        ).map { row in try StoredDataKey(row) }
    }

    /// Wraps keys anew, outside of any lock; each is stored only if it is still what was read.
    func rewrap(_ keys: [StoredDataKey]) async throws -> Int {
        var wrapped: [WrappedKey] = []
        for key in keys {
            let context = DataKey.context(key.user, generation: key.generation)
            wrapped.append(
                try await masters.wrap(try await masters.unwrap(key.wrapped, context: context), context: context)
            )
        }
        return try await pool.query(
            """
            update platform.user_data_keys k
            set wrapped = r.wrapped, master_key = r.master_key
            from unnest(\(keys.map(\.user)), \(keys.map { Bytes($0.wrapped.bytes) }),
                \(wrapped.map { Bytes($0.bytes) }), \(wrapped.map(\.masterKey)))
                as r (user_id, before, wrapped, master_key)
            where k.user_id = r.user_id and k.wrapped = r.before
            """
        ).affected
    }

    /// Wraps the keys of hashes anew, of which there are a few.
    func rewrapLookups(_ current: String) async throws -> Int {
        let rows = try await pool.query(
            "select id, wrapped, master_key from platform.lookup_keys where master_key <> \(current)"
        )
        var done = 0
        for row in rows {
            let (id, before): (Int, Bytes) = (try row[0], try row[1])
            let old = WrappedKey(masterKey: try row[2], bytes: before.array)
            let context = LookupKeys.context(id)
            let new = try await masters.wrap(try await masters.unwrap(old, context: context), context: context)
            done += try await pool.query(
                """
                update platform.lookup_keys set wrapped = \(Bytes(new.bytes)), master_key = \(new.masterKey)
                where id = \(id) and wrapped = \(before)
                """
            ).affected
        }
        return done
    }

    /// Renews the users that a statement names, set by set in the order of their ids.
    func renew(_ due: SQL, _ afterSet: (Int) async throws -> Void) async throws -> Report {
        var report = Report()
        var last = ID<User>(0)
        while true {
            let users: [ID<User>] = try await pool.query(
                """
                select user_id from (\(due)) due where user_id > \(last)
                order by user_id limit \(KeyRotation.setMax)
                """
            ).map { row in try row[0] }
            guard let end = users.last else { break }
            for user in users where try await renew(user) { report.done += 1 }
            last = end
            try await afterSet(report.done)
        }
        report.left = try await count("select count(*) from (\(due)) due")
        return report
    }

    /// A new key for a user and all values under it, in one transaction; false when another one was first.
    private func renew(_ user: ID<User>) async throws -> Bool {
        let rows = try await pool.query(
            """
            select \(StoredDataKey.columns) from platform.user_data_keys k
            where k.user_id = \(user) and k.destroyed_at is null
            """
        )
        guard let stored = try rows.first.map({ row in try StoredDataKey(row) }) else { return false }
        let old = try await data.keys.unwrap(stored)
        let (generation, secret) = (stored.generation + 1, RandomBytes.make(32))
        let wrapped = try await masters.wrap(secret, context: DataKey.context(user, generation: generation))
        let new = try DataKey(user: user, generation: generation, key: secret)
        guard let lookup = try await data.lookups.open().first else { return false }
        let now = data.clock.now()
        do {
            try await pool.transact { transaction in
                // Held first: whoever stores a value meanwhile waits, and then finds the new key.
                let rows = try await transaction.pipeline([
                    DataKeys.hold(old),
                    """
                    select d.data_type, d.item, d.envelope, t.search
                    from platform.encrypted_user_data d join platform.data_types t on t.name = d.data_type
                    where d.user_id = \(user)
                    """,
                ])[1]
                let sealed = try rows.compactMap { row -> EncryptedRow? in
                    let (type, item, envelope): (DataType, UInt128, Bytes) = (
                        DataType(try row[0]), try row[1], try row[2]
                    )
                    let value = PersonalValue(type, item: item, bytes: try old.open(envelope.array, type, item: item))
                    return EncryptedRow(value, new, try row[3], lookup)
                }
                let replaced: SQL = """
                    update platform.user_data_keys
                    set generation = \(Int(generation)), wrapped = \(Bytes(wrapped.bytes)),
                        master_key = \(wrapped.masterKey), created_at = \(now)
                    where user_id = \(user)
                    """
                return Closing((), last: [replaced] + EncryptedRow.store(sealed, user, at: now))
            }
            return true
        } catch let error as PostgresError where error.isStale {
            // Another rotation was first, or the user was erased.
            return false
        }
    }

    func count(_ statement: SQL) async throws -> Int { try await pool.query(statement)[0][0] }
}
