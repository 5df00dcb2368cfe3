import DomainKit
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Testing

@Suite struct BalanceProjectionTests {
    private let user = IDGenerator().next(User.self)

    @Test func `what events tell of accounts is shown`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(user, [fixture.credit(account, 1_000), fixture.reserve(account, 300)])
            #expect(try await fixture.shown(user).isEmpty)
            try await fixture.settle()
            #expect(try await fixture.shown(user) == [.init(kind: "trading", available: 700, reserved: 300)])
            try await fixture.expectTrue()
        }
    }

    @Test func `what an own wallet sends to an address is a payout, whatever else an intent does isn't`() async throws {
        try await Fixture.with { fixture in
            let sent: ID<User> = fixture.ids.next()
            let intents: [(ID<User>, Int64, String, String)] = [
                (sent, 1, "transfer", "built"), (sent, 2, "transfer", "final"),
                (fixture.ids.next(), 1, "approve", "final"),
            ]
            for (id, version, kind, status) in intents {
                let payload: JSON = [
                    "intent": .string("int_1"), "user": .string(user.wire), "kind": .string(kind),
                    "status": .string(status), "asset": "USD", "amount": "7.00", "fee": "0.00",
                ]
                let event = OutboxEvent(
                    id: fixture.ids.next(),
                    aggregateType: "intent",
                    aggregate: id,
                    version: version,
                    type: "investing.intent.\(status)",
                    payload: payload
                )
                let item = LedgerItem(operation: fixture.ids.next(), commands: []) { _, _ in
                    LedgerItem.Finish(rows: [event])
                }
                guard case .done = try await fixture.domain.ledger.submit(item) else { throw Unstored() }
            }
            try await fixture.settle()
            let facts = try await fixture.platform.query(
                "select transaction, type, status, amount from platform.transaction_facts"
            )
            #expect(facts.count == 1)
            let (id, type, status): (ID<User>, String, String) = (
                try facts[0]["transaction"], try facts[0]["type"], try facts[0]["status"]
            )
            #expect(id == sent && type == "payout" && status == "final")
        }
    }

    private struct Unstored: Error {}

    @Test func `accounts of the house are not told`() async throws {
        try await Fixture.with { fixture in
            try await fixture.act(user, [fixture.credit(try await fixture.account(user), 1_000)])
            try await fixture.settle()
            let rows: Int = try await fixture.platform.query("select count(*) from platform.user_balances")[0][0]
            #expect(rows == 1)
        }
    }

    @Test(arguments: [1, InboxWorker.lanesMax])
    func `changes of what is reserved count in their order within a batch`(atOnce: Int) async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(user, [fixture.credit(account, 100_000)])
            // One batch: neither version nor instant tells these apart.
            let items = (1...40).map { fixture.item(user, [fixture.reserve(account, Int128($0))]) }
            _ = try await fixture.domain.ledger.submit(batch: items)
            try await fixture.relay()
            try await fixture.handle(atOnce: atOnce)
            #expect(try await fixture.shown(user) == [.init(kind: "trading", available: 99_180, reserved: 820)])
        }
    }

    @Test func `an older state never replaces a newer one`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            for _ in 0..<5 { try await fixture.act(user, [fixture.credit(account, 100)]) }
            let rows = try await fixture.domain.pool.query(
                """
                select event_id, aggregate_id, version, type, payload, recorded_at from investing.outbox_events
                order by id
                """
            )
            // The last one first.
            for row in rows.reversed() {
                let (event, aggregate): (UInt128, UInt128) = (try row[0], try row[1])
                let (version, type): (Int64, String) = (try row[2], try row[3])
                let (payload, at): (JSON, Timestamp) = (try row[4], try row[5])
                let envelope: JSON = [
                    "specversion": "1.0", "id": .string(ID<User>(event).description), "source": "/diboas/investing",
                    "type": .string("\(type).v1"), "subject": .string(ID<User>(aggregate).description),
                    "time": .string(at.description), "aggregatetype": "transaction",
                    "sequence": .string(String(version)), "data": payload,
                ]
                _ = try await fixture.inbox.put(
                    InboxArrival(
                        source: "investing",
                        eventID: ID<User>(event).description,
                        type: type,
                        body: envelope.serialized(),
                        origin: .event
                    )
                )
                try await fixture.handle()
                #expect(try await fixture.shown(user).first?.available == 500)
            }
        }
    }

    @Test func `a reservation that the sweeper ended is free again`() async throws {
        try await Fixture.with { fixture in
            let account = try await fixture.account(user)
            try await fixture.act(
                user,
                [fixture.credit(account, 1_000), fixture.reserve(account, 300, lifetime: .seconds(0))]
            )
            try await fixture.settle()
            #expect(try await fixture.shown(user).first?.reserved == 300)
            #expect(try await fixture.domain.sweeper.sweepOnce().expired == 1)
            try await fixture.settle()
            #expect(try await fixture.shown(user) == [.init(kind: "trading", available: 1_000, reserved: 0)])
            try await fixture.expectTrue()
        }
    }

    @Test func `events that come again change nothing, and many at once end as the ledger has it`() async throws {
        try await Fixture.with { fixture in
            var accounts: [(ID<User>, ID<LedgerAccount>)] = []
            for _ in 0..<8 {
                let user = fixture.ids.next(User.self)
                accounts.append((user, try await fixture.account(user)))
            }
            let all = accounts
            for round in 0..<5 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (position, (user, account)) in all.enumerated() {
                        group.addTask {
                            let amount = Int128(100 + position * 7 + round)
                            try await fixture.act(user, [fixture.credit(account, amount), fixture.reserve(account, 3)])
                        }
                    }
                    try await group.waitForAll()
                }
                try await fixture.relay()
                _ = try await fixture.domain.pool.query(
                    "update investing.outbox_events set status = 'pending', stage = 0, published_at = null"
                )
                try await fixture.settle()
            }
            try await fixture.expectTrue()
        }
    }

    @Test(arguments: ["owner", "account", "kind", "asset", "available", "reserved", "version", "at"])
    func `an event with a faulty balance is given up`(member: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.act(user, [fixture.credit(try await fixture.account(user), 1_000)])
            _ = try await fixture.domain.pool.query(
                """
                update investing.outbox_events
                set payload = jsonb_set(payload, array['balances', '0', \(member)], '"-x"'::jsonb)
                """
            )
            try await fixture.settle()
            let status: InboxEvent.Status = try await fixture.platform.query("select status from platform.inbox")[0][0]
            // Any text may be a kind.
            #expect(status == (member == "kind" ? .processed : .dead))
        }
    }

    @Test func `an event without balances and transactions is ignored`() async throws {
        try await Fixture.with { fixture in
            let event = OutboxEvent(
                id: fixture.ids.next(),
                aggregateType: "transfer",
                aggregate: fixture.ids.next(User.self),
                version: 1,
                type: "investing.transfer.sent",
                payload: ["to": "banking"]
            )
            _ = try await fixture.domain.ledger.submit(
                LedgerItem(operation: fixture.ids.next(), commands: []) { _, _ in LedgerItem.Finish(rows: [event]) }
            )
            try await fixture.settle()
            let status: InboxEvent.Status = try await fixture.platform.query("select status from platform.inbox")[0][0]
            #expect(status == .ignored)
        }
    }
}
