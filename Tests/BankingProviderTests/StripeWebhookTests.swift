import HTTP
import Kernel
import Messaging
import PostgreSQL
import TestSupport
import Testing
import Webhooks

@testable import Banking

/// localstripe's webhooks, made worse by the proxy, into a real inbox.
@Suite(.serialized) struct StripeWebhookTests {
    private struct World: Sendable {
        let peer: StripePeer
        let pool: Pool
        let url: String

        /// The events that are in the inbox, in the order of their coming.
        func events() async throws -> [ProviderEvent] {
            let rows = try await pool.query(
                "select body from banking.inbox where source = 'stripe' order by received_at, id"
            )
            return try rows.map { row in
                let body: Bytes = try row["body"]
                return try peer.provider().event(try JSON.parse(body.array))
            }
        }

        /// How often a webhook was answered with each status.
        func statuses() async throws -> [Int] {
            try await peer.seen()["statuses"]?.elements?.compactMap(\.integerValue) ?? []
        }

        func pay() async throws -> (intent: ProviderIntent, reference: String) {
            let intent = try ProviderIntent.new(token: try await peer.card("4242424242424242"))
            return (intent, try #require(await peer.provider().createDeposit(intent).reference))
        }
    }

    private func with(_ hooks: JSON, _ body: (World) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let pool = database.pool(.banking)
            let inbox = Inbox(pool: pool, schema: .banking, ids: IDGenerator(), logger: .quiet)
            let commits = GroupCommit(InboxIntake(inbox), label: "webhooks")
            let source = WebhookSource(
                name: "stripe",
                signature: .stripe,
                keys: try KeyRing(.stripe, texts: WebhookFixture.stripeSecrets),
                reader: Providers.stripe
            )
            let api = API.open(WebhookRoutes([source], into: WebhookIntake(commits)).routes)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await commits.run() }
                try await api.serving { port in
                    try await StripePeer.with { peer in
                        let url = "http://127.0.0.1:\(port)/v1/webhooks/stripe"
                        guard case .object(let members) = hooks else { throw StripePeer.Unusable() }
                        let standard: [JSON.Member] = [
                            .init("url", .string(url)), .init("secret", .string(WebhookFixture.stripeSecrets[0])),
                        ]
                        try await peer.setHooks(.object(standard + members))
                        try await body(World(peer: peer, pool: pool, url: url))
                    }
                }
                group.cancelAll()
            }
        }
    }

    @Test func `a payment's success comes in and names our transaction`() async throws {
        try await with([:]) { world in
            let paid = try await world.pay()
            #expect(try await eventually { try await !world.events().isEmpty })
            let event = try #require(try await world.events().first)
            #expect((event.state, event.transaction) == (.succeeded, paid.intent.transaction))
            #expect((event.objectID, event.amount) == (paid.reference, paid.intent.amount))
        }
    }

    @Test func `events that come several times and in the wrong order are kept once each`() async throws {
        try await with(["copies": .integer(3), "reverse_of": .integer(4)]) { world in
            var references: Set<String> = []
            for _ in 0..<4 { references.insert(try await world.pay().reference) }
            #expect(try await eventually { try await world.statuses().count == 12 })
            #expect(try await world.statuses() == Array(repeating: 200, count: 12))
            #expect(Set(try await world.events().map(\.objectID)) == references)
            #expect(try await world.events().count == 4)
        }
    }

    @Test func `a webhook that overtakes the API's answer is kept under the object of that answer`() async throws {
        try await with([:]) { world in
            let card = try await world.peer.card("4242424242424242")
            let intent = try ProviderIntent.new(token: card)
            try await world.peer.set([.slowAnswer("POST /v1/payment_intents", seconds: "4")])
            async let answer = world.peer.provider(deadlineSeconds: 20).createDeposit(intent)
            #expect(try await eventually { try await !world.events().isEmpty })
            let event = try #require(try await world.events().first)
            let reference = await answer.reference
            #expect((event.objectID, event.transaction) == (reference, intent.transaction))
            #expect(try await world.peer.intents(of: intent.transaction).count == 1)
        }
    }

    @Test func `a secret in rotation is good, a foreign one isn't, and what was refused comes later`() async throws {
        try await with(["secret": .string("whsec_of_somebody_else"), "hold": false]) { world in
            _ = try await world.pay()
            #expect(try await eventually { try await world.statuses().contains(401) })
            #expect(try await world.events().isEmpty)
            try await world.peer.setHooks(["secret": .string(WebhookFixture.stripeSecrets[1])])
            let second = try await world.pay()
            #expect(try await eventually { try await world.events().map(\.objectID) == [second.reference] })
            // The first one is found by asking.
            #expect(try await world.peer.provider().events(since: Timestamp(seconds: 0)).count == 2)
        }
    }

    @Test func `events that are held back come in when they come`() async throws {
        try await with(["hold": true]) { world in
            let paid = try await world.pay()
            #expect(try await eventually { try await world.peer.seen()["held"] == .integer(1) })
            #expect(try await world.events().isEmpty)
            _ = try await world.peer.ask("/_hooks/release", [:])
            #expect(try await world.events().map(\.objectID) == [paid.reference])
        }
    }
}
