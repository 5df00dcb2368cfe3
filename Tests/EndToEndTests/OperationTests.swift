import Foundation
import Kernel
import Testing

/// What operators do in Banking, and what is kept of it.
@Suite(.serialized)
struct OperationTests {
    /// A withdrawal whose call to the provider was given up, with the call's id.
    private static func givenUp(_ customer: Customer) async throws -> (transaction: String, call: String) {
        let server = customer.server
        try await customer.deposit()
        let bank = try await customer.link("wire", token: "tok_late")
        let started = try await customer.withdraw("50.00", to: bank)
        try #require(started.status == 202, "\(started.readable)")
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: ["provider_processing"])
        try await server.sql(
            """
            update banking.provider_calls set status = 'dead', attempts = 20, last_error = 'a test'
            where transaction = '\(try uuid(started.text("id")))'
            """
        )
        let list = try await server.command("banking", "calls", "list", "--json", "--limit", "500")
        try #require(list.status == 0, "\(list.errors)")
        let calls = try list.output.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
        let mine = try #require(calls.first { $0["transaction"]?.stringValue == started.text("id") })
        #expect((mine["status"], mine["last_error"]) == ("dead", "a test"))
        return (started.text("id"), try #require(mine["id"]?.stringValue))
    }

    private static func uuid(_ transaction: String) throws -> String {
        try #require(ID<User>(wire: "usr_" + transaction.dropFirst("txn_".count))).description
    }

    /// The provider's id of what pays out.
    private static func object(of transaction: String, _ server: RunningServer) async throws -> String {
        let found = try await server.sql(
            "select object_id from banking.provider_objects where transaction = '\(try uuid(transaction))'"
        )
        return try #require(found.first)
    }

    private static func audited(_ server: RunningServer, _ action: String, _ reason: String) async throws -> Int {
        try await server.sql(
            "select id from banking.audit_log where action = '\(action)' and after->>'reason' = '\(reason)'"
        ).count
    }

