import Foundation
import Kernel
import Testing

/// What the simulated provider can do, and how it ends.
@Suite(.serialized)
struct SandboxTests {
    /// A token of a linked account, the status that a movement ends in, and what is available then.
    struct Ending: Sendable {
        let token: String
        let status: String
        let available: String
    }

    @Test(arguments: [
        Ending(token: "tok_ok", status: "completed", available: "96.30"),
        Ending(token: "tok_declined", status: "failed", available: "0.00"),
        Ending(token: "tok_failed", status: "failed", available: "0.00"),
        Ending(token: "tok_duplicate", status: "completed", available: "96.30"),
        Ending(token: "tok_out_of_order", status: "completed", available: "96.30"),
        Ending(token: "tok_unknown", status: "completed", available: "96.30"),
    ])
    func `a deposit ends as its token says`(expected: Ending) async throws {
        let customer = try await Customer.make("token", on: try await SharedServer.get())
        let card = try await customer.link("credit_card", token: expected.token)
        let started = try await customer.startDeposit("100.00", source: card)
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: [expected.status], within: 40)
        // The last copy of an event that is sent several times comes three seconds after the first.
        if expected.token == "tok_duplicate" { try await Task.sleep(for: .seconds(3.5)) }
        #expect(try await customer.get(path).text("status") == expected.status)
        #expect(try await customer.balances()["banking checking USD", default: "0.00"] == expected.available)
    }

    @Test func `a provider that takes its time leaves the deposit open`() async throws {
        let customer = try await Customer.make("late", on: try await SharedServer.get())
        let card = try await customer.link("credit_card", token: "tok_late")
        let started = try await customer.startDeposit("100.00", source: card)
        try await customer.wait("/v1/banking/transactions/\(started.text("id"))", until: ["provider_processing"])
        #expect(try await customer.balances()["banking checking USD", default: "0.00"] == "0.00")
    }

    @Test(arguments: [
        Ending(token: "tok_ok", status: "completed", available: "45.30"),
        Ending(token: "tok_declined", status: "failed", available: "96.30"),
        Ending(token: "tok_failed", status: "failed", available: "96.30"),
        Ending(token: "tok_duplicate", status: "completed", available: "45.30"),
        Ending(token: "tok_out_of_order", status: "completed", available: "45.30"),
        Ending(token: "tok_unknown", status: "completed", available: "45.30"),
        Ending(token: "tok_returned", status: "refunded", available: "96.30"),
        Ending(token: "tok_late", status: "provider_processing", available: "45.30"),
    ])
    func `a withdrawal ends as its token says`(expected: Ending) async throws {
        let customer = try await Customer.make("out", on: try await SharedServer.get())
        try await customer.deposit()
        let bank = try await customer.link("wire", token: expected.token)
        let started = try await customer.post(
            "/v1/banking/withdrawals",
            ["amount": "50.00", "asset": "USD", "destination": .string(bank)],
            key: UUID().uuidString
        )
        try #require(started.status == 202, "\(started.readable)")
        try await customer.wait(
            "/v1/banking/transactions/\(started.text("id"))",
            until: [expected.status],
            within: 40
        )
        try await customer.waitForDollars(expected.available)
    }

    @Test func `a chargeback of money that is spent stops outgoing money, and later money pays it back`() async throws {
        let server = try await SharedServer.get()
        let (customer, friend) = (
            try await Customer.make("back", on: server), try await Customer.make("friend", on: server)
        )
        let card = try await customer.link("credit_card", token: "tok_disputed")
        let started = try await customer.startDeposit("100.00", source: card)
        let path = "/v1/banking/transactions/\(started.text("id"))"
        try await customer.wait(path, until: ["completed"])
        #expect(try await customer.pay("@\(friend.username)", "90.00").status == 201)
        try await customer.wait(path, until: ["refunded", "compensating"])
        let frozen = try await customer.pay("@\(friend.username)", "1.00")
        Problems.check(frozen, 422, "account_frozen", "after a chargeback")
        #expect(try await friend.dollars() == "90.00")
        #expect(try await customer.dollars() == "0.00")
        // 96.30 came, 90.10 went, 100.00 were taken back: 93.80 were missing, and the next 96.30 pay them first.
        try await customer.deposit("100.00")
        #expect(try await customer.dollars() == "2.50")
        try await Books.verify(server)
    }
}
