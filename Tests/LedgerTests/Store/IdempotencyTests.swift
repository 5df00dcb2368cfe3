import Kernel
import PostgreSQL
import Testing

@testable import Ledger

@Suite struct IdempotencyTests {
    static func key(_ name: String = "key-1", body: String = "{}") -> IdempotencyKey {
        IdempotencyKey(principal: "usr_1", method: "POST", path: "/v1/banking/payments", key: name, body: body.utf8)
    }

    /// A payment whose answer names it, so that each effect would be told by an answer of its own.
    static func payment(_ ledger: TestLedger, _ amount: Int128, _ key: IdempotencyKey?) -> LedgerItem {
        ledger.item(ledger.pay(amount, from: ledger.customers[0], to: ledger.customers[1]), key: key) { decision, _ in
            switch decision {
            case .success(let receipt):
                .init(
                    answer: StoredAnswer(
                        status: 201,
                        headers: ["Location": "/v1/x"],
                        body: Array("\(receipt.transfers[0].id)".utf8)
                    )
                )
            case .failure(let refusal): .init(answer: StoredAnswer(status: 422, body: Array("\(refusal)".utf8)))
            }
        }
    }

    static func answer(_ outcome: LedgerOutcome) throws -> StoredAnswer {
        switch outcome {
        case .done(_, let answer), .refused(_, let answer): return try #require(answer)
        case .replayed(let answer): return answer
        case .keyReused: throw LedgerOutcome.NotDone()
        }
    }

    @Test func `sixty-four clients of two processes with one key have one effect and one answer`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let before = try await ledger.transfers()
            let answers = try await ledger.running { first in
                try await ledger.running { second in
                    try await withThrowingTaskGroup(of: StoredAnswer.self) { group in
                        for client in 0..<64 {
                            group.addTask {
                                let item = IdempotencyTests.payment(ledger, 10, IdempotencyTests.key())
                                return try IdempotencyTests.answer(
                                    try await (client % 2 == 0 ? first : second).submit(item)
                                )
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                }
            }
            #expect(answers.count == 64)
            #expect(Set(answers).count == 1)
            #expect(try await ledger.transfers() == before + 1)
            #expect(try await ledger.balance(ledger.customers[0]).posted == 990)
        }
    }

    @Test func `a key that was used with another body does nothing`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            try await ledger.running { running in
                _ = try await running.submit(IdempotencyTests.payment(ledger, 10, IdempotencyTests.key()))
                let second = try await running.submit(
                    IdempotencyTests.payment(ledger, 20, IdempotencyTests.key(body: "{ }"))
                )
                guard case .keyReused = second else { throw LedgerOutcome.NotDone() }
            }
            #expect(try await ledger.balance(ledger.customers[0]).posted == 990)
        }
    }

    @Test func `a key twice in one batch is done once`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            let items = [
                IdempotencyTests.payment(ledger, 10, IdempotencyTests.key()),
                IdempotencyTests.payment(ledger, 10, IdempotencyTests.key()),
                IdempotencyTests.payment(ledger, 10, IdempotencyTests.key(body: "other")),
                IdempotencyTests.payment(ledger, 10, IdempotencyTests.key("key-2")),
            ]
            let outcomes = try await store.commit(items)
            guard case .done(_, let answer) = outcomes[0], case .replayed(let replayed) = outcomes[1],
                case .keyReused = outcomes[2], case .done = outcomes[3]
            else { throw LedgerOutcome.NotDone() }
            #expect(answer == replayed)
            #expect(try await ledger.balance(ledger.customers[0]).posted == 980)
            try await ledger.expectSound()
        }
    }

    @Test func `a refusal is replayed even when the money has come`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.running { running in
                let first = try await running.submit(IdempotencyTests.payment(ledger, 10, IdempotencyTests.key()))
                #expect(
                    first.refusal == .insufficientFunds(account: ledger.customers[0], available: 0, requested: 10)
                )
                try await ledger.fund(1_000)
                let second = try await running.submit(IdempotencyTests.payment(ledger, 10, IdempotencyTests.key()))
                guard case .replayed(let answer) = second else { throw LedgerOutcome.NotDone() }
                #expect(answer == (try IdempotencyTests.answer(first)))
            }
            #expect(try await ledger.balance(ledger.customers[0]).posted == 1_000)
        }
    }

    @Test func `a stored answer comes back whole`() async throws {
        try await TestLedger.with { ledger in
            let answer = StoredAnswer(
                status: 499,
                headers: ["Location": "/v1/ü", "ETag": "\"1\""],
                body: [0, 1, 255, 34, 92]
            )
            let item = { ledger.item(key: IdempotencyTests.key()) { _, _ in .init(answer: answer) } }
            let store = LedgerStore(schema: TestLedger.schema, pool: ledger.pool, onCommit: {})
            _ = try await store.commit([item()])
            guard case .replayed(let kept) = try await store.commit([item()])[0] else { throw LedgerOutcome.NotDone() }
            #expect(kept == answer)
        }
    }

    @Test func `an item without an answer keeps nothing under its key`() async throws {
        try await TestLedger.with { ledger in
            try await ledger.fund(1_000)
            let item: @Sendable () -> LedgerItem = {
                ledger.item(ledger.pay(1, from: ledger.customers[0], to: ledger.house), key: IdempotencyTests.key())
            }
            try await ledger.running { running in
                for _ in 0..<2 { _ = try await running.submit(item()).receipt }
            }
            #expect(try await ledger.balance(ledger.customers[0]).posted == 998)
        }
    }

    @Test func `keys of other principals, methods, paths and names are others`() {
        let keys = [
            IdempotencyKey(principal: "ab", method: "POST", path: "/c", key: "d", body: "".utf8),
            IdempotencyKey(principal: "a", method: "POST", path: "/c", key: "d", body: "".utf8),
            IdempotencyKey(principal: "ab", method: "PUT", path: "/c", key: "d", body: "".utf8),
            IdempotencyKey(principal: "ab", method: "POST", path: "/cd", key: "d", body: "".utf8),
            IdempotencyKey(principal: "ab", method: "POST", path: "/c", key: "dd", body: "".utf8),
            IdempotencyKey(principal: "ab2:", method: "OST", path: "/c", key: "d", body: "".utf8),
        ]
        #expect(Set(keys.map(\.scope)).count == keys.count)
        #expect(Set(keys.map(\.request)).count == 1)
    }
}
