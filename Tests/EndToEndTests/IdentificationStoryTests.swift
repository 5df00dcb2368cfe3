import Crypto
import Foundation
import Kernel
import Testing

/// A customer is identified by documents, and officers decide by commands.
struct IdentificationStoryTests {
    private static let place = "/v1/me/identity/applications"

    @Test func `a customer whom officers take over from the vendor has the full level once two agree`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("nova", on: server, isVerified: false)
        let id = try await Self.applied(customer)
        let (first, second) = (try await Self.officer(server), try await Self.officer(server))
        #expect(try await Self.decide("return", id, first, server) == "incomplete")
        let bare = try await customer.post("\(Self.place)/\(id)/submission", [:])
        Problems.check(bare, 422, "documents_missing", "an application without documents")
        for kind in ["passport", "proof_of_address"] {
            let added = try await customer.send(
                "PUT",
                "\(Self.place)/\(id)/documents/\(kind)",
                body: Array("%PDF-1.7 nova".utf8),
                headers: [("Content-Type", "application/octet-stream")]
            )
            #expect(added.status == 200, "\(added.readable)")
        }
        // A name alone doesn't do for who has begun with documents.
        let named = try await customer.post("/v1/me/verification", ["name": "Nova Okoye"])
        #expect(named.status == 409, "\(named.readable)")
        try await Self.submit(id, customer)
        let listed = try await server.command("compliance", "kyc", "list", "--json")
        #expect(listed.status == 0 && listed.output.contains(id), "\(listed.errors)")
        #expect(try await Self.decide("approve", id, first, server) == "submitted")
        #expect(try await Self.decide("approve", id, first, server) == nil)
        #expect(try await Self.decide("approve", id, second, server) == "approved")
        let level = try await customer.get("/v1/me/identity")
        #expect(level.text("level") == "full" && level.text("status") == "approved", "\(level.readable)")
        let shown = try await server.command("compliance", "kyc", "show", id)
        #expect(shown.status == 0 && shown.output.contains("approved"))
        #expect(!shown.output.contains("Nova"))
        let alone = try await server.command("compliance", "kyc", "reject", id, "--by", first, "--reason", "no")
        #expect(alone.status == 64 && alone.errors.contains("--break-glass"), "\(alone.errors)")
        // Who typed the commands is in the audit log, as somebody who went around the sign-in.
        let noted = try await server.sql(
            """
            select distinct actor like 'operator:%' from platform.audit_log
            where action = 'break_glass.kyc_decided'
                and entity_id in (select id from platform.kyc_applications where user_id = '\(try customer.uuid)')
            """
        )
        #expect(noted == ["t"])
        let nobody = try await server.command("compliance", "kyc", "show", "kyc_x")
        #expect(nobody.status != 0)
    }

    @Test func `a vendor's signed word identifies a customer, and a forged one nobody`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("iris", on: server, isVerified: false)
        let id = try await Self.applied(customer)
        let body: JSON = [
            "data": [
                "id": .string("evt_" + id),
                "attributes": [
                    "name": "inquiry.approved", "created-at": "2026-11-20T08:00:00.000Z",
                    "payload": ["data": ["attributes": ["reference-id": .string(id)]]],
                ],
            ]
        ]
        let bytes = body.serialized()
        let forged = try await Self.tell(bytes, secret: "wbhsec_another", customer)
        Problems.check(forged, 401, "signature_mismatch", "a forged word")
        let told = try await Self.tell(bytes, secret: SharedServer.personaSecret, customer)
        #expect(told.status == 200 && told.text("status") == "stored", "\(told.readable)")
        let again = try await Self.tell(bytes, secret: SharedServer.personaSecret, customer)
        #expect(again.text("status") == "duplicate", "\(again.readable)")
        let level = try await customer.wait("/v1/me/identity", until: ["approved"])
        #expect(level.text("level") == "full", "\(level.readable)")
    }

    private static func tell(_ body: [UInt8], secret: String, _ customer: Customer) async throws -> Answer {
        let time = String(Int(Date().timeIntervalSince1970))
        let key = SymmetricKey(data: Array(secret.utf8))
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(time).".utf8) + body, using: key)
        let hex = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return try await customer.client.send(
            "POST",
            "/v1/webhooks/persona",
            headers: [("Content-Type", "application/json"), ("Persona-Signature", "t=\(time),v1=\(hex)")],
            body: body
        )
    }

    /// An application for the full level, handed in to the vendor.
    private static func applied(_ customer: Customer) async throws -> String {
        let opened = try await customer.post(
            place,
            [
                "level": "full", "legal_name": "Nova Okoye", "birth_date": "1990-01-02", "nationality": "PT",
                "address": "Rua 1, Porto",
            ]
        )
        try #require(opened.status == 201, "\(opened.readable)")
        #expect(opened.text("provider") == "persona" && opened.json["missing"] == [])
        try await submit(opened.text("id"), customer)
        return opened.text("id")
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
            "As the papers say.",
            "--break-glass"
        )
        guard made.status == 0 else { return nil }
        return try JSON.parse(Array(made.output.utf8))["status"]?.stringValue
    }
}
