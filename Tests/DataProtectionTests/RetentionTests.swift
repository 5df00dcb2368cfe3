import Audit
import DataProtection
import Kernel
import Migrations
import PostgreSQL
import TestSupport
import Testing

@Suite struct RetentionTests {
    private static let schema = Schema.platform

    private static func retention(_ world: Fixture) -> Retention { Retention(pool: world.pool, schema: schema) }

    private static func office(_ world: Fixture) -> RetentionOffice {
        var options = world.database.options()
        options.role = Roles.migrator
        return RetentionOffice(pool: Pool(options, size: 2))
    }

    private static func verify(_ world: Fixture) async throws -> AuditReport {
        try await AuditVerifier(pool: world.pool, schema: schema).verify()
    }

    /// A partition of a table for a month, as there was when the month was.
    private static func partition(_ world: Fixture, _ table: String, _ year: Int, _ month: Int) async throws {
        let digits = month < 10 ? "0\(month)" : "\(month)"
        let (next, following) = month == 12 ? (year + 1, 1) : (year, month + 1)
        try await world.tamper(
            """
            set role \(Roles.migrator);
            create table platform.\(table)_\(year)\(digits) partition of platform.\(table)
                for values from (blocks.uuid_at('\(year)-\(digits)-01Z'))
                to (blocks.uuid_at('\(next)-\(following)-01Z'))
            """
        )
    }

    /// Batches of audit entries in the middle of a month.
    private static func log(_ world: Fixture, _ year: Int, _ month: Int, batches: Int = 3) async throws {
        try await partition(world, "audit_log", year, month)
        let digits = month < 10 ? "0\(month)" : "\(month)"
        let at = try #require(Timestamp("\(year)-\(digits)-15T12:00:00Z"))
        try await append(world, at, batches: batches)
    }

    private static func append(_ world: Fixture, _ at: Timestamp, batches: Int = 3) async throws {
        let ids = IDGenerator(clock: ManualClock(at))
        for number in 0..<batches {
            let entries = (0..<4).map { place -> any StoredRow in
                AuditEntry(
                    id: ids.next(),
                    actor: "usr_\(number)",
                    action: "a.b",
                    entity: "thing",
                    after: ["n": .integer(place)]
                )
            }
            try await world.pool.transact { _ in Closing((), last: entries.statements(in: schema, at: at)) }
        }
    }

    private static func applied(_ world: Fixture) async throws -> [String] {
        var done: [String] = []
        while let step = try await retention(world).apply() {
            done.append("\(step.step) \(step.partition)")
            try #require(done.count < 20)
        }
        return done
    }

