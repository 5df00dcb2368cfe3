import HTTP
import Kernel
import Messaging
import OutboundHTTP
import PostgreSQL
import Settings
import TestSupport
import Testing
import Webhooks

@testable import Banking

/// The simulator on a real database, its webhooks over a real network, its time in the test's hand.
@Suite struct SandboxTests {
    private struct World: Sendable {
        let fixture = WebhookFixture()
        let pool: Pool
        let ids = IDGenerator()

        var clock: ManualClock { fixture.clock }

        var provider: SandboxProvider {
            SandboxProvider(schema: .banking, pool: pool, ids: ids, clock: clock)
        }

        func deliveries(to url: String) -> SandboxDeliveries {
            SandboxDeliveries(
                schema: .banking,
                pool: pool,
                clock: clock,
                http: .loopback(),
                publicURL: url,
                secrets: [Secret(WebhookFixture.sandboxSecret)],
                logger: .quiet
            )
        }

        /// Moves the time and sends what is due; answers what has come in so far, in its order.
        func after(milliseconds: Int, _ url: String) async throws -> [ProviderEvent] {
            clock.set(clock.now().adding(milliseconds: milliseconds))
            while try await deliveries(to: url).sendDue() > 0 {}
            return try fixture.inbox.arrivals.map { try provider.event(try JSON.parse($0.body)) }
        }
    }

