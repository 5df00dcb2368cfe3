import Foundation
import Kernel
import Testing

/// The main story, played over HTTP, and the operators' proofs after it.
@Suite(.serialized)
struct MainStoryTests {
    @Test func `money comes in, is paid, visits Investing, goes out, and every book agrees`() async throws {
        let server = try await SharedServer.get()
        let carol = try await Customer.make("carol", on: server)
        let dave = try await Customer.make("dave", on: server)

        let deposit = try await carol.deposit("100.00")
        #expect(try await carol.dollars() == "96.30")

        let payment = try await carol.pay("@\(dave.username)", "20.00")
        #expect(payment.status == 201)
        #expect(payment.text("status") == "completed")
        #expect(payment.text("fee") == "0.10")
        #expect(payment.headers["location"] == "/v1/banking/transactions/\(payment.text("id"))")
        #expect(try await carol.dollars() == "76.20")
        #expect(try await dave.dollars() == "20.00")

        try await visitInvesting(carol)

        let bank = try await carol.link("wire", token: "tok_ok")
        let withdrawal = try await carol.post(
            "/v1/banking/withdrawals",
            ["amount": "25.00", "asset": "USD", "destination": .string(bank)],
            key: UUID().uuidString
        )
        #expect(withdrawal.status == 202, "\(withdrawal.readable)")
        try await carol.wait("/v1/banking/transactions/\(withdrawal.text("id"))", until: ["completed"])
        #expect(try await carol.dollars() == "30.20")

        try await explains(withdrawal.text("id"), to: carol)
        try await prove([deposit, payment.text("id"), withdrawal.text("id")], on: server)
    }

    private func visitInvesting(_ customer: Customer) async throws {
        for (domain, other, amount) in [("banking", "investing", "30.00"), ("investing", "banking", "10.00")] {
            let transfer = try await customer.post(
                "/v1/\(domain)/transfers",
                ["amount": .string(amount), "asset": "USD", "to": .string(other)],
                key: UUID().uuidString
            )
            #expect(transfer.status == 202, "\(transfer.readable)")
            try await customer.wait("/v1/\(domain)/transfers/\(transfer.text("id"))", until: ["completed"])
        }
        let balances = try await customer.balances()
        #expect(balances["banking checking USD"] == "56.20")
        #expect(balances["investing trading USD"] == "20.00")
    }

    private func explains(_ withdrawal: String, to customer: Customer) async throws {
        let explanation = try await customer.get("/v1/banking/transactions/\(withdrawal)/explain")
        #expect(explanation.status == 200)
        let timeline = explanation.json["timeline"]?.elements ?? []
        let reached = timeline.filter { $0["kind"]?.stringValue == "status" }.compactMap { $0["to"]?.stringValue }
        #expect(
            reached == [
                "initiated", "validating", "balance_reserved", "sent_to_provider", "provider_processing", "completed",
            ]
        )
        let kinds = Set(timeline.compactMap { $0["kind"]?.stringValue })
        #expect(kinds.isSuperset(of: ["reservation_made", "reservation_captured", "provider_event", "ledger"]))
        let instants = timeline.compactMap { $0["at"]?.stringValue }
        #expect(instants == instants.sorted())
        #expect(explanation.json["fees"]?.elements?.count == 1)
    }

    private func prove(_ transactions: [String], on server: RunningServer) async throws {
        try await Books.verify(server)
        for transaction in transactions {
            let explained = try await server.command("fees", "explain", transaction)
            #expect(explained.status == 0, "\(explained.output) \(explained.errors)")
            #expect(explained.output.contains("Every line is as it is stored."))
        }
    }
}
