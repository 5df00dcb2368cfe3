import Cryptography
import DataProtection
import Foundation
import HTTP
import Kernel
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite struct ErasureTests {
    private static let operators = Requester(actor: "operator:olga")

    /// A user with a telephone number and an address, who has asked to be forgotten.
    private static func asking(_ world: Fixture) async throws -> ID<User> {
        let user = try await world.user()
        try await world.data.write(user, [.init(.phone, "+351 91"), .init(.address, "Rua 1")])
        _ = try await Erasure(world.data, records: []).requests.make(for: user, by: Requester(actor: "me", user: user))
        return user
    }

    @Test func `an erasure destroys the key and tells what went, what stays, and why`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let erasure = Erasure(world.data, records: [Books()])
            let receipt = try await erasure.erase(user, approvedBy: ErasureTests.operators)
            #expect(
                receipt.removed == [
                    .init(what: "platform.user_data_keys", rows: 1), .init(what: "platform.personal_data", rows: 2),
                ]
            )
            #expect(receipt.kept.contains(.init(what: "books.entries", because: "Books of account.")))
            #expect(receipt.erasedBy == "operator:olga" && receipt.user == user)
            #expect(try await erasure.receipt(of: user) == receipt)
            await #expect(throws: DataProtectionProblem.erased) { try await world.data.read(user, nil) }
            await #expect(throws: DataProtectionProblem.erased) {
                try await world.data.write(user, [.init(.phone, "1")])
            }
            #expect(try await world.data.find(.phone, "+351 91") == [])
            await #expect(throws: DataProtectionProblem.erased) {
                try await erasure.requests.make(for: user, by: ErasureTests.operators)
            }
            #expect(try await world.value("select status from platform.erasure_requests") == "erased")
            let told: [String] = try await world.pool.query("select type from platform.outbox_events").map { try $0[0] }
            #expect(told == ["platform.user.erased"])
            let noted: [String] = try await world.pool.query("select action from platform.audit_log order by batch").map
            { try $0[0] }
            #expect(noted == ["user.erasure_requested", "user.erased"])
            // Done again, it is the same.
            #expect(try await erasure.erase(user, approvedBy: ErasureTests.operators) == receipt)
        }
    }

    @Test func `what a backup of the values brings back can't be decrypted`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            try await world.tamper("create table public.backup as select * from platform.encrypted_user_data")
            _ = try await Erasure(world.data, records: []).erase(user, approvedBy: ErasureTests.operators)
            try await world.tamper("insert into platform.encrypted_user_data select * from public.backup")
            #expect(try await world.value("select count(*) from platform.encrypted_user_data") == 2)
            await #expect(throws: DataProtectionProblem.erased) { try await world.data.read(user, nil) }
            await #expect(throws: PostgresError.self) {
                try await world.tamper("update platform.user_data_keys set destroyed_at = null, wrapped = 'x'")
            }
        }
    }

    @Test func `a backup of the keys is worth nothing once the master key was replaced and removed`() async throws {
        try await Fixture.with { world in
            let (user, other) = (try await ErasureTests.asking(world), try await world.user("bob"))
            try await world.data.write(other, [.init(.phone, "2")])
            try await world.tamper(
                """
                create table public.backup as select * from platform.encrypted_user_data;
                create table public.keys as select * from platform.user_data_keys
                """
            )
            _ = try await Erasure(world.data, records: []).erase(user, approvedBy: ErasureTests.operators)
            try world.directory.addNext()
            let (rotation, old) = (KeyRotation(world.data), try world.master(1))
            #expect(try await rotation.rewrap().left == 0)
            try await rotation.retire(old, at: world.clock.now())
            try world.directory.remove(1)
            try await world.tamper(
                """
                set session_replication_role = replica;
                delete from platform.encrypted_user_data;
                delete from platform.user_data_keys;
                insert into platform.user_data_keys select * from public.keys;
                insert into platform.encrypted_user_data select * from public.backup
                """
            )
            await #expect(throws: MasterKeyError.unknown(old)) { try await world.data.read(user, nil) }
        }
    }

    @Test func `what stands against it is told, and nothing is erased`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let debt = ErasureObstacle(place: "books", code: "balance_left", text: "There is money left.")
            let erasure = Erasure(world.data, records: [Books(obstacle: debt)])
            await #expect(throws: DataProtectionProblem.obstacles([debt])) {
                try await erasure.erase(user, approvedBy: ErasureTests.operators)
            }
            #expect(try await world.data.read(user, nil).count == 2)
            #expect(try await erasure.receipt(of: user) == nil)
        }
    }

    @Test func `money that comes in while the account is closed still stops it`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let debt = ErasureObstacle(place: "books", code: "balance_left", text: "There is money left.")
            let books = Books(obstacleAfterClosing: debt)
            await #expect(throws: DataProtectionProblem.obstacles([debt])) {
                try await Erasure(world.data, records: [books]).erase(user, approvedBy: ErasureTests.operators)
            }
            #expect(try await world.data.read(user, nil).count == 2)
        }
    }

    @Test func `a legal hold stops it until it is released`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let office = RetentionOffice(pool: world.database.pool())
            let hold = LegalHold(
                id: world.ids.next(),
                on: .user(user),
                because: "a trial",
                by: "operator:olga",
                at: world.clock.now()
            )
            try await office.place(hold)
            try await office.place(hold)
            #expect(try await office.holds() == [hold])
            let erasure = Erasure(world.data, records: [])
            let error = await #expect(throws: DataProtectionProblem.self) {
                try await erasure.erase(user, approvedBy: ErasureTests.operators)
            }
            guard case .obstacles(let obstacles)? = error else { return }
            #expect(obstacles.map(\.code) == ["legal_hold"])
            #expect(try await office.release(hold.id, because: "it ended", by: "operator:olga", at: world.clock.now()))
            #expect(try await !office.release(hold.id, because: "again", by: "operator:olga", at: world.clock.now()))
            _ = try await erasure.erase(user, approvedBy: ErasureTests.operators)
        }
    }

    @Test func `nobody is erased who didn't ask, and nobody decides on themselves`() async throws {
        try await Fixture.with { world in
            let user = try await world.user()
            let erasure = Erasure(world.data, records: [])
            let me = Requester(actor: user.wire, user: user)
            await #expect(throws: DataProtectionProblem.notRequested) {
                _ = try await erasure.erase(user, approvedBy: ErasureTests.operators)
            }
            await #expect(throws: DataProtectionProblem.ownRequest) {
                _ = try await erasure.erase(user, approvedBy: me)
            }
        }
    }

    @Test func `one request is open at a time`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let requests = Erasure(world.data, records: []).requests
            await #expect(throws: DataProtectionProblem.requestedAlready) {
                _ = try await requests.make(for: user, by: ErasureTests.operators)
            }
            let open = try await requests.open()
            #expect(open.map(\.user) == [user])
        }
    }

    @Test(arguments: [ErasureRequest.Status.withdrawn, .refused])
    func `a request that was withdrawn or refused is decided no more`(status: ErasureRequest.Status) async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let erasure = Erasure(world.data, records: [])
            let ended = try await erasure.requests.end(
                of: user,
                as: status,
                because: "a case",
                by: ErasureTests.operators
            )
            #expect(ended.status == status && ended.reason == "a case")
            await #expect(throws: DataProtectionProblem.notRequested) {
                _ = try await erasure.requests.end(of: user, as: status, because: nil, by: ErasureTests.operators)
            }
            await #expect(throws: DataProtectionProblem.notRequested) {
                _ = try await erasure.erase(user, approvedBy: ErasureTests.operators)
            }
            let again = try await erasure.requests.make(for: user, by: ErasureTests.operators)
            #expect(again.id != ended.id)
        }
    }

    @Test func `one that was cut off has erased nothing and is done again`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let broken = Books(removal: Removal("books.entries", "delete from platform.there_is_no_such_table"))
            await #expect(throws: PostgresError.self) {
                try await Erasure(world.data, records: [broken]).erase(user, approvedBy: ErasureTests.operators)
            }
            #expect(try await world.data.read(user, nil).count == 2)
            _ = try await Erasure(world.data, records: []).erase(user, approvedBy: ErasureTests.operators)
            await #expect(throws: DataProtectionProblem.erased) { try await world.data.read(user, nil) }
        }
    }

    @Test func `of two at once one erases, and no read or write beside them brings anything back`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let erasure = Erasure(world.data, records: [])
            let receipts = try await withThrowingTaskGroup(of: ErasureReceipt?.self) { group -> [ErasureReceipt] in
                for _ in 0..<2 {
                    group.addTask { try? await erasure.erase(user, approvedBy: ErasureTests.operators) }
                }
                for number in 0..<8 {
                    group.addTask {
                        do {
                            try await world.data.write(user, [.init(.address, "Rua \(number)")])
                            let values = try await world.data.read(user, nil)
                            #expect(values.isEmpty || values.count == 2)
                        } catch DataProtectionProblem.erased {}
                        return nil
                    }
                }
                return try await group.reduce(into: []) { receipts, receipt in receipts += [receipt].compactMap { $0 } }
            }
            #expect(Set(receipts).count == 1)
            await #expect(throws: DataProtectionProblem.erased) { try await world.data.read(user, nil) }
            #expect(try await world.value("select count(*) from platform.encrypted_user_data") == 0)
        }
    }

    @Test func `a read that began before an erasure ends with it or with what was there, a write with a refusal`()
        async throws
    {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let erasure = Erasure(world.data, records: [])
            let once = Mutex(false)
            let masters = WatchedMasterKeys(
                keys: world.masters,
                beforeUnwrap: {
                    let isFirst = once.withLock { done in
                        defer { done = true }
                        return !done
                    }
                    if isFirst { _ = try await erasure.erase(user, approvedBy: ErasureTests.operators) }
                }
            )
            await #expect(throws: DataProtectionProblem.erased) {
                try await world.data(masters).write(user, [.init(.address, "Rua 2")])
            }
            #expect(once.withLock { $0 })
            #expect(try await world.value("select count(*) from platform.encrypted_user_data") == 0)
        }
    }

    @Test func `every table of the platform that knows users is exported and erased, or kept for a reason`()
        async throws
    {
        // What each holds is told by the sections of `ProtectionRecords`, `IdentityRecords`, `ComplianceRecords`
        // and `LedgerRecords`; dismissals and holds belong to cases, the queue of monitoring is emptied.
        let known: Set<String> = [
            "api_keys", "compliance_alerts", "compliance_cases", "compliance_checks", "compliance_clearances",
            "compliance_holds", "kyc_applications", "kyc_documents", "kyc_levels", "monitoring_queue", "risk_scores",
            "travel_rule_records", "known_devices", "outgoing_claims",
            "data_access_log", "email_tokens", "encrypted_user_data", "erasure_receipts", "erasure_requests",
            "pending_letters", "recovery_codes", "screening_dismissals", "screening_subjects", "second_factors",
            "sessions",
            "transaction_facts", "user_balances", "user_data_keys",
            "user_roles",
        ]
        try await Fixture.with { world in
            let tables: [String] = try await world.pool.query(
                """
                select c.relname::text from pg_attribute a
                join pg_class c on c.oid = a.attrelid
                where c.relnamespace = 'platform'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                    and a.attname = 'user_id'
                order by 1
                """
            ).map { try $0[0] }
            #expect(Set(tables).subtracting(known) == [])
        }
    }

    @Test func `an export has all sections, page by page, as they are stored`() async throws {
        try await Fixture.with { world in
            let user = try await ErasureTests.asking(world)
            let olga = try await world.user("olga")
            let reader = StaffReader(user: olga, roles: ["operator"], reason: "a check")
            for _ in 0..<3 { _ = try await world.data.disclose([.phone], of: user, to: reader) }
            let export = DataExport(Erasure(world.data, records: [Books()]))
            let values = try #require(export.section("platform.personal_data"))
            let shown = try await values.read(user, 0, 10).map(\.json)
            #expect(
                shown == [
                    ["data_type": "profile.address", "value": "Rua 1"],
                    ["data_type": "profile.phone", "value": "+351 91"],
                ]
            )
            let access = try #require(export.section("platform.data_access"))
            let first = try await access.read(user, 0, 2)
            let rest = try await access.read(user, first[1].id, 2)
            #expect(first.count == 2 && rest.count == 1 && first[1].id < rest[0].id)
            #expect(rest[0].json["reason"] == "a check")
            #expect(try await access.read(olga, 0, 10).isEmpty)
            let books = try #require(export.section("books.entries"))
            #expect(try await books.read(user, 0, 10)[0].json["amount"] == "12.30")
            #expect(export.section("nothing") == nil)
        }
    }
}

/// Records of a domain of the tests' own.
private struct Books: UserRecords {
    var obstacle: ErasureObstacle?
    var obstacleAfterClosing: ErasureObstacle?
    var removal: Removal?
    let closed = Flag()

    var sections: [RecordSection] {
        [
            RecordSection("books.entries", .kept(because: "Books of account.")) { _, after, _ in
                after == 0 ? [(id: 1, json: ["asset": "USD", "amount": "12.30"])] : []
            }
        ]
    }

    func obstacles(to user: ID<User>) async throws -> [ErasureObstacle] {
        [obstacle, closed.isUp ? obstacleAfterClosing : nil].compactMap { $0 }
    }

    func close(_ user: ID<User>, by requester: Requester) async throws { closed.raise() }

    func removals(of user: ID<User>, at now: Timestamp) async throws -> [Removal] { [removal].compactMap { $0 } }
}

private final class Flag: Sendable {
    private let state = Mutex(false)

    var isUp: Bool { state.withLock { $0 } }
    func raise() { state.withLock { $0 = true } }
}
