import Fees
import Kernel
import PostgreSQL
import Testing

@Suite struct FeeSchedulesTests {
    private let future = Timestamp(seconds: SystemClock().now().seconds + 86_400)

    private func next(
        _ number: UInt128,
        version: Int = 2,
        from: Timestamp? = nil,
        operation: String = "banking.payment"
    ) throws -> FeeSchedule {
        let rule = FeeRule("payment", .platform, "Payment", terms: [.flat(Money(minorUnits: 20, .usd))])
        return try FeeSchedule(
            id: ID(number),
            version: version,
            operation: operation,
            asset: .usd,
            effectiveFrom: from ?? future,
            rules: [rule]
        )
    }

    @Test func `the migrated table holds the default schedules`() async throws {
        try await FeeDatabase.with("fees_defaults") { pool in
            let catalog = try await FeeSchedules(pool).catalog()
            for schedule in FeeSchedule.defaults { #expect(catalog.schedule(schedule.id) == schedule) }
            let rows = try await pool.query("select count(*) as count from platform.fee_schedules")
            #expect(try rows[0]["count"] as Int == FeeSchedule.defaults.count)
        }
    }

    @Test func `a published version follows the one before it, which stays to explain old quotes`() async throws {
        try await FeeDatabase.with("fees_publish") { pool in
            let schedules = FeeSchedules(pool)
            let before = try await schedules.catalog()
            let context = FeeContext(amount: Money(minorUnits: 2_000, .usd))
            let quote = try before.quote("banking.payment", context, id: ID(1), at: Fixture.instant)
            let version = try next(2)
            try await schedules.publish(version)

            let after = try await schedules.catalog()
            let last = Timestamp(microseconds: future.microseconds - 1)
            #expect(try after.schedule(operation: "banking.payment", asset: .usd, at: future) == version)
            let old = try after.schedule(operation: "banking.payment", asset: .usd, at: last)
            #expect((old.id, old.effectiveTo) == (quote.schedule, future))
            let found = try await schedules.find(quote.schedule)
            #expect(try FeeEngine.recompute(quote, schedule: try #require(found)).isIdentical)
            #expect(try await schedules.find(ID(77)) == nil)
        }
    }

    @Test func `what can't be published is refused and leaves the table as it was`() async throws {
        try await FeeDatabase.with("fees_refusals") { pool in
            let schedules = FeeSchedules(pool)
            let past = Timestamp(seconds: 1_740_000_000)
            let first = try #require(FeeSchedule.defaults.first { $0.operation == "banking.payment" })
            let count: SQL = "select count(*) as count from platform.fee_schedules where upper_inf(effective)"
            let before: Int = try await pool.query(count)[0]["count"]
            for (schedule, expected) in [
                (try next(2, version: 3), FeeSchedulesError.versionNotNext(found: 3, next: 2)),
                (try next(2, version: 1), .versionNotNext(found: 1, next: 2)),
                (try next(2, from: past), .endsInThePast(ID(2))),
                (try next(2, from: first.effectiveFrom), .overlaps(ID(2))),
                (try next(first.id.value, version: 1, operation: "banking.other"), .exists(first.id)),
            ] {
                await #expect(throws: expected) { try await schedules.publish(schedule) }
            }
            #expect(try await pool.query(count)[0]["count"] as Int == before)
        }
    }

    @Test func `the database has no fees either of what passes no account of ours`() async throws {
        try await FeeDatabase.with("fees_chargeable") { pool in
            func insert(_ rules: JSON) -> SQL {
                """
                insert into platform.fee_schedules (id, operation, asset, version, effective, rules)
                values (gen_random_uuid(), 'banking.ramp', 'ETH', 7, tstzrange(now(), null), \(rules))
                """
            }
            let error = await #expect(throws: PostgresError.self) { try await pool.query(insert([[:]])) }
            #expect(error?.violates("fee_schedules_chargeable") == true)
            _ = try await pool.query(insert([]))
        }
    }

    @Test func `a dry run finds what publishing would, and stores nothing`() async throws {
        try await FeeDatabase.with("fees_dry_run") { pool in
            let schedules = FeeSchedules(pool)
            let before = try await schedules.all()
            try await schedules.publish(try next(2), dryRun: true)
            await #expect(throws: FeeSchedulesError.versionNotNext(found: 3, next: 2)) {
                try await schedules.publish(try next(2, version: 3), dryRun: true)
            }
            #expect(try await schedules.all() == before)
        }
    }

