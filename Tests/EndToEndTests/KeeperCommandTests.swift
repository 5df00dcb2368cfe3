import Foundation
import Kernel
import Testing

/// Commands of those who keep the keys and the archives, while the server goes on.
@Suite(.serialized)
struct KeeperCommandTests {
    private static func json(_ server: RunningServer, _ arguments: [String]) async throws -> [JSON] {
        let outcome = try await Program.run(arguments + ["--json"], environment: server.environment)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try outcome.output.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
    }

    @Test func `a new master key wraps every user's key, and what was encrypted is read on`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("keeper", on: server)
        let place = "/v1/me/identity/applications"
        let opened = try await customer.post(
            place,
            ["level": "basic", "legal_name": "Kee Per", "birth_date": "1990-01-02", "nationality": "PT"]
        )
        let passport = "\(place)/\(opened.text("id"))/documents/passport"
        let document = Array("%PDF-1.7 kept".utf8)
        let added = try await customer.send(
            "PUT",
            passport,
            body: document,
            headers: [("Content-Type", "application/octet-stream")]
        )
        try #require(added.status == 200, "\(added.readable)")
        let before = try #require(try await Self.json(server, ["keys", "status"]).first?["current"]?.stringValue)
        let made = try await server.command("keys", "add")
        #expect(made.status == 0 && made.output.contains("wraps from now on"), "\(made.errors)")
        for options in [[], ["--data"], ["--lookup"]] {
            let done = try await Program.run(["keys", "rotate"] + options, environment: server.environment)
            #expect(done.status == 0 && done.output.contains(" 0 left"), "\(done.output) \(done.errors)")
        }
        let status = try #require(try await Self.json(server, ["keys", "status"]).first)
        let current = try #require(status["current"]?.stringValue)
        let wrapping = (status["masters"]?.elements ?? []).filter { $0["keys"] != .integer(0) }
        #expect(current != before && wrapping.map { $0["name"]?.stringValue } == [current], "\(status)")
        #expect(status["lookups"]?.elements?.count == 1, "\(status)")
        #expect(try await customer.get(passport).body == document)
        let wrong = try await server.command("keys", "rotate", "--data", "--made-before", "yesterday")
        #expect(wrong.status == 64, "\(wrong.errors)")
        #expect(try await server.command("keys", "remove", "99").status == 64)
    }

    @Test func `what is kept is shown, held and let go`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("kept", on: server)
        let policies = try await Self.json(server, ["retention", "policies"])
        let audit = policies.first { $0["table"] == "platform.audit_log" }
        #expect(audit?["method"] == "archive" && audit?["keep"]?.stringValue != nil, "\(policies)")
        let hold = ["retention", "hold", "--reason", "a court asks"]
        let neither = try await Program.run(hold, environment: server.environment)
        #expect(neither.status == 64, "\(neither.errors)")
        let held = try await Program.run(hold + ["--user", customer.id], environment: server.environment)
        let id = held.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(held.status == 0 && id.hasPrefix("hld_"), "\(held.errors)")
        #expect(try await server.command("retention", "holds").output.contains(customer.id))
        for command in ["plan", "run", "archives"] { _ = try await Self.json(server, ["retention", command]) }
        let released = try await server.command("retention", "release", id, "--reason", "it is over")
        #expect(released.status == 0, "\(released.errors)")
        #expect(try await server.command("retention", "holds").output.contains(customer.id) == false)
        #expect(try await server.command("retention", "release", id, "--reason", "again").status != 0)
        #expect(try await server.command("retention", "restore", "platform.audit_log_190001").status != 0)
        #expect(try await server.command("retention", "restore", "nothing").status == 64)
    }
}
