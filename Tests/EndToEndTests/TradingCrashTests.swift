import Foundation
import Kernel
import Testing

/// Orders under load while what carries them is killed: what was acknowledged is there once, what wasn't is there once
/// or not at all, and all books agree.
///
/// `DIBOAS_CRASH_SECONDS` makes it longer; the number of blows grows with it.
@Suite(.serialized)
struct TradingCrashTests {
    /// What is broken, again and again.
    enum Blow: String, CaseIterable, Sendable {
        /// The only server is killed, and started again.
        case server
        /// Of two processes the one that writes is killed; the other takes over.
        case writer
        /// Of two processes the one that writes stands still until the other has taken over, and then goes on.
        case pause
        /// PostgreSQL is killed, and started again.
        case postgres

        var processes: Int { self == .server ? 1 : 2 }
    }

    private static let blowsMin = 2
    private static let pauseSeconds = 1.0...3.0
    private static let repeatsAtOnce = 8

    private static var seconds: Double {
        ProcessInfo.processInfo.environment["DIBOAS_CRASH_SECONDS"].flatMap(Double.init) ?? 6
    }

    @Test(.timeLimit(.minutes(30)), arguments: Blow.allCases)
    func `no order is lost, none is done twice, and the books agree`(blow: Blow) async throws {
        try await Site.with(processes: blow.processes) { site in
            let load = try await OrderLoad.make(on: site)
            async let running: Void = load.run(on: site)
            do {
                try await TradingCrashTests.strike(blow, site, load)
            } catch {
                load.end()
                throw error
            }
            load.end()
            await running
            try await TradingCrashTests.settle(load, on: site)
        }
    }

