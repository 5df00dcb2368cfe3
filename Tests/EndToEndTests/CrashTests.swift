import Foundation
import Glibc
import Kernel
import Synchronization
import Testing

/// Payments under load while the server, and then PostgreSQL, are killed: what was acknowledged is there once, what
/// wasn't is there once or not at all.
///
/// `DIBOAS_CRASH_SECONDS` makes it longer; the number of kills grows with it.
struct CrashTests {
    private static let clients = 8
    private static let cents = 20
    private static let amount = "0.20"
    private static let pauseSeconds = 4.0...7.0

    private static var seconds: Double {
        ProcessInfo.processInfo.environment["DIBOAS_CRASH_SECONDS"].flatMap(Double.init) ?? 24
    }

    /// What the clients know: each key that they sent, and the transaction that an answer acknowledged.
    private final class Journal: Sendable {
        struct Pages {
            var sent: Set<String> = []
            var acknowledged: [String: String] = [:]
            var isOver = false
        }
        let pages = Mutex(Pages())
    }

    @Test(.timeLimit(.minutes(30)))
    func `nothing acknowledged is lost and nothing is done twice`() async throws {
        let folder = try TemporaryFolder("crash")
        defer { folder.remove() }
        var server = try await CrashTests.startedWithRules(home: folder.path)
        let (payer, payee) = (
            try await Customer.make("payer", on: server), try await Customer.make("payee", on: server)
        )
        try await payer.deposit("20000.00")
        let before = Int(try await payer.dollars().replacing(".", with: "")) ?? 0
        let journal = Journal()
        async let load: Void = CrashTests.load(from: payer, to: payee.username, journal)
        do {
            server = try await CrashTests.disturb(server)
        } catch {
            journal.pages.withLock { $0.isOver = true }
            throw error
        }
        journal.pages.withLock { $0.isOver = true }
        await load
        try await CrashTests.settle(journal, from: payer, to: payee.username, before: before, on: server)
        await server.stop()
    }

    /// Whoever pays more often in a day than the usual rules say waits for a person; a server reads its rules every
    /// few seconds only, so it starts again with those of the test.
    private static func startedWithRules(home: String) async throws -> RunningServer {
        let server = try await RunningServer.start(home: home)
        let rules = try await Program.run(
            "/usr/bin/env",
            [
                "psql", try #require(server.environment["DATABASE_URL"]), "-Atc",
                """
                insert into platform.compliance_rule_sets (version, status, parameters, reason, created_by, created_at)
                values (1, 'active', '{"velocity_count": 1000000}', 'payments under load', 'test', now())
                """,
            ]
        )
        try #require(rules.status == 0, "\(rules.errors)")
        await server.kill()
        return try await RunningServer.start(home: home, port: server.port)
    }