    private func with(_ body: (World, _ url: String) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let world = World(pool: database.pool(.banking))
            try await world.fixture.api().serving { port in try await body(world, "http://127.0.0.1:\(port)") }
        }
    }

    @Test func `a deposit is processed and succeeds, with the fee that it really cost`() async throws {
        try await with { world, url in
            let intent = try ProviderIntent.new("100.00")
            let answer = await world.provider.createDeposit(intent)
            #expect(answer.action?["type"] == "sandbox_client_secret")
            #expect(try await world.after(milliseconds: 99, url).isEmpty)
            let events = try await world.after(milliseconds: 401, url)
            #expect(events.map(\.state) == [.processing, .succeeded])
            for event in events {
                #expect((event.transaction, event.objectID) == (intent.transaction, answer.reference))
                #expect(event.amount == intent.amount)
            }
            #expect(events.map { $0.actualFee?.wire } == [nil, "3.18"])
            #expect(events.last?.occurredAt == WebhookFixture.now.adding(milliseconds: 500))
        }
    }

    @Test func `a call is done once for a key, and another call under it is refused`() async throws {
        try await with { world, url in
            let intent = try ProviderIntent.new(step: "create_payout")
            let answers = await withTaskGroup { group in
                for _ in 0..<8 { group.addTask { await world.provider.createPayout(intent) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers).count == 1 && answers.first?.reference != nil)
            #expect(
                try await world.after(milliseconds: 1_000, url).map(\.type) == [
                    "payout.processing", "payout.succeeded",
                ]
            )
            let other = try ProviderIntent.new("99.00", step: "create_payout", of: intent.transaction)
            #expect(await world.provider.createPayout(other) == .refused(reason: "idempotency_key_reused"))
        }
    }

    @Test(arguments: [
        (SandboxBehaviour.failed, [ProviderEvent.State.processing, .failed]), (.duplicate, [.processing, .succeeded]),
        (.outOfOrder, [.succeeded, .processing]), (.never, []), (.disputed, [.processing, .succeeded, .disputed]),
        (.unknown, [.processing, .succeeded]), (.slow, [.processing, .confirming]), (.late, [.processing]),
    ])
    func `an account's token says how it goes in the first five seconds`(
        _ behaviour: SandboxBehaviour,
        _ states: [ProviderEvent.State]
    ) async throws {
        try await with { world, url in
            _ = await world.provider.createDeposit(try .new(token: behaviour.rawValue))
            var events: [ProviderEvent] = []
            for _ in 0..<50 { events = try await world.after(milliseconds: 100, url) }
            #expect(events.map(\.state) == states)
        }
    }

    @Test func `what is slow or late succeeds in the end`() async throws {
        try await with { world, url in
            _ = await world.provider.createDeposit(try .new(token: "tok_slow"))
            _ = await world.provider.createPayout(try .new(step: "create_payout", token: "tok_late"))
            let soon = try await world.after(milliseconds: 31_000, url).filter { $0.state == .succeeded }
            #expect(soon.map(\.type) == ["deposit.succeeded"])
            let before = try await world.after(milliseconds: 44 * 60_000, url).filter { $0.state == .succeeded }
            #expect(before.count == 1)
            let late = try await world.after(milliseconds: 30_000, url).filter { $0.state == .succeeded }
            #expect(late.map(\.type) == ["deposit.succeeded", "payout.succeeded"])
        }
    }

    @Test func `a duplicate is sent several times under one id`() async throws {
        try await with { world, url in
            _ = await world.provider.createDeposit(try .new(token: "tok_duplicate"))
            _ = try await world.after(milliseconds: 5_000, url)
            let rows = try await world.pool.query(
                """
                select event_id, count(*)::int as copies from banking.sandbox_deliveries
                where status = 'delivered' group by event_id
                """
            )
            #expect(try rows.map { row -> Int in try row["copies"] }.sorted() == [2, 4])
        }
    }

    @Test func `a declined account is refused at once`() async throws {
        try await with { world, _ in
            let deposit = await world.provider.createDeposit(try .new(token: "tok_declined"))
            #expect(deposit == .refused(reason: "card_declined"))
            let payout = await world.provider.createPayout(try .new(step: "create_payout", token: "tok_declined"))
            #expect(payout == .refused(reason: "account_not_accepted"))
        }
    }

    @Test func `an answer that gets lost comes with the repetition`() async throws {
        try await with { world, url in
            let intent = try ProviderIntent.new(token: "tok_unknown")
            #expect(await world.provider.createDeposit(intent).isUnknown)
            let answer = await world.provider.createDeposit(intent)
            let events = try await world.after(milliseconds: 1_000, url)
            #expect(events.count == 2 && events.allSatisfy { $0.objectID == answer.reference })
        }
    }

    @Test func `what nobody was told can be asked for`() async throws {
        try await with { world, url in
            let start = world.clock.now()
            let answer = await world.provider.createDeposit(try .new(token: "tok_never"))
            #expect(try await world.after(milliseconds: 400, url).isEmpty)
            #expect(try await world.provider.events(since: start).count == 1)
            #expect(try await world.after(milliseconds: 400, url).isEmpty)
            let events = try await world.provider.events(since: start).map { try world.provider.event($0) }
            #expect(events.map(\.state) == [.processing, .succeeded])
            #expect(events.allSatisfy { $0.objectID == answer.reference })
            #expect(try await world.provider.events(since: world.clock.now()).isEmpty)
        }
    }

    @Test func `a deposit is given back once it succeeded, and never more than it was`() async throws {
        try await with { world, url in
            let reference = try #require(try await world.provider.createDeposit(.new("10.00")).reference)
            func refund(_ wire: String) async throws -> ProviderAnswer {
                await world.provider.refund(try .new(wire, step: "refund"), of: reference)
            }
            #expect(try await refund("10.00") == .refused(reason: "not_paid"))
            _ = try await world.after(milliseconds: 500, url)
            #expect(try await refund("10.01") == .refused(reason: "exceeds_payment"))
            #expect(try await refund("6.00").reference != nil)
            #expect(try await refund("4.01") == .refused(reason: "exceeds_payment"))
            let event = try #require(try await world.after(milliseconds: 500, url).last)
            #expect((event.type, event.state, event.objectID) == ("refund.refunded", .refunded, reference))
            for wrong in ["", "sbo_x", SandboxObject(reference: world.ids).wire] {
                let answer = await world.provider.refund(try .new("1.00", step: "refund"), of: wrong)
                #expect(answer == .refused(reason: "unknown_reference"))
            }
        }
    }

    @Test func `two refunds at once give back no more than there was`() async throws {
        try await with { world, url in
            let reference = try #require(try await world.provider.createDeposit(.new("10.00")).reference)
            _ = try await world.after(milliseconds: 500, url)
            let answers = await withTaskGroup { group in
                for _ in 0..<6 {
                    group.addTask {
                        guard let intent = try? ProviderIntent.new("4.00", step: "refund") else {
                            return ProviderAnswer.unknown("")
                        }
                        return await world.provider.refund(intent, of: reference)
                    }
                }
                return await group.reduce(into: [ProviderAnswer]()) { $0.append($1) }
            }
            #expect(answers.filter { $0.reference != nil }.count == 2)
            #expect(answers.filter { $0 == .refused(reason: "exceeds_payment") }.count == 4)
        }
    }

    @Test func `a webhook that isn't taken is sent again, and two processes send each but once`() async throws {
        try await with { world, url in
            for _ in 0..<40 { _ = await world.provider.createDeposit(try .new()) }
            world.fixture.inbox.fail(PostgresError.unreachable("away"))
            #expect(try await world.after(milliseconds: 600, url).isEmpty)
            world.fixture.inbox.fail(nil)
            world.clock.advance(seconds: 6)
            let sent = try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask { () async throws -> Int in
                        var sent = 0
                        while true {
                            let count = try await world.deliveries(to: url).sendDue()
                            if count == 0 { return sent }
                            sent += count
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sent == 80)
            #expect(world.fixture.inbox.arrivals.count == 80)
        }
    }

    @Test func `a webhook that is never taken is given up`() async throws {
        try await with { world, _ in
            _ = await world.provider.createDeposit(try .new())
            world.clock.advance(seconds: 1)
            let deliveries = world.deliveries(to: Providers.nowhere)
            for _ in 0..<SandboxDeliveries.attemptsMax {
                #expect(try await deliveries.sendDue() == 2)
                world.clock.advance(seconds: 6 * 3_600)
            }
            #expect(try await deliveries.sendDue() == 0)
            let rows = try await world.pool.query("select status, last_error from banking.sandbox_deliveries")
            for row in rows {
                let (status, error): (String, String) = (try row["status"], try row["last_error"])
                #expect(status == "dead" && error.contains("connectFailed"))
            }
        }
    }

    @Test func `the service sends until it is stopped`() async throws {
        try await with { world, url in
            _ = await world.provider.createDeposit(try .new())
            world.clock.advance(seconds: 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await world.deliveries(to: url).run() }
                #expect(await eventually { world.fixture.inbox.arrivals.count == 2 })
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func `a database that is away means that nothing was taken on`() async throws {
        #expect(try await Providers.sandbox.createDeposit(.new()).isUnavailable)
    }

    @Test func `an event of something else is refused`() throws {
        let body = try JSON(text: #"{"id":"sbe_1","type":"deposit.succeeded","mode":"live","data":{"object":"sbo_1"}}"#)
        #expect(throws: ProviderEventError.wrongMode) { try Providers.sandbox.event(body) }
        let bare = try JSON(
            text: #"{"id":"sbe_1","type":"deposit.succeeded","mode":"sandbox","data":{"object":"sbo_1"}}"#
        )
        #expect(throws: ProviderEventError.malformed("data.asset")) { try Providers.sandbox.event(bare) }
    }
}

extension SandboxObject {
    /// A reference of an object that isn't there.
    fileprivate init(reference ids: IDGenerator) {
        self.init(
            id: ids.next(),
            kind: .deposit,
            transaction: ids.next(),
            refundOf: nil,
            amount: .zero(.usd),
            behaviour: .ok,
            createdAt: WebhookFixture.now
        )
    }

    fileprivate var wire: String { id.wire }
}
