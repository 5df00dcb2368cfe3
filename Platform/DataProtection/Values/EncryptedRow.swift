import Kernel
import PostgreSQL

/// A row of `encrypted_user_data`, as it is to be stored.
struct EncryptedRow: Sendable {
    let type: DataType
    let item: UInt128
    let envelope: [UInt8]
    let lookup: (hash: [UInt8], key: Int)?

    /// Seals a value; nil for one without bytes.
    init?(_ value: PersonalValue, _ key: DataKey, _ search: Normalisation?, _ lookup: LookupKey?) {
        guard let bytes = value.bytes else { return nil }
        (type, item) = (value.type, value.item)
        envelope = key.seal(bytes, value.type, item: value.item)
        if let search, let lookup {
            self.lookup = (lookup.hash(search(bytes), value.type), lookup.id)
        } else {
            self.lookup = nil
        }
    }

    /// The statements that store rows of a user, each instead of what is there.
    static func store(_ rows: [EncryptedRow], _ user: ID<User>, at now: Timestamp) -> [SQL] {
        guard !rows.isEmpty else { return [] }
        return [
            """
            insert into platform.encrypted_user_data as d
                (user_id, data_type, item, envelope, lookup, lookup_key, created_at, updated_at)
            select \(user), r.*, \(now), \(now)
            from unnest(\(rows.map(\.type.name)), \(rows.map(\.item)), \(rows.map { Bytes($0.envelope) }),
                \(rows.map { $0.lookup.map { Bytes($0.hash) } }), \(rows.map { $0.lookup?.key })::integer[]) as r
            on conflict (user_id, data_type, item) do update
            set envelope = excluded.envelope, lookup = excluded.lookup, lookup_key = excluded.lookup_key,
                version = d.version + 1, updated_at = excluded.updated_at
            """
        ]
    }

    /// The statements that remove values of a user.
    static func removal(of values: [PersonalValue], _ user: ID<User>) -> [SQL] {
        guard !values.isEmpty else { return [] }
        return [
            """
            delete from platform.encrypted_user_data d
            using unnest(\(values.map(\.type.name)), \(values.map(\.item))) as gone (data_type, item)
            where d.user_id = \(user) and d.data_type = gone.data_type and d.item = gone.item
            """
        ]
    }
}
