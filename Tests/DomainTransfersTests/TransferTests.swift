import DomainKit
import DomainTransfers
import HTTP
import Kernel
import Ledger
import PostgreSQL
import Testing

@Suite struct TransferTests {
    private let user = IDGenerator().next(User.self)

    private func usd(_ text: String) throws -> Money { try Money(wire: text, .usd) }

    @Test func `money leaves at once, is in transit, and then the customer has it on the other side`() async throws {
        try await World.with { world in
            try await world.fund(user, usd("100.00"), in: .banking)
            let response = try await world.send(user, usd("30.00"), from: .banking, to: .investing)
            #expect(response.status == 202)
            #expect(response.json["status"] == "in_transit")
            #expect(response.json["from"] == "banking")
            #expect(response.json["to"] == "investing")
            let id = try #require(response.json["id"]?.stringValue.flatMap { ID<DomainTransfer>(wire: $0) })
            #expect(response.headers["Location"] == "/v1/banking/transfers/\(id.wire)")
            #expect(try await world.balance(user, .usd, in: .banking) == 7_000)
            #expect(try await world.balance(user, .usd, in: .investing) == 0)
            #expect(try await world.status(of: id, user, in: .banking) == "in_transit")

            try await world.settle()
            #expect(try await world.status(of: id, user, in: .banking) == "completed")
            #expect(try await world.status(of: id, user, in: .investing) == "completed")
            #expect(try await world.balance(user, .usd, in: .banking) == 7_000)
            #expect(try await world.balance(user, .usd, in: .investing) == 3_000)
            try await world.expectSettled()
        }
    }

    @Test func `money that the other domain can't hold comes back with its fees`() async throws {
        let book = TestBook(schema: .banking, ids: IDGenerator(), fee: 25)
        try await World.with(books: [.banking: book]) { world in
            try await world.fund(user, usd("100.00"), in: .banking)
            let id = try await world.sent(user, usd("40.00"), from: .banking, to: .defi)
            #expect(try await world.balance(user, .usd, in: .banking) == 5_975)
            try await world.settle()
            let transfer = try await world.transfer(id, of: user, in: .banking)
            #expect(transfer.json["status"] == "returned")
            #expect(transfer.json["reason"] == "asset_not_supported")
            #expect(transfer.json["fee"] == "0.25")
            #expect(try await world.balance(user, .usd, in: .banking) == 10_000)
            #expect(try await world.transfer(id, of: user, in: .defi).status == 404)
            try await world.expectSettled()
        }
    }

    @Test func `a fee is paid beside the amount where the money leaves`() async throws {
        let book = TestBook(schema: .investing, ids: IDGenerator(), fee: 25)
        try await World.with(books: [.investing: book]) { world in
            try await world.fund(user, usd("10.00"), in: .investing)
            _ = try await world.sent(user, usd("9.75"), from: .investing, to: .banking)
            try await world.settle()
            #expect(try await world.balance(user, .usd, in: .investing) == 0)
            #expect(try await world.balance(user, .usd, in: .banking) == 975)
            try await world.expectSettled()
        }
    }

    @Test func `a domain's own reason to refuse brings the money back`() async throws {
        let book = TestBook(schema: .investing, ids: IDGenerator())
        try await World.with(books: [.investing: book]) { world in
            book.refuse("account_closed")
            try await world.fund(user, usd("10.00"), in: .banking)
            let id = try await world.sent(user, usd("10.00"), from: .banking, to: .investing)
            try await world.settle()
            #expect(try await world.transfer(id, of: user, in: .banking).json["reason"] == "account_closed")
            #expect(try await world.balance(user, .usd, in: .banking) == 1_000)
            #expect(try await world.balance(user, .usd, in: .investing) == 0)
            try await world.expectSettled()
        }
    }

    @Test func `the same key moves the money once and answers the same`() async throws {
        try await World.with { world in
            try await world.fund(user, usd("100.00"), in: .banking)
            let first = try await world.send(user, usd("30.00"), from: .banking, to: .investing, key: "one")
            let second = try await world.send(user, usd("30.00"), from: .banking, to: .investing, key: "one")
            #expect(second.status == 202)
            #expect(second.json == first.json)
            #expect(second.headers["Idempotent-Replayed"] == "true")
            let other = try await world.send(user, usd("31.00"), from: .banking, to: .investing, key: "one")
            #expect(other.status == 422)
            #expect(other.json["code"] == "idempotency_key_reused")
            try await world.settle()
            #expect(try await world.balance(user, .usd, in: .investing) == 3_000)
        }
    }

    @Test func `money that isn't there is refused, and nothing is told`() async throws {
        try await World.with { world in
            try await world.fund(user, usd("10.00"), in: .banking)
            let response = try await world.send(user, usd("10.01"), from: .banking, to: .investing)
            #expect(response.status == 422)
            #expect(response.json["code"] == "insufficient_funds")
            let events: Int = try await world.member(.banking).runtime.pool.query(
                "select count(*) from banking.outbox_events"
            )[0][0]
            #expect(events == 0)
            #expect(try await world.balance(user, .usd, in: .banking) == 1_000)
        }
    }

    @Test(
        arguments: [
            (["amount": "0.00", "asset": "USD", "to": "investing"], 400),
            (["amount": "1.001", "asset": "USD", "to": "investing"], 400),
            (["amount": "-1.00", "asset": "USD", "to": "investing"], 400),
            (["amount": "1.00", "asset": "XYZ", "to": "investing"], 400),
            (["amount": "1.00", "asset": "USD", "to": "banking"], 400),
            (["amount": "1.00", "asset": "USD", "to": "platform"], 400),
            (["amount": "1.00", "asset": "USD"], 400),
            (["amount": "1.00", "asset": "USD", "to": "investing", "more": "1"], 400),
            (["amount": "1.00", "asset": "BTC", "to": "investing"], 422),
        ] as [(JSON, Int)]
    )
    func `an order that can't be is refused`(body: JSON, status: Int) async throws {
        try await World.with { world in
            let response = try await world.post(user, body, to: .banking)
            #expect(response.status == status)
        }
    }

    @Test func `somebody else's transfer is not found`() async throws {
        try await World.with { world in
            try await world.fund(user, usd("10.00"), in: .banking)
            let id = try await world.sent(user, usd("10.00"), from: .banking, to: .investing)
            try await world.settle()
            let stranger = world.ids.next(User.self)
            #expect(try await world.transfer(id, of: stranger, in: .banking).status == 404)
            #expect(try await world.transfer(id, of: stranger, in: .investing).status == 404)
        }
    }

    @Test func `a frozen account sends nothing and still receives`() async throws {
        try await World.with { world in
            try await world.fund(user, usd("10.00"), in: .banking)
            try await world.fund(user, usd("10.00"), in: .investing)
            let runtime = try world.member(.investing).runtime
            let account = try await runtime.accounts.open(AccountKey(user, "trading", .usd))
            _ = try await runtime.ledger.submit(
                LedgerItem(operation: world.ids.next(), commands: [.freeze(account, because: "a test")])
            )
            let refused = try await world.send(user, usd("1.00"), from: .investing, to: .banking)
            #expect(refused.json["code"] == "account_frozen")
            _ = try await world.sent(user, usd("1.00"), from: .banking, to: .investing)
            try await world.settle()
            #expect(try await world.balance(user, .usd, in: .investing) == 1_100)
            try await world.expectSettled()
        }
    }
}
