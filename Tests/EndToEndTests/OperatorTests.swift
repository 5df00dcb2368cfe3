import Foundation
import Kernel
import Testing

/// What operators ask of the ledger and of fees, for people and for programs.
@Suite(.serialized)
struct OperatorTests {
    /// The lines of a command's output as JSON.
    private static func json(_ server: RunningServer, _ arguments: [String]) async throws -> [JSON] {
        let outcome = try await Program.run(arguments + ["--json"], environment: server.environment)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
    }

    @Test func `accounts, statements, transfers and balances of the past are read back`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("ledger", on: server)
        let before = Timestamp(seconds: SystemClock().now().seconds).description
        try await customer.deposit()

        let balance = try #require(try await Self.json(server, ["ledger", "balance", customer.id]).first)
        #expect(balance["available"] == "96.30" && balance["kind"] == "checking")
        let account = try #require(balance["account"]?.stringValue)
        let listed = try await Self.json(server, ["ledger", "accounts", "--owner", customer.id])
        #expect(listed.contains { $0["id"]?.stringValue == account && $0["total"] == "96.30" })
        #expect(
            try await Self.json(server, ["ledger", "accounts", account])
                == listed.filter { $0["id"] == .string(account) }
        )

        let entries = try await Self.json(server, ["ledger", "statement", account])
        let entry = try #require(entries.first)
        #expect(entry["after"] == "96.30" && entry["asset"] == "USD")
        let transfer = try #require(entry["transfer"]?.stringValue)
        let legs = try await Self.json(server, ["ledger", "transfer", transfer])
        #expect(legs.count == 2 && legs.contains(entry))

        let now = try #require(try await Self.json(server, ["ledger", "balance", account]).first)
        #expect(now["total"] == "96.30")
        let past = try #require(try await Self.json(server, ["ledger", "balance", account, "--as-of", before]).first)
        #expect(past["total"] == "0.00" && past["as_of"]?.stringValue == before)
        let people = try await server.command("ledger", "statement", account, "--limit", "1")
        #expect(people.status == 0 && people.output.hasPrefix("AT") && people.output.contains("96.30"))
        #expect(
            try await Self.json(server, ["ledger", "trial-balance"]).allSatisfy {
                $0["sum"]?.stringValue?.hasPrefix("0") == true
            }
        )
    }

    @Test func `money that is held by hand is shown, released once, and said to be free`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("frozen", on: server)
        try await customer.deposit()
        let held = try await server.command(
            "banking",
            "freeze",
            customer.id,
            "USD",
            "--amount",
            "5.00",
            "--reason",
            "a question"
        )
        try #require(held.status == 0, "\(held.errors)")
        let id = try #require(held.output.split(separator: " ").last.map { String($0.dropLast(2)) })
        let shown = try #require(try await Self.json(server, ["reservations", "show", id]).first)
        #expect(shown["held"] == "5.00" && shown["state"] == "active" && shown["expires_at"] == .null)
        #expect(try await customer.dollars() == "91.30")
        let people = try await server.command("reservations", "show", id)
        #expect(people.output.contains("manual_freeze"))

        let released = try await server.command("reservations", "release", id, "--reason", "answered")
        #expect(released.status == 0 && released.output == "5.00 USD is available again.\n", "\(released.errors)")
        #expect(try await customer.dollars() == "96.30")
        let again = try await server.command("reservations", "release", id, "--reason", "answered")
        #expect(again.status == 1 && again.errors.contains("\(id) is released already."), "\(again.errors)")
    }

    @Test func `a schedule is checked, published, shown and closed`() async throws {
        let server = try await SharedServer.get()
        let folder = try TemporaryFolder("fees")
        defer { folder.remove() }
        let file = folder.path + "/schedule.json"
        let operation = "banking.trial_" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let schedule = """
            {"operation": "\(operation)", "asset": "USD", "effective_from": "2026-01-01T00:00:00.000000Z",
             "rules": [{"rule": "trial", "category": "platform", "text": "Trial", "terms": [{"flat": "0.10"}]}]}
            """
        try schedule.write(toFile: file, atomically: false, encoding: .utf8)
        let list = ["fees", "list", "--operation", operation, "--all"]
        let dry = try await server.command("fees", "publish", file, "--reason", "a trial", "--dry-run")
        #expect(dry.status == 0 && dry.output.contains("version 1 can be published"), "\(dry.errors)")
        #expect(try await Self.json(server, list).isEmpty)

        let published = try await server.command("fees", "publish", file, "--reason", "a trial", "--break-glass")
        #expect(published.status == 0, "\(published.errors)")
        let found = try #require(try await Self.json(server, list).first)
        let id = try #require(found["id"]?.stringValue)
        #expect(published.output.contains(id) && found["version"] == .integer(1) && found["effective_to"] == .null)
        let shown = try await server.command("fees", "show", id)
        #expect(try JSON.parse(Array(shown.output.utf8)) == found)

        let alone = try await server.command("fees", "publish", file, "--reason", "a trial")
        #expect(alone.status == 64 && alone.errors.contains("--operator"), "\(alone.errors)")
        // The same file again is version 2, which would have to begin before the first was published.
        let twice = try await server.command("fees", "publish", file, "--reason", "a trial", "--break-glass")
        #expect(twice.status == 1 && twice.errors.contains("Another version is in force"), "\(twice.errors)")
        let closing = ["fees", "close", id, "--reason", "the trial is over"]
        let lonely = try await Program.run(closing, environment: server.environment)
        #expect(lonely.status == 64 && lonely.errors.contains("--operator"), "\(lonely.errors)")
        let closed = try await Program.run(closing + ["--break-glass"], environment: server.environment)
        #expect(closed.status == 0 && closed.output.hasPrefix("\(id) ends at "), "\(closed.errors)")
        #expect(try await server.command("fees", "close", id, "--reason", "again", "--break-glass").status == 1)
        let noted = try await server.sql(
            """
            select action from platform.audit_log
            where entity = 'fee_schedule' and actor like 'operator:%' and after::text like '%\(id)%' order by id
            """
        )
        #expect(noted == ["break_glass.fee_schedule_published", "break_glass.fee_schedule_closed"])
        try schedule.replacing("0.10", with: "0.105").write(toFile: file, atomically: false, encoding: .utf8)
        let wrong = try await server.command("fees", "publish", file, "--reason", "a trial", "--break-glass")
        #expect(wrong.status == 1 && wrong.errors.contains("/rules/0/terms/0/flat"), "\(wrong.errors)")
        try await Books.verify(server)
    }

    private static let refused: [(arguments: [String], status: Int32)] = [
        (["ledger", "balance", "acct_01m7xr0w9rfb286s30ts1kx6zz"], 1), (["ledger", "accounts", "wrong"], 64),
        (["ledger", "statement", "acct_01m7xr0w9rfb286s30ts1kx6zz"], 1), (["ledger", "statement", "wrong"], 64),
        (["ledger", "transfer", "tfr_01m7xr0w9rfb286s30ts1kx6zz"], 1), (["ledger", "transfer", "wrong"], 64),
        (["ledger", "accounts", "--limit", "0"], 64), (["reservations", "show", "wrong"], 64),
        (["reservations", "show", "rsv_01m7xr0w9rfb286s30ts1kx6zz"], 1), (["fees", "show", "wrong"], 64),
        (["fees", "show", "fsch_01m7xr0w9rfb286s30ts1kx6zz"], 1), (["fees", "close", "wrong", "--reason", "x"], 64),
        (["fees", "close", "fsch_01m7xr0w9rfb286s30ts1kx6zz", "--reason", "x", "--break-glass"], 1),
        (["fees", "publish", "/nowhere.json", "--reason", "x"], 64), (["fees", "publish", "/nowhere.json"], 64),
    ]

    @Test(arguments: refused)
    func `mistakes and refusals differ by their exit codes`(arguments: [String], status: Int32) async throws {
        let server = try await SharedServer.get()
        let outcome = try await Program.run(arguments, environment: server.environment)
        #expect(outcome.status == status, "\(outcome.output) \(outcome.errors)")
        #expect(!outcome.errors.isEmpty)
    }

    @Test func `a database that is away is an exit code of its own`() async throws {
        let server = try await SharedServer.get()
        var environment = server.environment
        environment["DATABASE_URL"] = "postgresql:///diboas?host=/nowhere"
        for arguments in [
            ["ledger", "verify"], ["reservations", "cleanup"], ["fees", "list"], ["outbox", "backlog"],
        ] {
            let outcome = try await Program.run(arguments, environment: environment)
            #expect(outcome.status == 69, "\(arguments): \(outcome.status) \(outcome.errors)")
            #expect(outcome.errors.contains("can't be reached"), "\(outcome.errors)")
        }
    }
}