    @Test func `closed partitions past their time move to the archive and can still be read and proven`() async throws {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2024, 3)
            try await RetentionTests.log(world, 2024, 4)
            try await RetentionTests.append(world, world.clock.now())
            let before: [String] = try await world.pool.query("select id::text from platform.audit_log order by id").map
            { try $0[0] }
            let due = try await RetentionTests.retention(world).due()
            #expect(
                due.map { "\($0.step) \($0.partition)" } == ["archive audit_log_202403", "archive audit_log_202404"]
            )
            #expect(
                try await RetentionTests.applied(world) == ["archive audit_log_202403", "archive audit_log_202404"]
            )
            #expect(try await RetentionTests.retention(world).due().isEmpty)
            #expect(try await world.value("select count(*) from platform.audit_log") == 12)
            let after: [String] = try await world.pool.query("select id::text from platform.audit_log_all order by id")
                .map { try $0[0] }
            #expect(before == after && after.count == 36)
            let archives = try await RetentionTests.retention(world).archives()
            #expect(archives.map(\.rows) == [12, 12] && archives.allSatisfy(\.isIntact))
            let report = try await RetentionTests.verify(world)
            #expect(report.isIntact && report.rows == 36 && report.expiredBatches == 0)
            try await RetentionTests.append(world, world.clock.now())
            #expect(try await RetentionTests.verify(world).rows == 48)
        }
    }

    @Test func `an archived partition is restored as it was, and stays for a while`() async throws {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2024, 3)
            _ = try await RetentionTests.applied(world)
            try await RetentionTests.office(world).restore("audit_log_202403", of: .platform)
            #expect(try await world.value("select count(*) from platform.audit_log") == 12)
            #expect(try await world.value("select count(*) from platform.audit_log_all") == 12)
            #expect(try await RetentionTests.retention(world).archives().isEmpty)
            #expect(try await RetentionTests.applied(world).isEmpty)
            #expect(try await RetentionTests.verify(world).isIntact)
            // The restored rows are guarded as they were.
            await #expect { try await world.database.pool().query("delete from platform.audit_log") } throws: {
                ($0 as? PostgresError)?.state == "D0403"
            }
            await #expect {
                try await RetentionTests.office(world).restore("audit_log_202403", of: .platform)
            } throws: {
                ($0 as? Problem)?.status == 404
            }
            try await world.tamper("update blocks.archived_partitions set restored_at = now() - interval '31 days'")
            #expect(try await RetentionTests.applied(world) == ["archive audit_log_202403"])
            #expect(try await RetentionTests.verify(world).rows == 12)
        }
    }

    @Test func `an archive that was changed is found, by its checksum and by the chain, and isn't restored`()
        async throws
    {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2024, 3)
            _ = try await RetentionTests.applied(world)
            let change = "update platform_archive.audit_log_202403 set actor = 'nobody' where place = 2"
            await #expect { try await world.tamper(change) } throws: { ($0 as? PostgresError)?.state == "D0403" }
            try await world.tamper("set session_replication_role = replica; \(change)")
            #expect(try await RetentionTests.retention(world).archives().map(\.isIntact) == [false])
            #expect(try await RetentionTests.verify(world).faults.count == 3)
            await #expect {
                try await RetentionTests.office(world).restore("audit_log_202403", of: .platform)
            } throws: {
                ($0 as? Problem)?.code == "archive_changed"
            }
        }
    }

    @Test func `what is past its keeping is dropped from the archive, and the chain goes on across it`() async throws {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2015, 5)
            try await RetentionTests.log(world, 2024, 3)
            #expect(
                try await RetentionTests.applied(world) == [
                    "archive audit_log_201505", "drop audit_log_201505", "archive audit_log_202403",
                ]
            )
            let report = try await RetentionTests.verify(world)
            #expect(report.isIntact && report.rows == 12 && report.batches == 6 && report.expiredBatches == 3)
            // What isn't past its time still may not be missing.
            try await world.tamper(
                "set session_replication_role = replica; delete from platform_archive.audit_log_202403 where place = 4"
            )
            #expect(try await RetentionTests.verify(world).faults.count == 3)
            try await world.tamper(
                """
                set session_replication_role = replica;
                update platform.audit_batches set digest = sha256('x') where batch = 2
                """
            )
            #expect(try await RetentionTests.verify(world).faults.contains(.headBroken(batch: 2)))
        }
    }

    @Test func `a hold on a table keeps it as it is until it is released`() async throws {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2015, 5)
            let office = RetentionTests.office(world)
            let hold = LegalHold(
                id: world.ids.next(),
                on: .table("audit_log", in: .platform),
                because: "an inquiry",
                by: "operator:olga",
                at: world.clock.now()
            )
            try await office.place(hold)
            #expect(try await RetentionTests.retention(world).due().map(\.heldBecause) == ["the table is held"])
            #expect(try await RetentionTests.applied(world).isEmpty)
            _ = try await office.release(hold.id, because: "it is over", by: "operator:olga", at: world.clock.now())
            #expect(try await RetentionTests.applied(world) == ["archive audit_log_201505", "drop audit_log_201505"])
        }
    }

    @Test func `a hold on a user keeps partitions with rows of theirs, and those that don't say whose rows they are`()
        async throws
    {
        try await Fixture.with { world in
            let (ada, bob) = (try await world.user(), try await world.user("bob"))
            try await RetentionTests.log(world, 2015, 5)
            for (month, user) in [(5, ada), (6, bob)] {
                try await RetentionTests.partition(world, "data_access_log", 2015, month)
                let at = try #require(Timestamp("2015-0\(month)-10T00:00:00Z"))
                let id: ID<User> = IDGenerator(clock: ManualClock(at)).next()
                _ = try await world.pool.query(
                    """
                    insert into platform.data_access_log
                        (id, user_id, reader, roles, data_types, outcome, reason, recorded_at)
                    values (\(id), \(user), \(bob), '{operator}', '{profile.phone}', 'disclosed', 'a check', \(at))
                    """
                )
            }
            let hold = LegalHold(
                id: world.ids.next(),
                on: .user(ada),
                because: "a trial",
                by: "operator:olga",
                at: world.clock.now()
            )
            try await RetentionTests.office(world).place(hold)
            #expect(
                try await RetentionTests.applied(world) == [
                    "archive audit_log_201505", "archive data_access_log_201505", "archive data_access_log_201506",
                    "drop data_access_log_201506",
                ]
            )
            let held = try await RetentionTests.retention(world).due()
            #expect(held.map(\.partition) == ["audit_log_201505", "data_access_log_201505"])
            #expect(held.allSatisfy { $0.heldBecause != nil })
            #expect(try await world.value("select count(*) from platform.data_access_log_all") == 1)
        }
    }

    @Test func `two who apply the policies at once do each thing once`() async throws {
        try await Fixture.with { world in
            for month in 1...5 { try await RetentionTests.log(world, 2024, month, batches: 1) }
            let done = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<3 { group.addTask { try await RetentionTests.applied(world) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(done.count == 5 && Set(done).count == 5)
            #expect(try await RetentionTests.verify(world).isIntact)
        }
    }

    @Test func `one that can't get its lock has done nothing and is done later`() async throws {
        try await Fixture.with { world in
            try await RetentionTests.log(world, 2024, 3)
            var options = world.database.options(.platform)
            options.lockTimeoutSeconds = 1
            let impatient = Retention(pool: Pool(options, size: 1), schema: .platform)
            try await world.pool.withTransaction { transaction in
                _ = try await transaction.query("select count(*) from platform.audit_log")
                await #expect { try await impatient.apply() } throws: { ($0 as? PostgresError)?.state == "55P03" }
            }
            #expect(try await world.value("select count(*) from platform.audit_log") == 12)
            #expect(try await impatient.apply()?.partition == "audit_log_202403")
            #expect(try await RetentionTests.verify(world).isIntact)
        }
    }

    @Test func `policies are told, also of tables that have none`() async throws {
        try await Fixture.with { world in
            let policies = try await RetentionTests.office(world).policies(of: .platform)
            let byTable = Dictionary(policies.map { ($0.table, $0) }) { first, _ in first }
            #expect(byTable["audit_log"]?.keep == "7 years" && byTable["audit_log"]?.method == "archive")
            #expect(byTable["sessions"]?.keep == "30 days" && byTable["ledger_transfers"]?.method == "stay")
            #expect(byTable["outbox_events"]?.method == "drop" && byTable["outbox_events"]?.keep == "14 days")
            #expect(try await RetentionTests.retention(world).days(of: "sessions") == 30)
            #expect(try await RetentionTests.retention(world).days(of: "ledger_transfers") == nil)
            let banking = try await RetentionTests.office(world).policies(of: .banking)
            #expect(banking.contains { $0.table == "transactions" && $0.method == "stay" && $0.keep == nil })
        }
    }

    @Test func `every table of the platform's own has a policy, and one without is told of`() async throws {
        try await Fixture.with { world in
            // What is installed in every schema has its rules there.
            let installed = try await world.database.pool().query(
                "select relname::text from pg_class where relnamespace = 'defi'::regnamespace and relkind in ('r', 'p')"
            ).map { try $0[0] as String }
            let office = RetentionTests.office(world)
            let lacking = try await office.policies(of: .platform).filter { $0.method == "none" }.map(\.table)
            #expect(Set(lacking).subtracting(installed) == [])
            _ = try await world.database.pool().query("create table platform.forgotten (id uuid)")
            let told = try await office.policies(of: .platform).first { $0.table == "forgotten" }
            #expect(told?.method == "none" && told?.keep == nil)
        }
    }

    @Test func `a schema's role decides neither on policies nor on holds`() async throws {
        try await Fixture.with { world in
            for statement: SQL in [
                "update blocks.retention_policies set keep = '1 day'", "delete from blocks.legal_holds",
                "delete from blocks.archived_partitions", "select blocks.restore_partition('platform', 'x')",
                "select blocks.drop_archived('platform', 'audit_log', 'x')",
                "select blocks.archive_partition('platform', 'audit_log', 'x')",
            ] {
                await #expect { try await world.pool.query(statement) } throws: {
                    ($0 as? PostgresError)?.state == "42501"
                }
            }
        }
    }
}
