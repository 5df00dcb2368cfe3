import Cryptography
import Kernel
import PostgreSQL

/// A key of the hashes by which values are found.
struct LookupKey: Sendable {
    let id: Int
    private let key: [UInt8]

    init(id: Int, key: [UInt8]) { (self.id, self.key) = (id, key) }

    /// The hash of a normalised value: equal for equal values of a type, and nothing without the key.
    func hash(_ normalised: [UInt8], _ type: DataType) -> [UInt8] {
        HMACSHA256.code(over: Array(type.name.utf8), [0], normalised, key: key)
    }
}

/// Table `lookup_keys`: the newest makes hashes, each finds what it made.
struct LookupKeys: Sendable {
    let pool: Pool
    let masters: any MasterKeys
    let clock: any WallClock

    /// What the wrapped key of a number is bound to.
    static func context(_ id: Int) -> [UInt8] {
        Array("diboas lookup key 1".utf8) + withUnsafeBytes(of: UInt32(id).bigEndian) { Array($0) }
    }

    /// All keys, the newest first; a first one is made when there is none.
    func open() async throws -> [LookupKey] {
        let keys = try await read()
        guard keys.isEmpty else { return keys }
        try await add(1)
        return try await read()
    }

    /// Makes a key of that number; of several who do so at once, one does it for all.
    func add(_ id: Int) async throws {
        let wrapped = try await masters.wrap(RandomBytes.make(32), context: LookupKeys.context(id))
        _ = try await pool.query(
            """
            insert into platform.lookup_keys (id, wrapped, master_key, created_at)
            values (\(id), \(Bytes(wrapped.bytes)), \(wrapped.masterKey), \(clock.now()))
            on conflict (id) do nothing
            """
        )
    }

    private func read() async throws -> [LookupKey] {
        let rows = try await pool.query("select id, wrapped, master_key from platform.lookup_keys order by id desc")
        var keys: [LookupKey] = []
        for row in rows {
            let (id, bytes): (Int, Bytes) = (try row[0], try row[1])
            let wrapped = WrappedKey(masterKey: try row[2], bytes: bytes.array)
            keys.append(LookupKey(id: id, key: try await masters.unwrap(wrapped, context: LookupKeys.context(id))))
        }
        return keys
    }
}