    @Test func `what goes with a version is stored with it, or not at all`() async throws {
        try await FeeDatabase.with("fees_rows") { pool in
            let schedules = FeeSchedules(pool)
            _ = try await pool.query("create table platform.notes (text text)")
            func notes() async throws -> Int { try await pool.query("select count(*) from platform.notes")[0][0] }
            try await schedules.publish(try next(2), with: [Note(text: "dry")], dryRun: true)
            await #expect(throws: FeeSchedulesError.self) {
                try await schedules.publish(try next(2, version: 9), with: [Note(text: "refused")])
            }
            #expect(try await notes() == 0)
            try await schedules.publish(try next(2), with: [Note(text: "published")])
            #expect(try await notes() == 1)
            try await schedules.publish(try next(3, version: 1, from: Fixture.instant, operation: "banking.other"))
            let end = try await schedules.close(ID(3), with: [Note(text: "closed")])
            #expect(try await schedules.find(ID(3))?.effectiveTo == end)
            #expect(try await notes() == 2)
        }
    }

    @Test func `of many publishers of a version one wins`() async throws {
        try await FeeDatabase.with("fees_race") { pool in
            let schedules = FeeSchedules(pool)
            let operations = ["banking.payment", "banking.brand_new"]
            for (round, operation) in operations.enumerated() {
                let won = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<8 {
                        let id = UInt128(100 * (round + 1) + number)
                        let version = try next(id, version: 2 - round, operation: operation)
                        group.addTask {
                            do {
                                try await schedules.publish(version)
                                return true
                            } catch is FeeSchedulesError {
                                return false
                            }
                        }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(won == 1, "\(operation)")
            }
        }
    }

    @Test func `closing ends an open schedule, now or later, once`() async throws {
        try await FeeDatabase.with("fees_close") { pool in
            let schedules = FeeSchedules(pool)
            let id = try #require(FeeSchedule.defaults.first).id
            let past = Timestamp(seconds: 1_740_000_000)
            await #expect(throws: FeeSchedulesError.endsInThePast(id)) { try await schedules.close(id, at: past) }
            try await schedules.close(id, at: future)
            #expect(try await schedules.find(id)?.effectiveTo == future)
            await #expect(throws: FeeSchedulesError.notOpen(id)) { try await schedules.close(id, at: future) }
            await #expect(throws: FeeSchedulesError.notOpen(ID(5))) { try await schedules.close(ID(5), at: future) }
        }
    }

    @Test func `nothing else in the table can be changed`() async throws {
        try await FeeDatabase.with("fees_immutable") { pool in
            let statements: [SQL] = [
                "delete from platform.fee_schedules", "truncate platform.fee_schedules",
                "update platform.fee_schedules set rules = '[]'",
                "update platform.fee_schedules set version = version + 1",
                "update platform.fee_schedules set effective = tstzrange(lower(effective) - interval '1 day', null)",
                "update platform.fee_schedules set effective = tstzrange('2099-01-01', '2100-01-01')",
            ]
            for statement in statements {
                do {
                    _ = try await pool.query(statement)
                    Issue.record("\(statement.text) went through")
                } catch let error as PostgresError {
                    #expect(error.state == "23001", "\(statement.text)")
                }
            }
        }
    }

    @Test func `a schedule that was tampered with is not used`() async throws {
        try await FeeDatabase.with("fees_damaged") { pool in
            let schedules = FeeSchedules(pool)
            let id = try #require(FeeSchedule.defaults.first).id
            _ = try await pool.query("alter table platform.fee_schedules disable trigger fee_schedules_guard")
            _ = try await pool.query("update platform.fee_schedules set rules = '[]' where id = \(id)")
            await #expect(throws: FeeSchedulesError.damaged(id)) { try await schedules.catalog() }
            await #expect(throws: FeeSchedulesError.damaged(id)) { try await schedules.find(id) }
        }
    }

    @Test func `the table tells of changes`() async throws {
        try await FeeDatabase.with("fees_notify") { pool in
            let (heard, continuation) = AsyncStream.makeStream(of: String.self)
            try await pool.withConnection { connection in
                connection.onNotification { continuation.yield($0.channel) }
                _ = try await connection.query("listen fee_schedules")
                try await FeeSchedules(pool).publish(try next(2))
                var iterator = heard.makeAsyncIterator()
                #expect(await iterator.next() == FeeCatalogCache.channel)
            }
        }
    }

    @Test func `each refusal has a problem of its own`() {
        let errors: [FeeSchedulesError] = [
            .damaged(ID(1)), .versionNotNext(found: 1, next: 2), .overlaps(ID(1)), .exists(ID(1)),
            .endsInThePast(ID(1)),
            .notOpen(ID(1)),
        ]
        #expect(errors.map(\.problem.status) == [500, 409, 409, 409, 422, 409])
        #expect(Set(errors.map(\.problem.code)).count == errors.count)
    }
}

/// A row that goes with a version.
private struct Note: StoredRow {
    static var mustTouchEachRow: Bool { false }

    let text: String

    static func store(_ rows: [Note], in schema: Schema, at: Timestamp) -> [SQL] {
        ["insert into \(schema).notes select * from unnest(\(rows.map(\.text))) returning 1"]
    }
}