    @Test func `a call that was given up is made again under its key`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("retry", on: server)
        let (transaction, call) = try await OperationTests.givenUp(customer)
        let reason = UUID().uuidString
        let retried = try await server.command("banking", "calls", "retry", call, "--reason", reason, "--by", "eve")
        #expect(retried.status == 0, "\(retried.errors)")
        #expect(try await OperationTests.audited(server, "provider_call.retried", reason) == 1)
        let deadline = ContinuousClock.now + .seconds(20)
        var shown: JSON = .null
        while shown["status"] != "done", ContinuousClock.now < deadline {
            shown = try JSON.parse(Array(try await server.command("banking", "calls", "show", call).output.utf8))
        }
        #expect(shown["status"] == "done", "\(shown)")
        let objects = try await server.sql(
            "select id from banking.sandbox_objects where transaction = '\(try OperationTests.uuid(transaction))'"
        )
        #expect(objects.count == 1)
        let again = try await server.command("banking", "calls", "retry", call, "--reason", "once more")
        #expect(again.status != 0 && again.errors.contains(call))
        #expect(try await customer.dollars() == "45.30")
        try await Books.verify(server)
    }

    @Test func `a call that is abandoned ends its transaction, and the money is free`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("abandon", on: server)
        let (transaction, call) = try await OperationTests.givenUp(customer)
        let reason = UUID().uuidString
        let abandoned = try await server.command("banking", "calls", "abandon", call, "--reason", reason)
        #expect(abandoned.status == 0, "\(abandoned.errors)")
        let failed = try await customer.get("/v1/banking/transactions/\(transaction)")
        #expect((failed.text("status"), failed.text("reason")) == ("failed", "abandoned"))
        #expect(try await customer.dollars() == "96.30")
        #expect(try await OperationTests.audited(server, "provider_call.abandoned", reason) == 1)
        let again = try await server.command("banking", "calls", "abandon", call, "--reason", "once more")
        #expect(again.status != 0)

        // The provider has paid out after all: what is there is taken, once, however often it is told.
        let sender = try SandboxSender(server)
        let object = try await OperationTests.object(of: transaction, server)
        for _ in 0..<2 {
            let id = "sbe_" + UUID().uuidString.lowercased()
            let body = SandboxSender.body(id, "payout.succeeded", object: object, amount: "50.00")
            #expect(try await sender.send(id, body).status == 200)
        }
        try await customer.wait("/v1/banking/transactions/\(transaction)", until: ["completed"])
        try await customer.waitForDollars("45.30")
        try await Books.verify(server)
    }

    @Test func `a payout that succeeds when the money is gone is kept apart once`() async throws {
        let server = try await SharedServer.get()
        let (customer, friend) = (
            try await Customer.make("gone", on: server), try await Customer.make("friend", on: server)
        )
        let (transaction, call) = try await OperationTests.givenUp(customer)
        _ = try await server.command("banking", "calls", "abandon", call, "--reason", "a test")
        #expect(try await customer.pay("@\(friend.username)", "96.20").status == 201)
        let object = try await OperationTests.object(of: transaction, server)
        let sender = try SandboxSender(server)
        for _ in 0..<3 {
            let id = "sbe_" + UUID().uuidString.lowercased()
            let body = SandboxSender.body(id, "payout.succeeded", object: object, amount: "50.00")
            #expect(try await sender.send(id, body).status == 200)
        }
        try await customer.wait("/v1/banking/transactions/\(transaction)", until: ["completed"])
        try await Task.sleep(for: .seconds(1))
        let suspended = try await customer.timeline(transaction, "ledger").filter { $0["code"] == "unfunded_payout" }
        // Both legs of one transfer.
        #expect(suspended.count == 2, "\(suspended)")
        try await Books.verify(server)
    }

    @Test func `a review case is opened, shown and closed, each with its trace`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("case", on: server)
        let deposit = try await customer.deposit()
        let (why, what) = (UUID().uuidString, UUID().uuidString)
        let opened = try await server.command("banking", "cases", "open", deposit, "--reason", why, "--by", "eve")
        #expect(opened.status == 0, "\(opened.errors)")
        let id = opened.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try await server.command("banking", "cases", "--limit", "500").output.contains(id))
        let shown = try JSON.parse(Array(try await server.command("banking", "cases", "show", id).output.utf8))
        #expect((shown["kind"], shown["opened_by"]) == ("operator", "operator:eve"))
        #expect(shown["opened_because"]?.stringValue == why && shown["closed_at"] == .null)
        let closed = try await server.command("banking", "cases", "close", id, "--reason", what)
        #expect(closed.status == 0, "\(closed.errors)")
        #expect(try await OperationTests.audited(server, "review_case.opened", why) == 1)
        #expect(try await OperationTests.audited(server, "review_case.closed", what) == 1)
        let history = try await server.sql(
            "select to_status from banking.status_history where reason in ('\(why)', '\(what)') order by id"
        )
        #expect(history == ["open", "closed"])
        for arguments in [
            ["close", id, "--reason", "again"], ["show", "case_01m7xr0w9rfb286s30ts1kx6zz"],
            ["open", "txn_01m7xr0w9rfb286s30ts1kx6zz", "--reason", "x"],
        ] {
            let refused = try await Program.run(["banking", "cases"] + arguments, environment: server.environment)
            #expect(refused.status != 0, "\(arguments)")
        }
    }

    @Test func `money that an operator holds and releases shows in the projections at once`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("hold", on: server)
        try await customer.deposit()
        func projected() async throws -> String {
            try await server.sql(
                """
                select available || ' ' || reserved from platform.user_balances
                where user_id = '\(try customer.uuid)' and domain = 'banking' and kind = 'checking' and asset = 'USD'
                """
            ).first ?? "none"
        }
        func wait(for expected: String) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            while try await projected() != expected, ContinuousClock.now < deadline {}
            #expect(try await projected() == expected)
        }
        try await wait(for: "9630 0")
        let held = try await server.command(
            "banking",
            "freeze",
            customer.id,
            "USD",
            "--amount",
            "30.00",
            "--reason",
            "a test"
        )
        #expect(held.status == 0, "\(held.errors)")
        try await wait(for: "6630 3000")
        let words = held.output.split(whereSeparator: { $0 == " " || $0 == "." || $0 == "\n" })
        let reservation = String(try #require(words.first { $0.hasPrefix("rsv_") }))
        let reason = UUID().uuidString
        let released = try await server.command("reservations", "release", reservation, "--reason", reason)
        #expect(released.status == 0, "\(released.errors)")
        try await wait(for: "9630 0")
        #expect(try await OperationTests.audited(server, "reservation.released", reason) == 1)

        for (command, word) in [("freeze", "account.frozen"), ("unfreeze", "account.unfrozen")] {
            let reason = UUID().uuidString
            let done = try await server.command("banking", command, customer.id, "USD", "--reason", reason)
            #expect(done.status == 0, "\(done.errors)")
            let told = try await server.sql(
                "select type from banking.outbox_events where payload->>'reason' = '\(reason)'"
            )
            #expect(told == ["banking.\(word)"])
            #expect(try await OperationTests.audited(server, word, reason) == 1)
        }
        try await Books.verify(server)
    }
}
