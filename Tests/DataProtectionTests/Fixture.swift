import Cryptography
import DataProtection
import Foundation
import Kernel
import PostgreSQL
import TestSupport

/// Private data in a database of its own, under master keys in a directory of its own.
struct Fixture: Sendable {
    let database: TestDatabase
    /// As the platform's role.
    let pool: Pool
    let directory: SecretKeyDirectory
    let masters: LocalMasterKeys
    let clock: ManualClock
    let ids: IDGenerator
    let data: PersonalValues

    @discardableResult
    static func with<Answer: Sendable>(_ body: (Fixture) async throws -> Answer) async throws -> Answer {
        let path = NSTemporaryDirectory() + "master-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await TestDatabase.with { database in try await body(try Fixture(database, path)) }
    }

    private init(_ database: TestDatabase, _ path: String) throws {
        self.database = database
        pool = database.pool(.platform, size: 8)
        directory = SecretKeyDirectory(path: path, prefix: LocalMasterKeys.prefix)
        masters = LocalMasterKeys(directory: directory)
        _ = try directory.open()
        // Partitions are made around the present.
        clock = ManualClock(SystemClock().now())
        ids = IDGenerator(clock: clock)
        data = PersonalValues(pool: pool, masters: masters, ids: ids, clock: clock)
    }

    /// The same data as a process sees it that has other master keys.
    func data(_ masters: any MasterKeys) -> PersonalValues {
        PersonalValues(pool: pool, masters: masters, ids: ids, clock: clock)
    }

    /// Somebody who registered.
    func user(_ name: String = "ada") async throws -> ID<User> {
        let id: ID<User> = ids.next()
        _ = try await pool.query(
            """
            insert into platform.users (id, email, username, password_hash, created_at, updated_at)
            values (\(id), \(name + "@example.com"), \(name), \("$2a$04$" + String(repeating: "x", count: 53)),
                \(clock.now()), \(clock.now()))
            """
        )
        return id
    }

    /// Users with a telephone number and a birth date each.
    func users(_ count: Int) async throws -> [ID<User>] {
        var users: [ID<User>] = []
        for number in 0..<count {
            let user = try await user("user\(number)")
            try await data.write(
                user,
                [.init(.phone, "+351 91\(number)"), .init(.birthDate, "1990-01-0\(number % 9 + 1)")]
            )
            users.append(user)
        }
        return users
    }

    /// The name of the master key of a number.
    func master(_ number: UInt32) throws -> String {
        let key = try directory.read().first { $0.number == number }
        return key.map(LocalMasterKeys.name) ?? ""
    }

    /// One value of the database, by a statement with one column and row.
    func value<Value: SQLDecodable>(_ statement: SQL, as _: Value.Type = Value.self) async throws -> Value {
        try await pool.query(statement)[0][0]
    }

    /// Does something as the superuser.
    func tamper(_ script: String) async throws {
        _ = try await database.pool().withConnection { try await $0.execute(script: script) }
    }
}

/// Master keys that tell of each unwrapping before it is done, so that a test can do something meanwhile.
struct WatchedMasterKeys: MasterKeys {
    let keys: any MasterKeys
    var beforeUnwrap: @Sendable () async throws -> Void = {}
    var beforeWrap: @Sendable () async throws -> Void = {}

    func current() async throws -> String { try await keys.current() }

    func wrap(_ key: [UInt8], context: [UInt8]) async throws -> WrappedKey {
        try await beforeWrap()
        return try await keys.wrap(key, context: context)
    }

    func unwrap(_ wrapped: WrappedKey, context: [UInt8]) async throws -> [UInt8] {
        try await beforeUnwrap()
        return try await keys.unwrap(wrapped, context: context)
    }
}

/// A failure that a test provokes.
struct Provoked: Error {}
