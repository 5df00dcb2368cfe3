import Foundation
import Kernel
import Testing

/// The operators' commands: what they say and how they exit.
@Suite(.serialized)
struct CommandTests {
    private static let commands = [
        "serve", "worker", "dev", "demo", "migrate", "roles", "reservations", "ledger", "inbox", "outbox", "fees",
        "audit",
        "users", "config",
    ]

    @Test func `every command explains itself`() async throws {
        let root = try await Program.run(["--help"])
        #expect(root.status == 0)
        let listed = CommandTests.subcommands(in: root.output)
        #expect(Set(listed).isSuperset(of: CommandTests.commands))
        for command in listed { try await CommandTests.explains([command]) }
    }

    /// Asks a command for help, and all below it.
    private static func explains(_ path: [String]) async throws {
        let help = try await Program.run(path + ["--help"])
        #expect(help.status == 0, "\(path): \(help.errors)")
        #expect(help.output.contains("USAGE: diboas \(path.joined(separator: " "))"), "\(help.output)")
        #expect(help.output.contains("OVERVIEW: "), "\(help.output)")
        for subcommand in subcommands(in: help.output) { try await explains(path + [subcommand]) }
    }

    /// The names that a help lists, which are indented by two.
    private static func subcommands(in help: String) -> [String] {
        let lines = help.components(separatedBy: "\n").drop { $0 != "SUBCOMMANDS:" }.dropFirst()
        return lines.compactMap { line in
            guard line.hasPrefix("  "), let first = line.dropFirst(2).first, first.isLetter, !line.hasPrefix("  See ")
            else { return nil }
            return line.split(separator: " ").first.map(String.init)
        }
    }

    @Test func `an unknown command is refused`() async throws {
        #expect(try await Program.run(["nothing"]).status == 64)
    }

    @Test func `settings that don't exist are refused by name`() async throws {
        let refused = try await Program.run(
            ["config", "check"],
            environment: ["DIBOAS_HTTP_PROT": "1", "DIBOAS_BATCH_MAXIMUM": "2"]
        )
        #expect(refused.status != 0)
        for name in ["DIBOAS_HTTP_PROT", "DIBOAS_BATCH_MAXIMUM"] { #expect(refused.errors.contains(name)) }
        let wrong = try await Program.run(["config", "check"], environment: ["DIBOAS_HTTP_PORT": "many"])
        #expect(wrong.status != 0)
        #expect(wrong.errors.contains("DIBOAS_HTTP_PORT"))
    }

    @Test func `secrets are never shown`() async throws {
        let server = try await SharedServer.get()
        let shown = try await server.command("config", "check")
        #expect(shown.status == 0, "\(shown.errors)")
        for name in ["DIBOAS_CURSOR_SECRET", "DIBOAS_SANDBOX_WEBHOOK_SECRETS"] {
            #expect(shown.output.contains(name))
            #expect(!shown.output.contains(try #require(server.environment[name])))
        }
    }

    @Test func `what is held is listed, released with a reason, and cleaned up`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("held", on: server)
        try await customer.deposit()
        let bank = try await customer.link("wire", token: "tok_late")
        let withdrawal = try await customer.post(
            "/v1/banking/withdrawals",
            ["amount": "50.00", "asset": "USD", "destination": .string(bank)],
            key: UUID().uuidString
        )
        try #require(withdrawal.status == 202, "\(withdrawal.readable)")

        let dry = try await server.command("reservations", "cleanup", "--dry-run", "--json")
        #expect(dry.status == 0, "\(dry.errors)")
        let report = try JSON.parse(Array(dry.output.utf8))
        #expect(report["dry_run"] == true)
        #expect(
            report["domains"]?.elements?.compactMap { $0["domain"]?.stringValue } == ["banking", "investing", "defi"]
        )