    private static func strike(_ blow: Blow, _ site: Site, _ load: OrderLoad) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        var blows = 0
        while blows < blowsMin || ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(Double.random(in: pauseSeconds)))
            let before = load.acknowledged
            switch blow {
            case .server:
                await site.kill(0)
                try await site.restart(0)
            case .writer:
                let writer = try await site.waitForWriter().place
                await site.kill(writer)
                try await takeOver(from: writer, site)
                try await site.restart(writer)
            case .pause:
                let writer = try await site.waitForWriter().place
                await site.processes[writer].freeze(true)
                try await takeOver(from: writer, site)
                await site.processes[writer].freeze(false)
            case .postgres: try await site.restartPostgres()
            }
            try await waitForMore(than: before, load)
            blows += 1
        }
    }

    private static func takeOver(from writer: Int, _ site: Site) async throws {
        let (_, seconds) = try await site.waitForWriter(other: writer)
        #expect(seconds < Site.takeoverSecondsMax, "nobody wrote for \(seconds) s")
    }

    /// Waits until orders are taken again.
    private static func waitForMore(than before: Int, _ load: OrderLoad) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while load.acknowledged < before + 10 {
            try #require(ContinuousClock.now < end, "no orders are taken any more")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: What must hold

    private static func settle(_ load: OrderLoad, on site: Site) async throws {
        let told = load.orders
        #expect(told.values.count { !$0.ids.isEmpty } > 50, "there was no load")
        #expect(told.values.contains { $0.isPair && !$0.ids.isEmpty }, "there were no pairs")
        _ = try await site.waitForWriter()
        let made = try await repeatAll(told, load, await site.processes)
        let server = await site.processes[0]

        let stored = try await server.sql("select id from investing.orders order by id")
        let wanted = told.values.reduce(0) { $0 + ($1.isPair ? 2 : 1) }
        let ids = try Set(made.values.joined().map { try #require(ID<AnyOrder>(wire: $0)).description })
        #expect(ids.count == wanted, "two keys, one order")
        #expect(Set(stored) == ids, "orders that no key leads to, or that were lost")
        #expect(stored.count == wanted)
        try await checkPromises(load, server)
        for (rule, broken) in TradingRules.all {
            let rows = try await server.sql(broken)
            #expect(rows.isEmpty, "\(rule): \(rows.prefix(3))")
        }
        for process in await site.processes { try await compareBook(load, process) }
        try await endAll(load, on: site)
        try await Books.verify(server)
    }

    /// What is open can be ended, the orders that wait and both legs of pairs too, and then nothing is held.
    private static func endAll(_ load: OrderLoad, on site: Site) async throws {
        let server = await site.processes[0]
        let open = try await server.sql("select count(*) from investing.orders where ended_at is null")
        let writer = try await site.waitForWriter().place
        #expect(String(try await load.cancelAll(at: await site.processes[writer])) == open.first)
        for (rule, broken) in TradingRules.all + TradingRules.afterTheEnd {
            let rows = try await server.sql(broken)
            #expect(rows.isEmpty, "after the end, \(rule): \(rows.prefix(3))")
        }
        for process in await site.processes { try await compareBook(load, process) }
    }

    /// Each key again leads to its one order; what was acknowledged, to the one that was.
    private static func repeatAll(
        _ told: [String: OrderLoad.Sent],
        _ load: OrderLoad,
        _ servers: [RunningServer]
    ) async throws -> [String: [String]] {
        var made: [String: [String]] = [:]
        var rest = told.sorted { $0.key < $1.key }[...]
        while !rest.isEmpty {
            let some = rest.prefix(repeatsAtOnce)
            rest = rest.dropFirst(some.count)
            try await withThrowingTaskGroup(of: (String, [String]).self) { group in
                for (number, (key, order)) in some.enumerated() {
                    group.addTask {
                        let server = servers[number % servers.count]
                        for _ in 0..<150 {
                            if let ids = await load.place(key, order.body, order.trader, at: server) {
                                return (key, ids)
                            }
                            try await Task.sleep(for: .milliseconds(200))
                        }
                        throw RunningServer.Failure(what: "\(key) isn't answered")
                    }
                }
                for try await (key, ids) in group {
                    if let known = told[key]?.ids, !known.isEmpty {
                        #expect(ids == known, "\(key) leads to another order")
                    }
                    made[key] = ids
                }
            }
        }
        return made
    }

    /// What an answer said of an order is still so or has gone on, and what was canceled has ended.
    private static func checkPromises(_ load: OrderLoad, _ server: RunningServer) async throws {
        let (sent, told) = (load.orders, load.answers)
        let canceled = Set(sent.values.filter(\.isCanceled).flatMap(\.ids))
        func hundredths(_ amount: String) -> Int { Int(amount.replacing(".", with: "")) ?? -1 }
        var met = 0
        let columns = "id, traded, quantity, version, status"
        for row in try await server.sql("select \(columns) from investing.orders where quantity is not null") {
            let words = row.split(separator: "|").map(String.init)
            guard words.count == 5, let id = ID<AnyOrder>(uuid: words[0])?.wire else { continue }
            if canceled.contains(id) { #expect(!["new", "partially_filled"].contains(words[4]), "\(id) is open") }
            guard let answer = told[id], let version = Int(words[3]) else { continue }
            met += 1
            #expect(version >= answer.version, "\(id): what was answered is undone")
            #expect((Int(words[1]) ?? 0) >= hundredths(answer.filled), "\(id) had traded \(answer.filled)")
            if version == answer.version { #expect(Int(words[2]) == hundredths(answer.quantity), "\(id)") }
        }
        #expect(met == told.count, "orders that were answered and aren't there")
    }

    private static func compareBook(_ load: OrderLoad, _ server: RunningServer) async throws {
        let answer = try await load.trader(0, at: server).get(
            "/v1/investing/markets/\(OrderLoad.symbol)/depth?limit=1000"
        )
        try #require(answer.status == 200, "\(answer.readable)")
        for (side, name, order) in [("buy", "bids", "desc"), ("sell", "asks", "asc")] {
            let stored = try await server.sql(
                """
                select trim_scale(price * 0.0001) || ' ' || trim_scale(sum(remaining) * 0.01) from investing.orders
                where ended_at is null and side = '\(side)' and (type = 'limit' or is_triggered)
                group by price order by price \(order)
                """
            )
            let shown = (answer.json[name]?.elements ?? []).map { level in
                (level.elements ?? []).map { plain($0.stringValue ?? "") }.joined(separator: " ")
            }
            #expect(shown == stored, "\(name)")
        }
    }

    /// A decimal without zeros at its end.
    private static func plain(_ decimal: String) -> String {
        guard decimal.contains(".") else { return decimal }
        let digits = decimal.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(digits.reversed())
    }
}

/// The kind of an order's id.
private enum AnyOrder: Entity {
    static let idPrefix = "ord"
}

/// Queries of which each finds what breaks its rule.
enum TradingRules {
    /// What holds when everything was ended.
    static let afterTheEnd: [(String, String)] = [
        ("no order is open", "select id from investing.orders where ended_at is null"),
        ("no money is held", "select id from investing.reservations where state = 'active'"),
        ("no account holds anything", "select id from investing.ledger_accounts where reserved <> 0"),
    ]

    static let all: [(String, String)] = [
        (
            "an order has traded what its trades say",
            """
            select o.id from investing.orders o left join (
                select id, sum(quantity) as quantity, sum(quote) as quote, sum(fee) as fee from (
                    select taker_order as id, quantity, quote_amount as quote, taker_fee as fee from investing.trades
                    union all
                    select maker_order, quantity, quote_amount, maker_fee from investing.trades) as fills
                group by id) as f on f.id = o.id
            where (o.traded, o.quote_traded, o.fee)
                <> (coalesce(f.quantity, 0), coalesce(f.quote, 0), coalesce(f.fee, 0))
            """
        ),
        (
            "trades are numbered without gaps",
            """
            select 1 from investing.markets m
            where m.trades <> (select coalesce(max(number), 0) from investing.trades t where t.market = m.id)
                or m.trades <> (select count(*) from investing.trades t where t.market = m.id)
            """
        ),
        (
            "money is held for open orders alone",
            """
            select r.id from investing.reservations r
            where (r.state = 'active') <> exists (
                select 1 from investing.orders o where o.reservation = r.id and o.ended_at is null)
            """
        ),
        (
            "of a pair both were taken in",
            "select list from investing.orders where list is not null group by list having count(*) <> 2"
        ),
        (
            "a pair trades no more than it is for, and both of its open legs are for what is left",
            """
            select list from investing.orders where list is not null group by list
            having sum(traded) > max(quantity) or max(remaining) <> min(remaining) and bool_and(ended_at is null)
            """
        ),
        (
            "a leg is open alone only once it was triggered",
            """
            select o.list from investing.orders o
            join investing.orders other on other.list = o.list and other.id <> o.id
            where o.ended_at is null and other.ended_at is not null and not o.is_triggered
            """
        ),
        (
            "the income is the sum of the fees",
            """
            select 1 from investing.ledger_accounts a
            where a.kind = 'fee_income:trading' and a.asset = 'USDC'
                and a.posted <> (select coalesce(sum(taker_fee + maker_fee), 0) from investing.trades)
            """
        ),
        (
            "an account's news is numbered without gaps",
            """
            select a.id from investing.accounts a left join (
                select aggregate_id, count(*) as news, max(version) as last, count(distinct version) as numbers
                from investing.outbox_events where aggregate_type = 'trading_account' group by 1) as n
                on n.aggregate_id = a.id
            where (coalesce(n.news, 0), coalesce(n.last, 0), coalesce(n.numbers, 0)) <> (a.events, a.events, a.events)
            """
        ),
        (
            "the volume of klines is that of their trades",
            """
            select k.period from investing.klines k
            group by k.market, k.period
            having (sum(k.volume), sum(k.quote_volume), sum(k.trades)) <> (
                select sum(t.quantity) * m.lot, sum(t.quote_amount), count(*)
                from investing.trades t join investing.markets m on m.id = t.market where t.market = k.market
                group by m.lot)
            """
        ),
    ]
}
