import Foundation
import Kernel
import Testing

/// What accounts may do: limits, freezes, and their end.
@Suite(.serialized)
struct AccountTests {
    private static func limit(_ customer: Customer, _ operation: String, _ asset: String = "USD") async throws -> JSON {
        let account = try await customer.get("/v1/banking/accounts/\(try await customer.account("checking"))")
        let found = account.json["limits"]?.elements?.first {
            $0["operation"]?.stringValue == operation && $0["asset"]?.stringValue == asset
        }
        return try #require(found, "\(account.readable)")
    }

    private static func setLimits(
        _ server: RunningServer,
        _ customer: Customer,
        _ operation: String,
        _ limits: (String, String, String)
    ) async throws {
        let set = try await server.command(
            "banking",
            "limits",
            "set",
            customer.id,
            "USD",
            operation,
            "--per-transaction",
            limits.0,
            "--per-day",
            limits.1,
            "--per-month",
            limits.2,
            "--reason",
            "a test"
        )
        try #require(set.status == 0, "\(set.errors)")
    }

    @Test func `an account's own limits hold from now on, and say what is used of them`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (
            try await Customer.make("limited", on: server), try await Customer.make("payee", on: server)
        )
        try await payer.deposit()
        #expect(try await AccountTests.limit(payer, "payment")["is_own"] == false)
        #expect(try await AccountTests.limit(payer, "deposit")["used_today"] == "100.00")
        try await AccountTests.setLimits(server, payer, "payment", ("20.00", "30.00", "40.00"))
        let before = try await payer.balances()
        let once = try await payer.pay("@\(payee.username)", "20.01")
        Problems.check(once, 422, "limit_per_transaction", "more than one payment may be")
        #expect(once.text("code") == "limit_exceeded" && once.text("detail").contains("20.00 USD"))
        #expect(try await payer.balances() == before)

        #expect(try await payer.pay("@\(payee.username)", "20.00").status == 201)
        let day = try await payer.pay("@\(payee.username)", "10.01")
        Problems.check(day, 422, "limit_per_day", "more than a day's payments may be")
        #expect(day.text("detail").contains("30.00 USD a day") && day.text("detail").contains("20.00 USD is used"))
        let limit = try await AccountTests.limit(payer, "payment")
        #expect(limit["used_today"] == "20.00" && limit["used_this_month"] == "20.00" && limit["is_own"] == true)
        #expect((limit["per_transaction"], limit["per_day"], limit["per_month"]) == ("20.00", "30.00", "40.00"))