    /// Kills and restarts for as long as it is to last; the last kill is PostgreSQL's.
    private static func disturb(_ first: RunningServer) async throws -> RunningServer {
        var server = first
        let end = ContinuousClock.now + .seconds(seconds)
        var kills = 0
        while kills < 2 || ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(Double.random(in: pauseSeconds)))
            await server.kill()
            server = try await RunningServer.start(home: first.home, port: first.port)
            kills += 1
        }
        try await Task.sleep(for: .seconds(Double.random(in: pauseSeconds)))
        let file = try String(contentsOfFile: first.home + "/postgres/data/postmaster.pid", encoding: .utf8)
        let postmaster = try #require(file.split(separator: "\n").first.flatMap { pid_t($0) })
        try #require(Glibc.kill(postmaster, SIGKILL) == 0)
        await server.kill()
        return try await RunningServer.start(home: first.home, port: first.port)
    }

    private static func load(from payer: Customer, to payee: String, _ journal: Journal) async {
        await withDiscardingTaskGroup { group in
            for client in 0..<clients {
                group.addTask {
                    var number = 0
                    while !journal.pages.withLock({ $0.isOver }) {
                        number += 1
                        await send("crash-\(client)-\(number)", from: payer, to: payee, journal)
                    }
                }
            }
        }
    }

    /// Sends a payment once and writes down what is known of it.
    private static func send(_ key: String, from payer: Customer, to payee: String, _ journal: Journal) async {
        journal.pages.withLock { _ = $0.sent.insert(key) }
        if let answer = try? await payer.pay("@\(payee)", amount, key: key), answer.status == 201 {
            journal.pages.withLock { $0.acknowledged[key] = answer.text("id") }
        } else {
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Compares what the clients know with what is there.
    private static func settle(
        _ journal: Journal,
        from payer: Customer,
        to payee: String,
        before: Int,
        on server: RunningServer
    ) async throws {
        let (sent, acknowledged) = journal.pages.withLock { ($0.sent, $0.acknowledged) }
        #expect(acknowledged.count > 20, "there was no load")
        let there = try await payments(of: payer)
        #expect(Set(there).count == there.count)
        #expect(Set(acknowledged.values).count == acknowledged.count, "two keys, one payment")
        let lost = Set(acknowledged.values).subtracting(there)
        #expect(lost.isEmpty, "acknowledged and lost: \(lost)")
        #expect(there.count <= sent.count, "\(there.count) payments for \(sent.count) requests")

        // Each key asked for again leads to its one payment; what was acknowledged, to the one that was.
        var made: Set<String> = []
        for key in sent.sorted() {
            let answer = try await payer.pay("@\(payee)", amount, key: key)
            try #require(answer.status == 201, "\(key): \(answer.readable)")
            if let known = acknowledged[key] { #expect(answer.text("id") == known) }
            made.insert(answer.text("id"))
        }
        #expect(made.count == sent.count)
        #expect(made.isSuperset(of: there), "payments that no key leads to")
        let payments = try await payments(of: payer)
        #expect(Set(payments) == made)
        let fees = try await payer.get("/v1/banking/transactions/\(made.first ?? "")").text("fee").replacing(
            ".",
            with: ""
        )
        let after = Int(try await payer.dollars().replacing(".", with: "")) ?? 0
        #expect(before - after == made.count * (cents + (Int(fees) ?? 0)))
        try await Books.verify(server)
        try await CrashTests.outboxIsDense(server, atLeast: made.count)
    }

    /// All payments that the customer made, by pages.
    private static func payments(of customer: Customer) async throws -> [String] {
        var found: [String] = []
        var path = "/v1/banking/transactions?kind=payment&limit=100"
        for _ in 0..<10_000 {
            let page = try await customer.get(path)
            try #require(page.status == 200, "\(page.readable)")
            found += (page.json["data"]?.elements ?? []).compactMap { $0["id"]?.stringValue }
            guard let cursor = page.json["next_cursor"]?.stringValue else { return found }
            path = "/v1/banking/transactions?kind=payment&limit=100&cursor=\(cursor)"
        }
        Issue.record("more pages than there can be")
        return found
    }

    /// Each aggregate's events are numbered from 1 without a gap, and all are published in the end.
    private static func outboxIsDense(_ server: RunningServer, atLeast events: Int) async throws {
        try await waitUntilPublished(server)
        let url = try #require(server.environment["DATABASE_URL"])
        let count = try await Program.run(
            "/usr/bin/env",
            ["psql", url, "-Atc", "select count(*) from banking.outbox_events"]
        )
        #expect((Int(count.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) >= events, "\(count.errors)")
        for schema in ["platform", "banking"] {
            let gaps = try await Program.run(
                "/usr/bin/env",
                [
                    "psql", url, "-Atc",
                    """
                    select count(*) from (
                        select aggregate_id from \(schema).outbox_events group by aggregate_type, aggregate_id
                        having count(*) <> max(version) or min(version) <> 1) as gaps
                    """,
                ]
            )
            #expect(gaps.status == 0, "\(gaps.errors)")
            #expect(gaps.output == "0\n", "\(schema): \(gaps.output)")
        }
    }

    /// Waits until every domain has published what it has to tell.
    private static func waitUntilPublished(_ server: RunningServer) async throws {
        let deadline = ContinuousClock.now + .seconds(180)
        var last = ""
        while ContinuousClock.now < deadline {
            let backlog = try await server.command("outbox", "backlog")
            let rows = backlog.output.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
            if backlog.status == 0, !rows.isEmpty, rows.allSatisfy({ $0.count > 2 && $0[1] == "0" && $0[2] == "0" }) {
                return
            }
            last = backlog.output + backlog.errors
        }
        Issue.record("not published: \(last)")
    }
}
