public import Kernel
public import PostgreSQL

/// What proves who a user is, sealed as private data is: rotations renew it, and an erasure destroys it.
extension PersonalValues {
    /// Where a secret is: whose, and which of several of its kind.
    public struct Place: Hashable, Sendable {
        let user: ID<User>
        let item: UInt128

        /// A place.
        public init(_ user: ID<User>, item: UInt128) { (self.user, self.item) = (user, item) }
    }

    /// Places that are read at once.
    public static let placesMax = 1_000

    /// The values of a kind at some places of different users; what isn't there, or was erased, is left out.
    ///
    /// The caller guarantees at most `placesMax` places.
    /// - Throws: `DataProtectionProblem.notAuthentic`, a `PostgresError`, or what the master keys throw.
    public func secrets(_ type: DataType, at places: [Place]) async throws -> [Place: [UInt8]] {
        precondition(places.count <= PersonalValues.placesMax, "more secrets at once than are read")
        guard !places.isEmpty else { return [:] }
        let rows = try await pool.query(
            """
            select \(StoredDataKey.columns), d.item, d.envelope
            from unnest(\(places.map(\.user)), \(places.map(\.item))) as p (user_id, item)
            join platform.encrypted_user_data d
                on d.user_id = p.user_id and d.data_type = \(type.name) and d.item = p.item
            join platform.user_data_keys k on k.user_id = d.user_id and k.destroyed_at is null
            order by k.user_id
            """
        )
        var secrets: [Place: [UInt8]] = [:]
        var key: DataKey?
        for row in rows {
            let stored = try StoredDataKey(row)
            let unwrapped: DataKey
            if let key, key.user == stored.user { unwrapped = key } else { unwrapped = try await keys.unwrap(stored) }
            key = unwrapped
            let (item, envelope): (UInt128, Bytes) = (try row[4], try row[5])
            secrets[Place(stored.user, item: item)] = try unwrapped.open(envelope.array, type, item: item)
        }
        return secrets
    }

    /// The statement that removes a user's values of some kinds but one, for a transaction of the caller's.
    public static func removal(of types: [DataType], but item: UInt128? = nil, of user: ID<User>) -> SQL {
        """
        delete from platform.encrypted_user_data
        where user_id = \(user) and data_type = any(\(types.map(\.name))) and item is distinct from \(item)
        """
    }

    /// The statement that removes one value of a user, for a transaction of the caller's.
    public static func removal(of type: DataType, item: UInt128, of user: ID<User>) -> SQL {
        """
        delete from platform.encrypted_user_data
        where user_id = \(user) and data_type = \(type.name) and item = \(item)
        """
    }

    /// Stores values with what a caller does in one transaction in schema `platform`, and repeats both when the user's
    /// key was replaced meanwhile.
    ///
    /// The user's key is held before `work` begins: whoever else holds it, as an erasure does, is waited for there.
    /// - Throws: as `sealing`, `DataProtectionProblem.busy`, or what `work` throws.
    public func store<Answer: Sendable>(
        _ values: [PersonalValue],
        of user: ID<User>,
        with work: @Sendable (Transaction) async throws -> Closing<Answer>
    ) async throws -> Answer {
        for _ in 0..<PersonalValues.attemptsMax {
            let statements = try await sealing(values, of: user)
            do {
                return try await pool.transact { transaction in
                    _ = try await transaction.pipeline(statements)
                    return try await work(transaction)
                }
            } catch let error as PostgresError where PersonalValues.isOutdated(error) {
                // The user's key or the key of lookups was replaced meanwhile, or destroyed: the next try knows.
                continue
            }
        }
        throw DataProtectionProblem.busy
    }
}