        try await AccountTests.setLimits(server, payer, "payment", ("20.00", "40.00", "40.00"))
        #expect(try await payer.pay("@\(payee.username)", "20.00").status == 201)
        Problems.check(try await payer.pay("@\(payee.username)", "1.00"), 422, "limit_per_day", "all is used")
        let cleared = try await server.command(
            "banking",
            "limits",
            "clear",
            payer.id,
            "USD",
            "payment",
            "--reason",
            "a test"
        )
        #expect(cleared.status == 0, "\(cleared.errors)")
        #expect(try await payer.pay("@\(payee.username)", "1.00").status == 201)
        let shown = try await server.command("banking", "limits", "show", payer.id, "--json")
        #expect(shown.output.split(separator: "\n").allSatisfy { (try? JSON.parse(Array($0.utf8))) != nil })
        try await Books.verify(server)
    }

    @Test func `what failed doesn't count, and what came back counts no more`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("count", on: server)
        let (refused, returned) = (
            try await customer.link("credit_card", token: "tok_failed"),
            try await customer.link("credit_card", token: "tok_partly_refunded")
        )
        let failed = try await customer.startDeposit("40.00", source: refused)
        try await customer.wait("/v1/banking/transactions/\(failed.text("id"))", until: ["failed"])
        #expect(try await AccountTests.limit(customer, "deposit")["used_today"] == "0.00")
        try await customer.deposit("100.00", source: returned)
        // 100.00 came, then half of it went back.
        let deadline = ContinuousClock.now + .seconds(20)
        while try await AccountTests.limit(customer, "deposit")["used_today"] != "50.00", ContinuousClock.now < deadline
        {
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await AccountTests.limit(customer, "deposit")["used_today"] == "50.00")
        try await Books.verify(server)
    }

    @Test func `limits that make no sense are refused by the command`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("sense", on: server)
        for (day, month, asset, operation) in [
            ("10.00", "30.00", "USD", "payment"), ("20.00", "10.00", "USD", "payment"),
            ("20.00", "30.00", "XYZ", "payment"), ("20.00", "30.00", "USD", "gift"),
        ] {
            let set = try await server.command(
                "banking",
                "limits",
                "set",
                customer.id,
                asset,
                operation,
                "--per-transaction",
                "15.00",
                "--per-day",
                day,
                "--per-month",
                month,
                "--reason",
                "a test"
            )
            #expect(set.status == 64, "\(day) \(month) \(asset) \(operation): \(set.errors)")
        }
    }

    @Test func `an account is closed when nothing is on it and nothing under way`() async throws {
        let server = try await SharedServer.get()
        let (customer, friend) = (
            try await Customer.make("closing", on: server), try await Customer.make("friend", on: server)
        )
        let checking = try await customer.account("checking")
        let path = "/v1/banking/accounts/\(checking)"
        func close() async throws -> Answer { try await customer.send("POST", path + "/close", body: nil) }

        let slow = try await customer.link("credit_card", token: "tok_failed")
        let pending = try await customer.startDeposit("10.00", source: slow)
        Problems.check(try await close(), 422, "account_in_use", "a deposit is under way")
        try await customer.wait("/v1/banking/transactions/\(pending.text("id"))", until: ["failed"])
        try await customer.deposit()
        Problems.check(try await close(), 422, "account_not_empty", "there is money")
        #expect(try await customer.pay("@\(friend.username)", "96.20").status == 201)

        let stale = try await customer.send("POST", path + "/close", body: nil, headers: [("If-Match", "\"7\"")])
        Problems.check(stale, 412, "version_mismatch", "another version")
        let tag = try #require(try await customer.get(path).headers["etag"])
        let closed = try await customer.send("POST", path + "/close", body: nil, headers: [("If-Match", tag)])
        #expect(closed.status == 200 && closed.text("status") == "closed", "\(closed.readable)")
        #expect(closed.headers["etag"] != nil && closed.headers["etag"] != tag)

        Problems.check(try await close(), 409, "status_not_possible", "closed before")
        Problems.check(try await friend.pay("@\(customer.username)", "1.00"), 422, "payee_account_closed", "to it")
        Problems.check(try await customer.pay("@\(friend.username)", "1.00"), 422, "account_closed", "from it")
        let deposit = try await customer.post(
            "/v1/banking/deposits",
            ["amount": "5.00", "asset": "EUR"],
            key: UUID().uuidString
        )
        Problems.check(deposit, 422, "account_closed", "a deposit")
        Problems.check(try await friend.get(path), 404, "not_found", "somebody else's")
        let history = try await server.sql(
            """
            select from_status || ' ' || to_status from banking.status_history
            where entity = 'account' and entity_id = (
                select id from banking.accounts where user_id = '\(try customer.uuid)' and type = 'checking')
            """
        )
        #expect(history == ["open closed"])
        try await Books.verify(server)
    }

    @Test func `a linked account that is closed is no source and no destination`() async throws {
        let customer = try await Customer.make("unlink", on: try await SharedServer.get())
        try await customer.deposit()
        let bank = try await customer.link("wire", token: "tok_ok")
        #expect(try await customer.send("POST", "/v1/banking/accounts/\(bank)/close", body: nil).status == 200)
        Problems.check(try await customer.withdraw("5.00", to: bank), 422, "account_closed", "to a closed account")
        #expect(try await customer.dollars() == "96.30")
    }

    @Test func `an operator freezes an account, and lets it go`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("cold", on: server)
        let staff = try await Staff.make(on: server, beside: customer)
        try await customer.deposit()
        let checking = try await customer.account("checking")
        let path = "/v1/operator/accounts/\(checking)"
        Problems.check(
            try await customer.post(path + "/status", ["status": "open", "reason": "mine"]),
            403,
            "forbidden",
            "a customer"
        )
        let read = try await staff.get(path + "?reason=a%20report")
        let tag = try #require(read.headers["etag"], "\(read.readable)")
        let freeze: JSON = ["status": "frozen", "reason": "a report"]
        let frozen = try await staff.post(path + "/status", freeze, headers: [("If-Match", tag)])
        #expect(frozen.status == 200 && frozen.text("status") == "frozen", "\(frozen.readable)")
        let again = try await staff.post(path + "/status", freeze, headers: [("If-Match", tag)])
        Problems.check(again, 412, "version_mismatch", "the version before")
        Problems.check(try await staff.post(path + "/status", freeze), 409, "status_not_possible", "frozen before")

        Problems.check(try await customer.pay("@ada", "1.00"), 422, "account_frozen", "from a frozen account")
        let bank = try await customer.link("wire", token: "tok_ok")
        Problems.check(try await customer.withdraw("5.00", to: bank), 422, "account_frozen", "a withdrawal")
        let close = try await customer.send("POST", "/v1/banking/accounts/\(checking)/close", body: nil)
        Problems.check(close, 409, "status_not_possible", "closing it")
        // What comes in may come.
        try await customer.deposit()
        let thaw: JSON = ["status": "open", "reason": "it was a mistake"]
        #expect(try await staff.post(path + "/status", thaw).text("status") == "open")
        #expect(try await customer.pay("@ada", "1.00").status == 201)
        // Who is a customer besides decides on everybody's account but their own.
        let both = try await Staff.make(on: server, beside: customer, role: "customer")
        let mine = try await both.get("/v1/banking/accounts")
        let own = try #require(mine.json["data"]?.elements?.first?["id"]?.stringValue, "\(mine.readable)")
        for decision in [freeze, thaw] {
            let refused = try await both.post("/v1/operator/accounts/\(own)/status", decision)
            Problems.check(refused, 403, "own_account", "one's own account")
        }
        try await Books.verify(server)
    }
}
