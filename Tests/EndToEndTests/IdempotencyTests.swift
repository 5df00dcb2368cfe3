import Foundation
import Kernel
import Testing

/// A key makes a request happen once, whatever becomes of its answer.
@Suite(.serialized)
struct IdempotencyTests {
    private static let parallel = 32

    @Test func `a movement of money needs a key`() async throws {
        let customer = try await Customer.make("keyless", on: try await SharedServer.get())
        for (path, body) in IdempotencyTests.movements {
            let answer = try await customer.post(path, body)
            #expect(answer.status == 400, "\(path): \(answer.readable)")
            #expect(answer.json["errors"]?.elements?.first?["pointer"]?.stringValue?.lowercased() == "idempotency-key")
        }
    }

    private static let movements: [(String, JSON)] = [
        ("/v1/banking/deposits", ["amount": "1.00", "asset": "USD"]),
        ("/v1/banking/payments", ["payee": "@ada", "amount": "1.00", "asset": "USD"]),
        ("/v1/banking/transfers", ["amount": "1.00", "asset": "USD", "to": "investing"]),
        ("/v1/investing/transfers", ["amount": "1.00", "asset": "USD", "to": "banking"]),
    ]

    @Test func `a payment sent twice is answered twice and made once`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (
            try await Customer.make("payer", on: server), try await Customer.make("payee", on: server)
        )
        try await payer.deposit()
        let key = UUID().uuidString
        let first = try await payer.pay("@\(payee.username)", "10.00", key: key)
        let second = try await payer.pay("@\(payee.username)", "10.00", key: key)
        #expect((first.status, second.status) == (201, 201))
        #expect(first.headers["idempotent-replayed"] == nil)
        #expect(second.headers["idempotent-replayed"] == "true")
        #expect(first.body == second.body)
        #expect(first.headers["location"] == second.headers["location"])
        #expect(try await payee.dollars() == "10.00")
        #expect(try await payer.dollars() == "86.20")
    }

    @Test(arguments: ["tok_ok", "tok_unknown", "tok_declined"])
    func `a deposit's answer is given again as it was, with what the provider said`(token: String) async throws {
        let customer = try await Customer.make("again", on: try await SharedServer.get())
        let card = try await customer.link("credit_card", token: token)
        let key = UUID().uuidString
        let first = try await customer.startDeposit("100.00", key: key, source: card)
        #expect((first.json["provider_action"] != nil) == (token == "tok_ok"), "\(first.readable)")
        let end = token == "tok_declined" ? "failed" : "completed"
        try await customer.wait("/v1/banking/transactions/\(first.text("id"))", until: [end])
        for _ in 0..<2 {
            let again = try await customer.startDeposit("100.00", key: key, source: card)
            #expect(again.body == first.body, "\(again.readable)")
            #expect(again.headers["idempotent-replayed"] == "true")
            #expect(again.headers["location"] == first.headers["location"])
        }
    }

    @Test func `deposits sent at once with one key have one answer`() async throws {
        let customer = try await Customer.make("rush", on: try await SharedServer.get())
        let key = UUID().uuidString
        let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await customer.startDeposit("100.00", key: key).body
                }
            }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(bodies.count == 1)
        try await customer.waitForDollars("96.30")
    }

    @Test func `the key of one request is refused to another`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (
            try await Customer.make("payer", on: server), try await Customer.make("payee", on: server)
        )
        try await payer.deposit()
        let key = UUID().uuidString
        _ = try await payer.pay("@\(payee.username)", "10.00", key: key)
        let other = try await payer.pay("@\(payee.username)", "10.01", key: key)
        #expect(other.status == 422)
        #expect(other.text("code") == "idempotency_key_reused")
        #expect(try await payee.dollars() == "10.00")
        // Keys are each customer's own.
        try await payee.deposit()
        #expect(try await payee.pay("@\(payer.username)", "1.00", key: key).status == 201)
    }

    @Test func `a refusal is replayed too, even when the reason is gone`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (
            try await Customer.make("payer", on: server), try await Customer.make("payee", on: server)
        )
        let (poor, unknown) = (UUID().uuidString, UUID().uuidString)
        let later = "later" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let refused = try await payer.pay("@\(payee.username)", "5.00", key: poor)
        #expect(refused.status == 422)
        #expect(refused.text("code") == "insufficient_funds")
        let missing = try await payer.pay("@\(later)", "5.00", key: unknown)
        #expect(missing.status == 404)
        #expect(missing.text("code") == "payee_not_found")

        try await payer.deposit()
        let again = try await payer.pay("@\(payee.username)", "5.00", key: poor)
        #expect(again.status == 422)
        #expect(again.headers["idempotent-replayed"] == "true")
        #expect(again.body == refused.body)
        let stillMissing = try await payer.pay("@\(later)", "5.00", key: unknown)
        #expect(stillMissing.status == 404)
        #expect(stillMissing.headers["idempotent-replayed"] == "true")
        #expect(try await payer.dollars() == "96.30")
    }

    @Test func `many at once with one key have one effect`() async throws {
        let server = try await SharedServer.get()
        let (payer, payee) = (
            try await Customer.make("payer", on: server), try await Customer.make("payee", on: server)
        )
        try await payer.deposit()
        let key = UUID().uuidString
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<IdempotencyTests.parallel {
                group.addTask { try await payer.pay("@\(payee.username)", "1.00", key: key) }
            }
            return try await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        // One who came while the first was running may have been told to come again.
        #expect(answers.allSatisfy { $0.status == 201 || ($0.status == 409 && $0.headers["retry-after"] != nil) })
        let made = answers.filter { $0.status == 201 }
        #expect(Set(made.map { $0.text("id") }).count == 1)
        #expect(made.count { $0.headers["idempotent-replayed"] == nil } == 1)
        #expect(try await payee.dollars() == "1.00")
        #expect(try await payer.dollars() == "95.20")
    }
}
