import Cryptography
import DataProtection
import Foundation
import Kernel
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite struct KeyRotationTests {
    private static func rotation(_ world: Fixture, _ masters: (any MasterKeys)? = nil) -> KeyRotation {
        KeyRotation(masters.map(world.data) ?? world.data)
    }

    private static func allReadable(_ world: Fixture, _ users: [ID<User>]) async throws -> Bool {
        for (number, user) in users.enumerated() {
            guard try await world.data.read(user, .phone)?.text == "+351 91\(number)",
                try await world.data.find(.phone, "35191\(number)") == [user]
            else { return false }
        }
        return true
    }

    @Test func `a new master key takes over, after which the old one may go`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(5)
            try world.directory.addNext()
            let rotation = KeyRotationTests.rotation(world)
            await #expect { try await rotation.retire("1", at: world.clock.now()) } throws: {
                ($0 as? Problem)?.code == "key_in_use"
            }
            // Five users, and the key of hashes.
            #expect(try await rotation.rewrap() == .init(done: 6, left: 0))
            #expect(try await rotation.rewrap() == .init(done: 0, left: 0))
            try await rotation.retire("1", at: world.clock.now())
            try world.directory.remove(1)
            #expect(try await KeyRotationTests.allReadable(world, users))
            let status = try await rotation.status()
            #expect(status.current == "2" && status.masters.map(\.name) == ["2"] && status.masters[0].keys == 6)
        }
    }

    @Test func `the current master key can't be retired`() async throws {
        try await Fixture.with { world in
            await #expect { try await KeyRotationTests.rotation(world).retire("1", at: world.clock.now()) } throws: {
                ($0 as? Problem)?.code == "key_in_use"
            }
        }
    }

    @Test func `nothing is wrapped by a retired key, though a process still has it`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            let stale = try LocalMasterKeys(ring: try world.directory.read())
            try world.directory.addNext()
            let rotation = KeyRotationTests.rotation(world)
            _ = try await rotation.rewrap()
            try await rotation.retire("1", at: world.clock.now())
            await #expect { try await world.data(stale).write(user, [.init(.phone, "1")]) } throws: {
                ($0 as? PostgresError)?.violates("master_key_not_retired") == true
            }
            try await world.data.write(user, [.init(.phone, "1")])
        }
    }

    @Test func `a rotation that was killed half way goes on where it was`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(7)
            try world.directory.addNext()
            let wraps = Counter()
            let dying = WatchedMasterKeys(
                keys: world.masters,
                beforeWrap: { if wraps.next() > 4 { throw Provoked() } }
            )
            await #expect(throws: Provoked.self) { try await KeyRotationTests.rotation(world, dying).rewrap() }
            #expect(try await KeyRotationTests.allReadable(world, users))
            let rest = try await KeyRotationTests.rotation(world).rewrap()
            #expect(rest.left == 0 && rest.done >= 3)
            #expect(try await KeyRotationTests.allReadable(world, users))
        }
    }

    @Test func `a connection that is cut in a rotation loses nothing`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(6)
            try world.directory.addNext()
            let admin = world.database.pool()
            let cutting = WatchedMasterKeys(
                keys: world.masters,
                beforeWrap: {
                    _ = try await admin.query(
                        """
                        select pg_terminate_backend(pid) from pg_stat_activity
                        where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                        """
                    )
                }
            )
            // Whether a pool notices before or after it lends a cut connection is up to time.
            _ = try? await KeyRotationTests.rotation(world, cutting).rewrap()
            var left = 1
            for _ in 0..<10 where left > 0 {
                left = (try? await KeyRotationTests.rotation(world).rewrap().left) ?? 1
            }
            #expect(left == 0)
            #expect(try await KeyRotationTests.allReadable(world, users))
        }
    }

    @Test func `two rotations at once, with writers and readers beside them, lose nothing`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(12)
            try world.directory.addNext()
            let before = world.clock.now().adding(seconds: 1)
            world.clock.advance(seconds: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask { _ = try await KeyRotationTests.rotation(world).rewrap() }
                    group.addTask { _ = try await KeyRotationTests.rotation(world).renew(madeBefore: before) }
                    group.addTask { _ = try await KeyRotationTests.rotation(world).replaceLookupKey() }
                }
                group.addTask {
                    for round in 0..<5 {
                        for (number, user) in users.enumerated() {
                            try await world.data.write(user, [.init(.address, "Rua \(number), \(round)")])
                            #expect(try await world.data.read(user, .phone)?.text == "+351 91\(number)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let rotation = KeyRotationTests.rotation(world)
            #expect(try await rotation.rewrap().left == 0)
            #expect(try await rotation.renew(madeBefore: before).left == 0)
            _ = try await rotation.replaceLookupKey()
            #expect(try await KeyRotationTests.allReadable(world, users))
            for (number, user) in users.enumerated() {
                #expect(try await world.data.read(user, .address)?.text == "Rua \(number), 4")
            }
            let status = try await rotation.status()
            #expect(status.masters.map(\.name) == ["2"] && status.lookups.map(\.values) == [12])
        }
    }

    @Test func `users' own keys are replaced, and what the old ones sealed is worth nothing to them`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(3)
            let old: Bytes = try await world.value(
                "select wrapped from platform.user_data_keys where user_id = \(users[0])"
            )
            world.clock.advance(seconds: 10)
            let report = try await KeyRotationTests.rotation(world).renew(madeBefore: world.clock.now())
            #expect(report == .init(done: 3, left: 0))
            #expect(try await KeyRotationTests.rotation(world).renew(madeBefore: world.clock.now()).done == 0)
            #expect(try await KeyRotationTests.allReadable(world, users))
            _ = try await world.pool.query(
                "update platform.user_data_keys set wrapped = \(old) where user_id = \(users[0])"
            )
            await #expect(throws: MasterKeyError.notAuthentic) { try await world.data.read(users[0], nil) }
        }
    }

    @Test func `a new key of hashes finds what the old one found, and the old one goes`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(4)
            let before: [Bytes] = try await world.pool.query(
                "select lookup from platform.encrypted_user_data where lookup is not null order by user_id"
            ).map { try $0[0] }
            let rotation = KeyRotationTests.rotation(world)
            await #expect(throws: Provoked.self) {
                try await rotation.replaceLookupKey { _ in throw Provoked() }
            }
            #expect(try await KeyRotationTests.allReadable(world, users))
            #expect(try await rotation.replaceLookupKey().left == 0)
            #expect(try await KeyRotationTests.allReadable(world, users))
            let status = try await rotation.status()
            #expect(status.lookups.map(\.id) == [2] && status.lookups[0].values == 4)
            let after: [Bytes] = try await world.pool.query(
                "select lookup from platform.encrypted_user_data where lookup is not null order by user_id"
            ).map { try $0[0] }
            #expect(zip(before, after).allSatisfy { $0 != $1 })
        }
    }

    @Test func `keys that others may read, that are no keys, or that are gone are refused`() async throws {
        try await Fixture.with { world in
            let users = try await world.users(1)
            let path = world.directory.path + "/master-0001.key"
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            await #expect(throws: SecretKeyDirectory.Failure.readableByOthers(path: path)) {
                try await world.data.read(users[0], nil)
            }
            try FileManager.default.removeItem(atPath: path)
            await #expect(throws: MasterKeyError.none) { try await world.data.read(users[0], nil) }
            let other = try LocalMasterKeys(ring: [(7, RandomBytes.make(32))])
            await #expect(throws: MasterKeyError.unknown("1")) { try await world.data(other).read(users[0], nil) }
            let wrong = try LocalMasterKeys(ring: [(1, RandomBytes.make(32))])
            await #expect(throws: MasterKeyError.notAuthentic) { try await world.data(wrong).read(users[0], nil) }
            #expect(throws: MasterKeyError.none) { try LocalMasterKeys(ring: []) }
            try Data("abc\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: SecretKeyDirectory.Failure.notAKey(path: path)) { try world.directory.read() }
        }
    }
}

/// Counts from 1.
final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