        let list = try await server.command("reservations", "list", "--json", "--limit", "1000")
        #expect(list.status == 0, "\(list.errors)")
        #expect(list.output.split(separator: "\n").allSatisfy { (try? JSON.parse(Array($0.utf8))) != nil })
        #expect(list.output.contains("51.00"))
        let table = try await server.command("reservations", "list")
        #expect(table.output.hasPrefix("ID"))
        #expect(try await customer.dollars() == "45.30")
    }

    @Test func `commands name what they can't use`() async throws {
        let server = try await SharedServer.get()
        for (arguments, status, word) in [
            (["reservations", "release", "wrong", "--reason", "x"], 64, "wrong"),
            (
                ["reservations", "release", "rsv_01m7xr0w9rfb286s30ts1kx6zz", "--reason", "x"], 1,
                "rsv_01m7xr0w9rfb286s30ts1kx6zz"
            ),
            (["reservations", "release", "rsv_01m7xr0w9rfb286s30ts1kx6zz"], 64, "--reason"),
            (["reservations", "cleanup", "--limit", "0"], 64, "--limit"),
            (["ledger", "verify", "--domain", "nowhere"], 64, "nowhere"),
            (["ledger", "balance", "somebody"], 64, "somebody"), (["inbox", "list", "lost"], 64, "lost"),
            (["fees", "explain", "wrong"], 1, "wrong"),
        ] {
            let outcome = try await Program.run(arguments, environment: server.environment)
            let comment = Comment("\(arguments): \(outcome.status) \(outcome.errors)")
            #expect(status == 64 ? outcome.status == 64 : outcome.status != 0, comment)
            #expect(outcome.errors.contains(word), comment)
        }
    }

    @Test func `the demo plays against a running server`() async throws {
        // A server of its own: the story registers two customers, and the shared one counts registrations by address.
        let folder = try TemporaryFolder("demo")
        defer { folder.remove() }
        let server = try await RunningServer.start(home: folder.path, settings: ["DIBOAS_DEMO_TRADERS": "on"])
        let played = try await server.command("demo", "--url", "http://127.0.0.1:\(server.port)")
        await server.stop()
        #expect(played.status == 0, "\(played.output) \(played.errors)")
        #expect(played.output.contains("reservation_captured"))
        #expect(played.output.contains("on average"), "bitcoin was bought and sold")
        // On the local chain that `dev` starts: lent at 5 % for a year, and back.
        #expect(played.output.contains("She lends 1000.00 USDC"), "\(played.output)")
        let came = ["1049.9", "1050.0"]
        #expect(came.contains { played.output.contains("worth \($0)") }, "\(played.output)")
        #expect(came.contains { played.output.contains("stopped, \($0)") }, "\(played.output)")
    }

    @Test func `a server without background work takes webhooks in, and stops when told to`() async throws {
        let folder = try TemporaryFolder("serving")
        defer { folder.remove() }
        let server = try await RunningServer.start(home: folder.path, settings: ["DIBOAS_WORKER": "off"])
        let sender = try SandboxSender(server)
        let id = "sbe_" + UUID().uuidString.lowercased()
        let answer = try await sender.send(id, SandboxSender.body(id, "deposit.succeeded", object: "sbo_unknown"))
        #expect(answer.status == 200)
        #expect(await server.stop())
    }

    @Test func `a second start finds the data of the first`() async throws {
        let folder = try TemporaryFolder("restart")
        defer { folder.remove() }
        let first = try await RunningServer.start(home: folder.path)
        let customer = try await Customer.make("kept", on: first)
        try await customer.deposit()
        await first.stop()
        #expect(!first.isAlive)

        // Tokens name the address that they were made at, so the port stays.
        let second = try await RunningServer.start(home: folder.path, port: first.port)
        let again = WireClient(port: second.port)
        let token = try await Customer.signIn(customer.email, again)
        let balances = try await again.send(
            "GET",
            "/v1/banking/balances",
            headers: [("Authorization", "Bearer \(token)")]
        )
        #expect(balances.json["data"]?.elements?.first?["available"]?.stringValue == "96.30", "\(balances.readable)")
        // The session of before the stop holds, too.
        let kept = try await again.send("GET", "/v1/me", headers: [("Authorization", "Bearer \(customer.token)")])
        #expect(kept.status == 200, "\(kept.readable)")
        try await Books.verify(second)
        await second.stop()
    }
}
