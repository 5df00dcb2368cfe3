import Foundation
import Kernel
import Testing

/// Money that goes back: refunds of deposits, and payouts that a bank returns.
@Suite(.serialized)
struct RefundTests {
    private static func newID() -> String { "sbe_" + UUID().uuidString.lowercased() }

    /// A deposit that the provider works on, with the provider's id of it; nobody else tells of it.
    private static func silentDeposit(_ customer: Customer) async throws -> (id: String, object: String) {
        let card = try await customer.link("credit_card", token: "tok_never")
        let started = try await customer.startDeposit("100.00", source: card)
        let secret = started.json["provider_action"]?["client_secret"]?.stringValue ?? ""
        let object = secret.replacing("_secret", with: "")
        try #require(object.hasPrefix("sbo_"), "\(started.readable)")
        return (started.text("id"), object)
    }

    private static func tell(
        _ sender: SandboxSender,
        _ type: String,
        _ object: String,
        _ amount: String,
        refund: String? = nil
    ) async throws {
        let id = newID()
        let body = SandboxSender.body(id, type, object: object, amount: amount, refund: refund)
        try #require(try await sender.send(id, body).text("status") == "stored")
    }

    @Test func `a deposit is given back in parts, the shortfall is owed, and the explanation shows each`() async throws
    {
        let server = try await SharedServer.get()
        let (customer, friend) = (
            try await Customer.make("parts", on: server), try await Customer.make("friend", on: server)
        )
        let sender = try SandboxSender(server)
        let (deposit, object) = try await RefundTests.silentDeposit(customer)
        let path = "/v1/banking/transactions/\(deposit)"
        try await RefundTests.tell(sender, "deposit.succeeded", object, "100.00")
        try await customer.wait(path, until: ["completed"])
        try await RefundTests.tell(sender, "refund.refunded", object, "30.00", refund: "r1")
        try await customer.waitForDollars("66.30")
        // The same refund told by another event, and the total that holds it, change nothing; a higher total does.
        try await RefundTests.tell(sender, "refund.refunded", object, "30.00", refund: "r1")
        try await RefundTests.tell(sender, "deposit.refunded", object, "30.00")
        try await RefundTests.tell(sender, "deposit.refunded", object, "50.00")
        try await customer.waitForDollars("46.30")
        try await RefundTests.tell(sender, "refund.refunded", object, "20.00", refund: "r2")
        let partly = try await customer.get(path)
        #expect((partly.text("status"), partly.text("refunded")) == ("completed", "50.00"))

        #expect(try await customer.pay("@\(friend.username)", "46.20").status == 201)
        try await RefundTests.tell(sender, "refund.refunded", object, "50.00", refund: "r3")
        let whole = try await customer.wait(path, until: ["refunded"])
        #expect(whole.text("refunded") == "100.00")
        let taken = try await customer.timeline(deposit, "refund").compactMap { $0["taken_back"]?.stringValue }
        #expect(taken.filter { $0 != "0.00" } == ["30.00", "20.00", "50.00"])
        #expect(try await customer.timeline(deposit, "ledger").contains { $0["account"] == "receivable" })
        // 50.00 are owed: the next deposit pays them first.
        try await customer.deposit("100.00")
        #expect(try await customer.dollars() == "46.30")
        try await Books.verify(server)
    }

    @Test func `more than was deposited is never taken`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("over", on: server)
        let sender = try SandboxSender(server)
        let (deposit, object) = try await RefundTests.silentDeposit(customer)
        try await RefundTests.tell(sender, "deposit.succeeded", object, "100.00")
        try await customer.wait("/v1/banking/transactions/\(deposit)", until: ["completed"])
        try await RefundTests.tell(sender, "refund.refunded", object, "60.00", refund: "o1")
        try await customer.waitForDollars("36.30")
        try await RefundTests.tell(sender, "refund.refunded", object, "40.01", refund: "o2")
        try await WebhookTests.waitFor(object, in: "dead", on: server)
        #expect(try await customer.dollars() == "36.30")
        try await Books.verify(server)
    }

    @Test func `a refund that comes before the success waits for it`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("early", on: server)
        let sender = try SandboxSender(server)
        let (deposit, object) = try await RefundTests.silentDeposit(customer)
        try await RefundTests.tell(sender, "deposit.refunded", object, "100.00")
        try await WebhookTests.waitFor(object, in: "parked", on: server)
        try await RefundTests.tell(sender, "deposit.succeeded", object, "100.00")
        try await customer.wait("/v1/banking/transactions/\(deposit)", until: ["refunded"])
        #expect(try await customer.dollars() == "0.00")
        try await Books.verify(server)
    }

    @Test func `a success in money that isn't ours is no success`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("other", on: server)
        let sender = try SandboxSender(server)
        let (deposit, object) = try await RefundTests.silentDeposit(customer)
        try await RefundTests.tell(sender, "deposit.succeeded", object, "10.00")
        try await WebhookTests.waitFor(object, in: "dead", on: server)
        #expect(try await customer.get("/v1/banking/transactions/\(deposit)").text("status") != "completed")
        #expect(try await customer.balances()["banking checking USD", default: "0.00"] == "0.00")
    }

    @Test func `a payout that the bank sends back is the customer's again, with its fees`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("returned", on: server)
        try await customer.deposit()
        let bank = try await customer.link("wire", token: "tok_returned")
        let started = try await customer.withdraw("50.00", to: bank)
        try #require(started.status == 202, "\(started.readable)")
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: ["completed"])
        #expect(try await customer.dollars() == "45.30")
        let refunded = try await customer.wait(path, until: ["refunded"])
        #expect(refunded.text("reason") == "account_closed")
        #expect(try await customer.dollars() == "96.30")
        let statuses = try await customer.timeline(started.text("id"), "status").compactMap { $0["to"]?.stringValue }
        #expect(statuses.suffix(3) == ["completed", "compensating", "refunded"])
        try await Books.verify(server)
    }

    @Test func `money that comes for a closed account is kept apart for a person to look`() async throws {
        let server = try await SharedServer.get()
        let customer = try await Customer.make("toolate", on: server)
        let sender = try SandboxSender(server)
        let card = try await customer.link("credit_card", token: "tok_failed")
        let started = try await customer.startDeposit("100.00", source: card)
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: ["failed"])
        let checking = try await customer.account("checking")
        #expect(try await customer.send("POST", "/v1/banking/accounts/\(checking)/close", body: nil).status == 200)
        let secret = started.json["provider_action"]?["client_secret"]?.stringValue ?? ""
        let object = secret.replacing("_secret", with: "")
        try await RefundTests.tell(sender, "deposit.succeeded", object, "100.00")
        let ended = try await customer.wait(path, until: ["completed"])
        #expect(ended.text("reason") == "account_closed")
        #expect(try await customer.dollars() == "0.00")
        let cases = try await server.command("banking", "cases", "list", "--json", "--limit", "500")
        let mine = cases.output.split(separator: "\n").filter { $0.contains(started.text("id")) }
        #expect(mine.count == 1 && mine[0].contains("closed_account"), "\(cases.output)")
        try await Books.verify(server)
    }
}
