import Foundation
@testable import Investing
import Kernel
import Ledger
import MatchingEngine
import PostgreSQL
import TestSupport
import Testing

/// What it costs to read all open orders, and what a batch costs that isn't stored.
///
/// `DIBOAS_RECOVERY_ORDERS` says how many orders rest; with a million of them it prints what it measured.
@Suite struct RecoveryTests {
    private static let orders = ProcessInfo.processInfo.environment["DIBOAS_RECOVERY_ORDERS"].flatMap(Int.init)
    /// Each has as many orders as the others.
    private static let traders = 1_000
    /// However many orders rest, up to a million of them.
    private static let secondsMax = 10.0

    private static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = ContinuousClock.now
        try await body()
        let passed = (ContinuousClock.now - start).components
        return Double(passed.seconds) + Double(passed.attoseconds) / 1e18
    }

    @Test func `all open orders are read within seconds, a failed batch doesn't read them`() async throws {
        let count = RecoveryTests.orders ?? 20_000
        try await TradingWorld.with { world in
            let alice = try await world.trader()
            try await RecoveryTests.rest(count, world)
            // The first batch reads them all.
            let reading = try await RecoveryTests.seconds {
                await world.desk.lead(try await world.lease.take())
                _ = try await world.depth()
            }
            #expect(reading < RecoveryTests.secondsMax, "\(count) orders were read in \(reading) s")
            let first = await world.desk.identity
            let plain = Ledger(schema: TradingWorld.schema, pool: world.pool)
            try await world.place(alice, world.ticket(alice, .buy, 1, at: 4_000_000))
            let freeze = LedgerItem(operation: world.ids.next(), commands: [.freeze(alice.quote, because: nil)])
            _ = try await plain.submit(batch: [freeze])
            let failing = await RecoveryTests.seconds {
                // Sweeps fifty levels, and is not stored.
                await #expect(throws: BatchConflict.self) {
                    try await world.place(alice, world.ticket(alice, .buy, 50, at: 5_100_000))
                }
            }
            #expect(await world.desk.identity == first, "all was read anew")
            let again = try await RecoveryTests.seconds {
                let answer = try await world.place(alice, world.ticket(alice, .buy, 50, at: 5_100_000))
                #expect(answer.body["status"]?.stringValue == "filled", "\(answer)")
            }
            if RecoveryTests.orders != nil {
                print("\(count) orders: read in \(reading) s; a batch: failed in \(failing) s, stored in \(again) s")
            }
            #expect(failing < max(1, reading / 10), "a failed batch took \(failing) s, reading all \(reading) s")
            guard RecoveryTests.orders == nil else { return }
            #expect(try await world.desk.differences(TradingWorld.schema, world.pool).isEmpty)
        }
    }

    /// Has sell orders of one lot rest at twenty thousand prices.
    private static func rest(_ count: Int, _ world: TradingWorld) async throws {
        let owner = "'01900000-0000-7000-8000-' || lpad(to_hex(%), 12, '0')"
        func id(_ kind: Int, _ number: String) -> String {
            let time = "lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0')"
            return "(\(time) || '7000800\(kind)' || lpad(to_hex(\(number)), 12, '0'))::uuid"
        }
        func user(_ number: String) -> String { "(\(owner.replacing("%", with: number)))::uuid" }
        let script = """
            insert into investing.accounts (id, user_id, type, ledger_kind, created_at, updated_at)
            select \(user("n")), \(user("n")), 'brokerage', 'trading', now(), now()
            from generate_series(1, \(traders)) n;
            insert into investing.ledger_accounts (id, owner, kind, asset, posted, reserved)
            select gen_random_uuid(), \(user("n")), 'trading', asset, 10000::numeric * \(count),
                case asset when 'BTC' then 10000::numeric * \(count / traders) else 0 end
            from generate_series(1, \(traders)) n, unnest(array['BTC', 'USDC']) asset;
            insert into investing.reservations (id, account, operation, kind, amount, created_at)
            select \(id(1, "n")), a.id, \(id(2, "n")), 'order', 10000, now()
            from generate_series(1, \(count)) n
            join investing.ledger_accounts a
                on a.owner = \(user("n % \(traders) + 1")) and a.kind = 'trading' and a.asset = 'BTC';
            insert into investing.orders (id, account, market, side, type, time_in_force, is_post_only,
                self_trade_prevention, price, quantity, status, remaining, maker_rate, taker_rate, fee_schedules,
                reservation, number, priority, version, created_at, updated_at)
            select \(id(2, "n")), \(user("n % \(traders) + 1")), 1, 'sell', 'limit', 'gtc', false, 'expire_taker',
                5000000 + n % 20000, 1, 'new', 1, 1000000, 1500000, '[]', \(id(1, "n")), n, n, 1, now(), now()
            from generate_series(1, \(count)) n;
            analyze investing.orders, investing.accounts, investing.ledger_accounts, investing.reservations;
            """
        _ = try await world.database.pool(nil).withConnection { connection in
            _ = try await connection.query("set statement_timeout to 0")
            return try await connection.execute(script: script)
        }
    }
}
