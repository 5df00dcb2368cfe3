public import Kernel
public import PostgreSQL

/// Users' private data, each value sealed under a key of the user's own: table `encrypted_user_data`.
///
/// Nothing is cached: what was erased is gone for every process at once. A value read by its owner isn't logged; staff
/// reads by `disclose`.
public struct PersonalValues: Sendable {
    /// Values that are stored or read at once.
    public static let valuesMax = 64
    /// Users that a search answers with.
    public static let foundMax = 100
    /// How often a key that was replaced meanwhile is read anew before something is stored.
    static let attemptsMax = 5

    let pool: Pool
    let keys: DataKeys
    let lookups: LookupKeys
    let catalog: DataCatalog
    let ids: IDGenerator
    let clock: any WallClock

    /// Private data over the platform's pool, its users' keys under these master keys.
    public init(
        pool: Pool,
        masters: any MasterKeys,
        ids: IDGenerator = IDGenerator(),
        clock: any WallClock = SystemClock()
    ) {
        (self.pool, self.ids, self.clock) = (pool, ids, clock)
        keys = DataKeys(pool: pool, masters: masters, clock: clock)
        lookups = LookupKeys(pool: pool, masters: masters, clock: clock)
        catalog = DataCatalog(pool: pool)
    }

    /// A value of a user; nil where there is none.
    ///
    /// - Throws: `DataProtectionProblem.erased`, `.notAuthentic`, a `PostgresError`, or what the master keys throw.
    public func read(_ user: ID<User>, _ type: DataType, item: UInt128 = 0) async throws -> PersonalValue? {
        try await values(from: try await pool.query(PersonalValues.selection(user, [type], items: [item]))).first
    }

    /// The values of a user of some kinds, or for nil of all but secrets and evidence, by kind and item; at most
    /// `valuesMax`.
    ///
    /// - Throws: as `read`.
    public func read(_ user: ID<User>, _ types: [DataType]?) async throws -> [PersonalValue] {
        try await values(from: try await pool.query(PersonalValues.selection(user, types)))
    }

    /// The values of a user of all kinds but secrets, evidence and these, by kind and item; at most `valuesMax`.
    ///
    /// - Throws: as `read`.
    public func read(_ user: ID<User>, but types: [DataType]) async throws -> [PersonalValue] {
        try await values(from: try await pool.query(PersonalValues.selection(user, nil, but: types)))
    }

    /// Stores values of a user in a transaction of its own; those without bytes are removed.
    ///
    /// - Throws: as `sealing`, or `DataProtectionProblem.busy`.
    public func write(_ user: ID<User>, _ values: [PersonalValue]) async throws {
        try await store(values, of: user) { _ in Closing(()) }
    }

    /// The statements that store values of a user, for a transaction of the caller's in schema `platform`.
    ///
    /// The transaction breaks with a `PostgresError` that `isOutdated` when the user's key was replaced or destroyed
    /// meanwhile; then the statements are to be made anew. The caller guarantees at most `valuesMax` values, each of
    /// another kind or item.
    /// - Throws: `DataProtectionProblem.erased`, `.unknownType`, `.tooLong`, or what the master keys throw.
    public func sealing(_ values: [PersonalValue], of user: ID<User>) async throws -> [SQL] {
        precondition(values.count <= PersonalValues.valuesMax, "more private values at once than are read")
        guard !values.isEmpty else { return [] }
        let entries = try await catalog.entries(of: values.map(\.type))
        for value in values {
            let bytesMax = entries[value.type]?.bytesMax ?? 0
            guard value.bytes?.count ?? 0 <= bytesMax else {
                throw DataProtectionProblem.tooLong(value.type.name, bytesMax: bytesMax)
            }
        }
        let key = try await keys.openOrMake(user)
        let isSearched = values.contains { $0.bytes != nil && entries[$0.type]?.search != nil }
        let lookup = isSearched ? try await lookups.open().first : nil
        let rows = values.compactMap { EncryptedRow($0, key, entries[$0.type]?.search, lookup) }
        let gone = values.filter { $0.bytes == nil }
        return [DataKeys.hold(key)] + EncryptedRow.removal(of: gone, user)
            + EncryptedRow.store(rows, user, at: clock.now())
    }

    /// Whether a transaction with the statements of `sealing` failed because of keys that were replaced meanwhile.
    public static func isOutdated(_ error: PostgresError) -> Bool {
        error.isStale || error.violates("encrypted_user_data_lookup_key_fkey")
    }

    /// The users with a value, however it was typed, by id; at most `foundMax`.
    ///
    /// - Throws: `DataProtectionProblem.unknownType`; a kind that isn't searched finds nobody.
    public func find(_ type: DataType, _ text: String) async throws -> [ID<User>] {
        guard let search = try await catalog.entries(of: [type])[type]?.search else { return [] }
        let normalised = search(Array(text.utf8))
        let hashes = try await lookups.open().map { Bytes($0.hash(normalised, type)) }
        return try await pool.query(
            """
            select distinct user_id from platform.encrypted_user_data
            where data_type = \(type.name) and lookup = any(\(hashes))
            order by user_id
            limit \(PersonalValues.foundMax)
            """
        ).map { row in try row[0] }
    }

    /// What stands for a text where it is only compared: the same for the same text and kind until the key of hashes is
    /// replaced, and nothing to whoever hasn't got that key.
    ///
    /// - Throws: a `PostgresError`, or what the master keys throw.
    public func mark(of text: String, _ type: DataType) async throws -> [UInt8] {
        guard let key = try await lookups.open().first else { throw DataProtectionProblem.busy }
        return key.hash(Array(text.utf8), type)
    }

    /// One statement, and so one snapshot: key and envelopes belong together whatever happens beside it.
    ///
    /// Without `types` it is all but secrets, evidence and `others`; with `items` those of each type alone.
    static func selection(
        _ user: ID<User>,
        _ types: [DataType]?,
        items: [UInt128]? = nil,
        but others: [DataType] = []
    ) -> SQL {
        """
        select \(StoredDataKey.columns), d.data_type, d.item, d.envelope
        from platform.user_data_keys k
        left join platform.encrypted_user_data d
            on d.user_id = k.user_id and (\(items == nil) or d.item = any(\(items ?? [])))
                and (d.data_type = any(\((types ?? []).map(\.name)))
                    or \(types == nil) and d.data_type <> all(\(others.map(\.name))) and d.data_type in
                        (select name from platform.data_types where category not in ('secret', 'evidence')))
        where k.user_id = \(user)
        order by d.data_type, d.item
        limit \(valuesMax)
        """
    }

    /// The values in the rows of a `selection`.
    func values(from rows: Rows) async throws -> [PersonalValue] {
        guard let first = rows.first else { return [] }
        let key = try await keys.unwrap(try StoredDataKey(first))
        return try rows.compactMap { row in
            guard let name: String = try row[4] else { return nil }
            let (type, item, envelope): (DataType, UInt128, Bytes) = (DataType(name), try row[5], try row[6])
            return PersonalValue(type, item: item, bytes: try key.open(envelope.array, type, item: item))
        }
    }
}
