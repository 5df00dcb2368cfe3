import Foundation
import Kernel
import Testing

/// A customer is identified by documents, and officers decide by commands.
struct IdentificationStoryTests {
    private static let place = "/v1/me/identity/applications"

    @Test func `a customer applies, is asked for more, and has the full level once two officers agree`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("nova", on: server, isVerified: false)
        let opened = try await customer.post(
            Self.place,
            [
                "level": "full", "legal_name": "Nova Okoye", "birth_date": "1990-01-02", "nationality": "PT",
                "address": "Rua 1, Porto",
            ]
        )
        let id = opened.text("id")
        try #require(opened.status == 201, "\(opened.readable)")
        for kind in ["passport", "proof_of_address"] {
            let added = try await customer.send(
                "PUT",
                "\(Self.place)/\(id)/documents/\(kind)",
                body: Array("%PDF-1.7 nova".utf8),
                headers: [("Content-Type", "application/octet-stream")]
            )
            #expect(added.status == 200, "\(added.readable)")
        }
        try await Self.submit(id, customer)
        let (first, second) = (try await Self.officer(server), try await Self.officer(server))
        let listed = try await server.command("compliance", "kyc", "list", "--json")
        #expect(listed.status == 0 && listed.output.contains(id), "\(listed.errors)")
        #expect(try await Self.decide("return", id, first, server) == "incomplete")
        // A name alone doesn't do for who has begun with documents.
        let named = try await customer.post("/v1/me/verification", ["name": "Nova Okoye"])
        #expect(named.status == 409, "\(named.readable)")
        try await Self.submit(id, customer)
        #expect(try await Self.decide("approve", id, first, server) == "submitted")
        #expect(try await Self.decide("approve", id, first, server) == nil)
        #expect(try await Self.decide("approve", id, second, server) == "approved")
        let level = try await customer.get("/v1/me/identity")
        #expect(level.text("level") == "full" && level.text("status") == "approved", "\(level.readable)")
        let shown = try await server.command("compliance", "kyc", "show", id)
        #expect(shown.status == 0 && shown.output.contains("approved"))
        #expect(!shown.output.contains("Nova"))
        let nobody = try await server.command("compliance", "kyc", "show", "kyc_x")
        #expect(nobody.status != 0)
    }

    @Test func `who isn't an officer decides nothing`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("vera", on: server)
        let staff = try await Self.officer(server, role: "operator")
        #expect(try await Self.decide("approve", "kyc_00000000000000000000000001", staff, server) == nil)
        let queue = try await customer.get("/v1/operator/identity/applications")
        #expect(queue.status == 403, "\(queue.readable)")
    }

    private static func submit(_ id: String, _ customer: Customer) async throws {
        let submitted = try await customer.post("\(place)/\(id)/submission", [:])
        #expect(submitted.text("status") == "submitted", "\(submitted.readable)")
    }

    /// Makes a member of staff, and answers with the username.
    private static func officer(_ server: RunningServer, role: String = "compliance_officer") async throws -> String {
        let name = "officer" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let made = try await Program.run(
            ["users", "create-operator", "\(name)@example.com", "--username", name, "--role", role],
            environment: server.environment,
            input: Customer.password + "\n"
        )
        try #require(made.status == 0, "\(made.errors)")
        return name
    }

    /// What the application is after a decision by a command; nil where the command is refused.
    private static func decide(
        _ decision: String,
        _ id: String,
        _ officer: String,
        _ server: RunningServer
    ) async throws -> String? {
        let made = try await server.command(
            "compliance",
            "kyc",
            decision,
            id,
            "--by",
            officer,
            "--reason",
            "As the papers say."
        )
        guard made.status == 0 else { return nil }
        return try JSON.parse(Array(made.output.utf8))["status"]?.stringValue
    }
}
