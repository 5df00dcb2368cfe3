import DomainTransfers
import HTTP
import Kernel
import PostgreSQL
import Testing

/// Lists of transfers, in all domains alike.
@Suite struct ListTests {
    private let user = IDGenerator().next(User.self)

    private func list(_ world: World, _ domain: Schema, _ query: String = "") async throws -> APIResponse {
        try await world.member(domain).api.respond(
            "GET",
            "/v1/\(domain)/transfers\(query)",
            headers: ["Authorization": "Bearer \(user.wire)"]
        )
    }

    private func ids(_ response: APIResponse) -> [String] {
        (response.json["data"]?.elements ?? []).compactMap { $0["id"]?.stringValue }
    }

    @Test func `both domains list what left and what came, newest first, page by page`() async throws {
        try await World.with { world in
            let money = try Money(wire: "100.00", .usd)
            try await world.fund(user, money, in: .banking)
            try await world.fund(IDGenerator().next(), money, in: .banking)
            var sent: [String] = []
            for units in 1...5 {
                let amount = Money(minorUnits: Int128(units) * 100, .usd)
                sent.append(try await world.sent(user, amount, from: .banking, to: .investing).wire)
            }
            let refused = try await world.sent(user, Money(minorUnits: 700, .usd), from: .banking, to: .defi).wire
            try await world.settle()
            #expect(ids(try await list(world, .banking)) == [refused] + sent.reversed())
            #expect(ids(try await list(world, .investing)) == sent.reversed())
            // What a domain refused, the customer never had there.
            #expect(ids(try await list(world, .defi)) == [])

            var (found, query): ([String], String?) = ([], "?limit=2&status=completed")
            var pages = 0
            while let asked = query {
                let page = try await list(world, .banking, asked)
                found += ids(page)
                pages += 1
                query = page.json["next_cursor"]?.stringValue.map { "?limit=2&status=completed&cursor=\($0)" }
            }
            #expect(found == sent.reversed() && pages == 3)
        }
    }

    @Test func `lists are filtered, and bad filters refused`() async throws {
        try await World.with { world in
            try await world.fund(user, Money(wire: "100.00", .usd), in: .banking)
            let out = try await world.sent(user, Money(wire: "5.00", .usd), from: .banking, to: .investing).wire
            try await world.settle()
            let back = try await world.sent(user, Money(wire: "2.00", .usd), from: .investing, to: .banking).wire
            try await world.settle()
            for (query, expected) in [
                ("?direction=out", [out]), ("?direction=in", [back]), ("?asset=EUR", []), ("?other=defi", []),
                ("?other=investing&status=completed", [back, out]), ("?status=in_transit", []),
                ("?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z", []),
            ] {
                #expect(ids(try await list(world, .banking, query)) == expected, "\(query)")
            }
            for query in ["?status=refused", "?direction=up", "?other=banking", "?limit=0", "?colour=red"] {
                #expect(try await list(world, .banking, query).status == 400, "\(query)")
            }
            let stranger = try await world.member(.banking).api.respond(
                "GET",
                "/v1/banking/transfers",
                headers: ["Authorization": "Bearer \(IDGenerator().next(User.self).wire)"]
            )
            #expect(ids(stranger) == [])
        }
    }
}
