import DomainKit
import HTTP
import Kernel
import Ledger
import Messaging
import PostgreSQL
import Projections
import Testing

@Suite struct AgeTests {
    private let user = IDGenerator().next(User.self)

    @Test func `projections are as old as the oldest event that is on its way`() async throws {
        try await Fixture.with { fixture in
            func age() async throws -> Double { try #require(try await fixture.projections.status().first).ageSeconds }
            #expect(try await age() < 0.5)
            try await fixture.act(user, [fixture.credit(try await fixture.account(user), 1_000)])
            _ = try await fixture.domain.pool.query(
                "update investing.outbox_events set recorded_at = recorded_at - interval '100 seconds'"
            )
            #expect((100..<160).contains(try await age()))
            // Delivered and not handled it is as old as before, although it came in just now.
            try await fixture.relay()
            #expect((100..<160).contains(try await age()))
            try await fixture.handle()
            #expect(try await age() < 0.5)
            let status = try #require(try await fixture.projections.status().first)
            #expect(status.balances == 1)
            #expect(status.transactions == 1)
            #expect(status.domain == "investing")
        }
    }

    @Test func `a customer sees own balances in all domains, and since when`() async throws {
        try await Fixture.with { fixture in
            let stranger = fixture.ids.next(User.self)
            try await fixture.act(
                user,
                [
                    fixture.credit(try await fixture.account(user), 1_050),
                    fixture.reserve(try await fixture.account(user), 50),
                ]
            )
            try await fixture.act(stranger, [fixture.credit(try await fixture.account(stranger), 77)])
            try await fixture.settle()
            let api = API(
                fixture.projections.routes,
                description: APIDescription(title: "Test", version: "1", text: ""),
                services: API.Services(authenticator: OneUser(user: user))
            )
            let answer = await api.respond("GET", "/v1/balances", headers: ["Authorization": "Bearer reader"])
            #expect(answer.status == 200)
            let body = try JSON.parse(try #require(answer.encodedBody()).bytes)
            let entries = try #require(body["data"]?.elements)
            #expect(entries.count == 1)
            #expect(entries.first?["domain"] == "investing")
            #expect(entries.first?["account"] == "trading")
            #expect(entries.first?["available"] == "10.00")
            #expect(entries.first?["reserved"] == "0.50")
            #expect(entries.first?["staked"] == "0.00")
            #expect(entries.first?["total"] == "10.50")
            #expect(entries.first?["as_of"]?.stringValue.flatMap { Timestamp($0) } != nil)
            let other = await api.respond("GET", "/v1/balances", headers: ["Authorization": "Bearer nobody"])
            #expect(other.status == 403)
        }
    }
}

/// A reader of balances, and somebody who may do nothing.
struct OneUser: Authenticator {
    let user: ID<User>

    func principal(bearer token: String, request: APIRequest) async throws -> Principal {
        Principal(user: user, permissions: token == "reader" ? ["balances:read"] : [])
    }
}
