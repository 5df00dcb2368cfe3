import Cryptography
import Kernel
import PostgreSQL

/// A user's key as it was read, unwrapped.
struct DataKey: Sendable {
    let user: ID<User>
    /// Counts the user's keys; envelopes name it.
    let generation: UInt32
    let sealing: SealingKeys

    init(user: ID<User>, generation: UInt32, key: [UInt8]) throws(SealingError) {
        (self.user, self.generation) = (user, generation)
        sealing = try SealingKeys(current: (generation, key))
    }

    /// The envelope of a value, which opens in its own place only.
    func seal(_ bytes: [UInt8], _ type: DataType, item: UInt128) -> [UInt8] {
        sealing.seal(bytes, associatedData: DataKey.place(user, type, item))
    }

    /// The value in an envelope.
    ///
    /// - Throws: `notAuthentic` for an envelope that was changed, or belongs to another user, type or item.
    func open(_ envelope: [UInt8], _ type: DataType, item: UInt128) throws(DataProtectionProblem) -> [UInt8] {
        do {
            return try sealing.open(envelope, associatedData: DataKey.place(user, type, item))
        } catch {
            throw .notAuthentic(type.name)
        }
    }

    // The parts of fixed length come first, so that no two places have the same bytes.
    private static func place(_ user: ID<User>, _ type: DataType, _ item: UInt128) -> [UInt8] {
        Array("diboas user data 1".utf8) + bytes(user.value) + bytes(item) + Array(type.name.utf8)
    }

    /// What a wrapped key of a user is bound to.
    static func context(_ user: ID<User>, generation: UInt32) -> [UInt8] {
        Array("diboas data key 1".utf8) + bytes(user.value) + bytes(generation)
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// A row of `user_data_keys` whose key isn't destroyed.
struct StoredDataKey: Sendable {
    let user: ID<User>
    let generation: UInt32
    let wrapped: WrappedKey

    static let columns: SQL = "k.user_id, k.generation, k.wrapped, k.master_key"

    /// Reads `columns` at the front of a row.
    ///
    /// - Throws: `erased` for a destroyed key.
    init(_ row: Row) throws {
        let (generation, bytes): (Int, Bytes?) = (try row[1], try row[2])
        guard let bytes else { throw DataProtectionProblem.erased }
        (user, self.generation) = (try row[0], UInt32(generation))
        wrapped = WrappedKey(masterKey: try row[3], bytes: bytes.array)
    }
}

/// Table `user_data_keys`.
struct DataKeys: Sendable {
    let pool: Pool
    let masters: any MasterKeys
    let clock: any WallClock

    /// The user's key; a first one is made when there is none.
    ///
    /// - Throws: `erased`.
    func openOrMake(_ user: ID<User>) async throws -> DataKey {
        if let key = try await stored(user) { return try await unwrap(key) }
        let wrapped = try await masters.wrap(
            RandomBytes.make(32),
            context: DataKey.context(user, generation: 1)
        )
        // Of several who make one at once, one key stays, and all read that.
        _ = try await pool.query(
            """
            insert into platform.user_data_keys (user_id, generation, wrapped, master_key, created_at)
            values (\(user), 1, \(Bytes(wrapped.bytes)), \(wrapped.masterKey), \(clock.now()))
            on conflict (user_id) do nothing
            """
        )
        guard let key = try await stored(user) else { throw DataProtectionProblem.busy }
        return try await unwrap(key)
    }

    /// The key, as a master key gives it back.
    func unwrap(_ stored: StoredDataKey) async throws -> DataKey {
        let key = try await masters.unwrap(
            stored.wrapped,
            context: DataKey.context(stored.user, generation: stored.generation)
        )
        return try DataKey(user: stored.user, generation: stored.generation, key: key)
    }

    /// The statement that holds a user's key until the transaction ends.
    ///
    /// It breaks the transaction (`PostgresError.isStale`) when the key is another one by now, or destroyed.
    static func hold(_ key: DataKey) -> SQL {
        """
        with held as (
            select from platform.user_data_keys
            where user_id = \(key.user) and generation = \(Int(key.generation)) and destroyed_at is null
            for no key update
        )
        select blocks.expect_rows(count(*), 1) from held
        """
    }

    private func stored(_ user: ID<User>) async throws -> StoredDataKey? {
        try await pool.query(
            "select \(StoredDataKey.columns) from platform.user_data_keys k where k.user_id = \(user)"
        ).first.map { row in try StoredDataKey(row) }
    }
}
