import Foundation
import Kernel
import Testing

/// What providers tell us, and what others pretend that they do.
@Suite(.serialized)
struct WebhookTests {
    private static func newID() -> String { "sbe_" + UUID().uuidString.lowercased() }

    @Test func `a webhook that isn't the provider's is refused`() async throws {
        let sender = try SandboxSender(try await SharedServer.get())
        let id = WebhookTests.newID()
        let body = SandboxSender.body(id, "deposit.succeeded", object: "sbo_unknown")
        var forged = sender.headers(id, body)
        forged[2].1 = "v1," + Data(repeating: 7, count: 32).base64EncodedString()
        Problems.check(try await sender.send(body, forged), 401, "signature_mismatch", "forged")
        Problems.check(
            try await sender.send(body + [0x20], sender.headers(id, body)),
            401,
            "signature_mismatch",
            "changed"
        )
        Problems.check(
            try await sender.send(body, sender.headers(id, body, secondsAgo: 86_400)),
            401,
            "timestamp_too_old",
            "old"
        )
        Problems.check(
            try await sender.send(body, sender.headers(id, body, secondsAgo: -86_400)),
            401,
            "timestamp_too_new",
            "new"
        )
        Problems.check(try await sender.send(body, []), 400, "missing_header", "unsigned")
        for (text, code) in [
            ("{", "invalid_payload"), ("{}", "invalid_payload"), (#"{"id":"a","id":"b"}"#, "duplicate_keys"),
            (#"{"id":"a","type":"deposit.succeeded","mode":"live","data":{}}"#, "wrong_mode"),
        ] {
            Problems.check(try await sender.send(id, Array(text.utf8)), 400, code, text)
        }
    }

    @Test func `a webhook counts once, and another body under its id counts not at all`() async throws {
        let server = try await SharedServer.get()
        let sender = try SandboxSender(server)
        let customer = try await Customer.make("hook", on: server)
        let card = try await customer.link("credit_card", token: "tok_late")
        let started = try await customer.startDeposit("100.00", source: card)
        let secret = started.json["provider_action"]?["client_secret"]?.stringValue ?? ""
        let object = secret.replacing("_secret", with: "")
        try #require(object.hasPrefix("sbo_"), "\(started.readable)")

        let id = WebhookTests.newID()
        let body = SandboxSender.body(id, "deposit.succeeded", object: object, transaction: started.text("id"))
        #expect(try await sender.send(id, body).text("status") == "stored")
        try await customer.wait("/v1/banking/transactions/\(started.text("id"))", until: ["completed"])
        for _ in 0..<5 {
            let again = try await sender.send(id, body)
            #expect((again.status, again.text("status")) == (200, "duplicate"))
        }
        let other = SandboxSender.body(id, "deposit.succeeded", object: object, amount: "900.00")
        let conflict = try await sender.send(id, other)
        #expect((conflict.status, conflict.text("status")) == (200, "conflict"))
        #expect(try await server.command("inbox", "conflicts").output.contains(id))
        // The same news under another id is no second payment.
        let second = WebhookTests.newID()
        let copy = SandboxSender.body(second, "deposit.succeeded", object: object, transaction: started.text("id"))
        #expect(try await sender.send(second, copy).text("status") == "stored")
        try await WebhookTests.waitUntilHandled(second, on: server)
        #expect(try await customer.dollars() == "96.30")
        try await Books.verify(server)
    }

    @Test func `an event of an object that nobody knows waits and moves nothing`() async throws {
        let server = try await SharedServer.get()
        let sender = try SandboxSender(server)
        let id = WebhookTests.newID()
        let object = "sbo_" + UUID().uuidString.lowercased()
        #expect(try await sender.send(id, SandboxSender.body(id, "deposit.succeeded", object: object)).status == 200)
        try await WebhookTests.waitFor(object, in: "parked", on: server)
        try await Books.verify(server)
    }

    @Test func `an event that comes before its object is matched when the object appears`() async throws {
        let server = try await SharedServer.get()
        let sender = try SandboxSender(server)
        let customer = try await Customer.make("match", on: server)
        // The provider takes the deposit on and tells of it before its answer arrives, which is lost at first.
        let card = try await customer.link("credit_card", token: "tok_never")
        let started = try await customer.startDeposit("100.00", source: card)
        let secret = started.json["provider_action"]?["client_secret"]?.stringValue ?? ""
        let object = secret.replacing("_secret", with: "")
        let transaction = try #require(ID<User>(wire: "usr_" + started.text("id").dropFirst("txn_".count))).description
        // As it is before the answer has come: the object isn't known to be anybody's.
        try await server.sql(
            """
            delete from banking.provider_objects where object_id = '\(object)';
            update banking.provider_calls set status = 'pending', next_at = 'infinity'
            where transaction = '\(transaction)'
            """
        )
        let id = WebhookTests.newID()
        #expect(try await sender.send(id, SandboxSender.body(id, "deposit.succeeded", object: object)).status == 200)
        try await WebhookTests.waitFor(object, in: "parked", on: server)
        #expect(try await customer.balances()["banking checking USD", default: "0.00"] == "0.00")
        try await Books.verify(server)
        try await server.sql(
            "update banking.provider_calls set next_at = clock_timestamp() where transaction = '\(transaction)'"
        )
        try await customer.wait("/v1/banking/transactions/\(started.text("id"))", until: ["completed"])
        #expect(try await customer.dollars() == "96.30")
        try await Books.verify(server)
    }

    /// Waits until an event is in no list of what is still to be done.
    private static func waitUntilHandled(_ event: String, on server: RunningServer) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let lists = [
                try await server.command("inbox", "list", "pending"),
                try await server.command("inbox", "list", "running"),
            ]
            if lists.allSatisfy({ $0.status == 0 && $0.output.split(separator: "\n").count == 1 }) { return }
        }
        Issue.record("\(event) is still to be handled")
    }

    static func waitFor(_ object: String, in status: String, on server: RunningServer) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if try await server.command("inbox", "list", status, "--limit", "1000").output.contains(object) { return }
        }
        Issue.record("\(object) isn't \(status)")
    }
}
