import Kernel
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite struct SweeperTests {
    /// Makes due reservations of one unit, one after the other on the accounts.
    private static func makeDue(
        _ ledger: TestLedger,
        _ count: Int,
        on accounts: [ID<LedgerAccount>]? = nil
    ) async throws {
        let accounts = accounts ?? ledger.customers
        let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
        let past = try await ledger.now().adding(seconds: -60)
        let items = (0..<count).map { index in
            let (id, account) = (ledger.ids.next(Reservation.self), accounts[index % accounts.count])
            return ledger.item(
                .reserve(NewReservation(id: id, account: account, amount: 1, kind: "due", lifetime: .unlimited)),
                .extend(id, of: account, until: Timestamp(microseconds: past.microseconds + Int64(index)))
            )
        }
        for outcome in try await store.commit(items) { _ = try outcome.receipt }
    }

    /// A sweeper that stores a row for each reservation that it ended.
    private static func telling(
        _ ledger: TestLedger,
        _ pool: Pool? = nil,
        status: String = "expired"
    ) -> ReservationSweeper {
        let rows: @Sendable ([ReservationState], Timestamp) -> [any StoredRow] = { ended, _ in
            ended.map { HistoryRow(id: ledger.ids.next(), entity: $0.id.cast(), status: status) }
        }
        return ReservationSweeper(schema: TestLedger.schema, pool: pool ?? ledger.pool, events: rows)
    }

    private static func told(_ ledger: TestLedger) async throws -> [Int] {
        try await ledger.owner.query(
            "select count(*), count(distinct entity_id) from banking.status_history where entity = 'test'"
        ).flatMap { [try $0[0], try $0[1]] }
    }

    @Test func `a decision that ends due reservations itself tells of them in its own transaction`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            try await SweeperTests.makeDue(ledger, 5)
            let store = LedgerStore(
                schema: TestLedger.schema,
                pool: ledger.pool,
                onCommit: {},
                telling: { ended, _ in
                    ended.reservations.map {
                        HistoryRow(id: ledger.ids.next(), entity: $0.id.cast(), status: "expired")
                    }
                }
            )
            // More than is available while the reservations are held, so that the decision has to end them.
            let payments = ledger.customers.map { ledger.item(ledger.pay(100, from: $0, to: ledger.house)) }
            for outcome in try await store.commit(payments) { _ = try outcome.receipt }
            #expect(try await SweeperTests.told(ledger) == [5, 5])
            try await ledger.expectSound()
        }
    }

    @Test func `a sweep is bounded, the earliest first`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            try await SweeperTests.makeDue(ledger, 25)
            let sweeper = ledger.sweeper()
            #expect(try await sweeper.due() == .init(expired: 25, released: ["USD": 25]))
            #expect(try await sweeper.sweepOnce(limit: 10) == .init(expired: 10, released: ["USD": 10]))
            let rest = try await ledger.count(
                """
                select count(*) from banking.reservations r where r.state = 'active' and r.expires_at < (
                    select max(e.expires_at) from banking.reservations e where e.state = 'expired')
                """
            )
            #expect(rest == 0)
            #expect(try await sweeper.sweepOnce(limit: 10).expired == 10)
            #expect(try await sweeper.sweepOnce(limit: 10).expired == 5)
            #expect(try await sweeper.sweepOnce(limit: 10) == .init(expired: 0, released: [:]))
            try await ledger.expectSound()
        }
    }

    @Test func `a set is never larger than its bound, whatever is asked for`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(2_000)
            try await SweeperTests.makeDue(ledger, ReservationSweeper.setMax + 1)
            #expect(try await ledger.sweeper().sweepOnce(limit: .max).expired == ReservationSweeper.setMax)
            #expect(try await ledger.sweeper().sweepOnce().expired == 1)
        }
    }

    @Test func `only what is due is ended, and a part that was captured stays captured`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            let (alice, now) = (ledger.customers[0], try await ledger.now())
            let later = try await ledger.reserve(10, on: alice, until: now.adding(seconds: 600))
            let unlimited = try await ledger.reserve(20, on: alice)
            let partly = try await ledger.reserve(30, on: alice, until: now.adding(seconds: 600))
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            _ = try await store.commit([
                ledger.item(
                    ledger.pay(5, from: alice, to: ledger.house, .reservation(partly)),
                    .extend(partly, of: alice, until: now.adding(seconds: -1))
                )
            ])[0].receipt
            #expect(try await ledger.sweeper().sweepOnce() == .init(expired: 1, released: ["USD": 25]))
            #expect(try await ledger.phase(partly) == .captured)
            #expect(try await ledger.phase(later) == .active)
            #expect(try await ledger.phase(unlimited) == .active)
            #expect(try await ledger.balance(alice) == (95, 30))
            try await ledger.expectSound()
        }
    }

    @Test func `each ended reservation is told of once, by two sweepers beside foreground traffic`() async throws {
        try await TestLedger.with(customers: 8) { ledger in
            try await ledger.fund(1_000)
            for _ in 0..<5 { try await SweeperTests.makeDue(ledger, 600) }
            let paid = try await ledger.running { running in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            let sweeper = SweeperTests.telling(ledger, ledger.database.pool(TestLedger.schema, size: 1))
                            while try await sweeper.due().expired > 0 { _ = try await sweeper.sweepOnce(limit: 100) }
                            return 0
                        }
                    }
                    for caller in 0..<16 {
                        group.addTask {
                            for _ in 0..<20 {
                                let account = ledger.customers[caller % 8]
                                _ = try await running.submit(
                                    ledger.item(ledger.pay(1, from: account, to: ledger.house))
                                ).receipt
                            }
                            return 20
                        }
                    }
                    return try await group.reduce(0, +)
                }
            }
            #expect(try await SweeperTests.told(ledger) == [3_000, 3_000])
            for account in ledger.customers { #expect(try await ledger.balance(account).reserved == 0) }
            #expect(try await ledger.balance(ledger.house).posted == Int128(paid) - 8_000)
            try await ledger.expectSound()
        }
    }

    @Test func `what can't be told isn't ended`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            try await SweeperTests.makeDue(ledger, 5)
            // Text with a zero byte is refused by the server.
            await #expect(throws: PostgresError.self) {
                _ = try await SweeperTests.telling(ledger, status: "a\0b").sweepOnce()
            }
            #expect(try await ledger.sweeper().due().expired == 5)
            #expect(try await SweeperTests.told(ledger) == [0, 0])
            try await ledger.expectSound()
        }
    }

    @Test func `an account that somebody works on is passed over`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(100)
            try await SweeperTests.makeDue(ledger, 8)
            let swept = try await ledger.owner.withTransaction { transaction in
                _ = try await transaction.query(
                    "select 1 from banking.ledger_accounts where id = \(ledger.customers[0]) for update"
                )
                return try await ledger.sweeper().sweepOnce()
            }
            #expect(swept.expired == 6)
            #expect(try await ledger.balance(ledger.customers[0]).reserved == 2)
            #expect(try await ledger.sweeper().sweepOnce().expired == 2)
        }
    }

    @Test func `a sweep of nothing reads no active reservations`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1)
            _ = try await ledger.owner.query(
                """
                insert into banking.reservations (id, account, operation, kind, amount, created_at, expires_at)
                select gen_random_uuid(), \(ledger.customers[0]), gen_random_uuid(), 'test', 1, now(),
                    now() + interval '1 day'
                from generate_series(1, 20000)
                """
            )
            _ = try await ledger.owner.query("analyze banking.reservations")
            // One session, so that asking it to hand its counts over is enough.
            let pool = ledger.database.pool(TestLedger.schema, size: 1)
            let sweeper = ledger.sweeper(pool)
            let reads: SQL = """
                select t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + (
                    select sum(idx_tup_read) from pg_stat_user_indexes where relid = t.relid)::bigint
                from pg_stat_user_tables t where relid = 'banking.reservations'::regclass
                """
            _ = try await pool.query("select pg_stat_force_next_flush()")
            let before: Int64 = try await ledger.owner.query(reads)[0][0]
            for _ in 0..<20 {
                #expect(try await sweeper.sweepOnce().expired == 0)
                #expect(try await sweeper.due().expired == 0)
                _ = try await pool.query("select pg_stat_force_next_flush()")
            }
            let after: Int64 = try await ledger.owner.query(reads)[0][0]
            #expect(after - before < 20_000, "forty sweeps of 20,000 reservations")
        }
    }
}
