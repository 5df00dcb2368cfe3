import Approvals
import HTTP
import Kernel
import PostgreSQL
import Testing

@testable import Identity

struct ApprovalTests {
    /// Two admins and a customer.
    private struct World: Sendable {
        let fixture: Fixture
        let maker: String
        let checker: String
        let customer: ID<User>
        let customerToken: String

        static func with(_ body: (World) async throws -> Void) async throws {
            try await Fixture.with { fixture in
                var tokens: [String] = []
                for name in ["mia", "carl"] {
                    _ = try await fixture.identity.createOperator(
                        email: "\(name)@example.com",
                        username: name,
                        password: Fixture.password,
                        role: .admin,
                        actor: "operator:root"
                    )
                    tokens.append(try #require(try await fixture.signIn("\(name)@example.com").text("access_token")))
                    try await fixture.enrol(tokens[tokens.count - 1])
                }
                let (token, id) = try await fixture.customer()
                let world = World(
                    fixture: fixture,
                    maker: tokens[0],
                    checker: tokens[1],
                    customer: id,
                    customerToken: token
                )
                try await body(world)
            }
        }

        func propose(
            _ kind: String = "role.grant",
            _ role: String = "support",
            as token: String? = nil
        ) async throws
            -> Answer
        {
            let payload: JSON = ["user": .string(customer.wire), "role": .string(role)]
            return try await fixture.send(
                "POST",
                "/v1/operator/approvals",
                ["kind": .string(kind), "payload": payload, "reason": "she helps out"],
                token: token ?? maker
            )
        }

        func decide(_ id: String, _ verb: String, as token: String) async throws -> Answer {
            let body: JSON? = verb == "approve" ? nil : ["reason": "no"]
            return try await fixture.send("POST", "/v1/operator/approvals/\(id)/\(verb)", body, token: token)
        }
    }

    @Test func `a role takes two people, and is given once`() async throws {
        try await World.with { world in
            let proposed = try await world.propose()
            #expect(proposed.status == 201 && proposed.text("status") == "proposed")
            let id = try #require(proposed.text("id"))
            #expect(try await world.propose().code == "proposed_already")
            let own = try await world.decide(id, "approve", as: world.maker)
            #expect(own.status == 403 && own.code == "own_proposal")
            #expect(
                try await world.fixture.value("select count(*) from platform.user_roles where role = 'support'") == 0
            )

            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<8 { group.addTask { try await world.decide(id, "approve", as: world.checker) } }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(answers.count { $0.code == "proposal_not_open" } == 7)
            let done = try await world.fixture.send("GET", "/v1/operator/approvals/\(id)", token: world.maker)
            #expect(done.text("status") == "executed" && done.json["result"] == ["role": "support"])
            let granted = try await world.fixture.pool.query(
                "select granted_by from platform.user_roles where role = 'support'"
            )
            #expect(try granted.map { row in try row[0] as String } == [try #require(proposed.text("proposed_by"))])
            let actions = try await world.fixture.actions()
            for action in ["approval.proposed", "approval.executed", "user.role_granted"] {
                #expect(actions.count { $0 == action } == 1, "\(action)")
            }
        }
    }

    @Test func `a role that is taken ends the sessions at once`() async throws {
        try await World.with { world in
            for (kind, isIn) in [("role.grant", true), ("role.revoke", false)] {
                let id = try #require(try await world.propose(kind).text("id"))
                #expect(try await world.decide(id, "approve", as: world.checker).status == 200)
                let probe = try await world.fixture.send("GET", "/v1/probe", token: world.customerToken)
                #expect(probe.status == (isIn ? 200 : 401))
            }
            // What can't be done is refused, and the proposal stays.
            let id = try #require(try await world.propose("role.revoke").text("id"))
            #expect(try await world.decide(id, "approve", as: world.checker).code == "role_not_possible")
            let kept = try await world.fixture.send("GET", "/v1/operator/approvals/\(id)", token: world.checker)
            #expect(kept.text("status") == "proposed")
        }
    }

    @Test func `it is refused by others, withdrawn by oneself, and over after a day`() async throws {
        try await World.with { world in
            let first = try #require(try await world.propose().text("id"))
            #expect(try await world.decide(first, "refuse", as: world.maker).code == "own_proposal")
            #expect(try await world.decide(first, "withdraw", as: world.checker).code == "not_your_proposal")
            let refused = try await world.decide(first, "refuse", as: world.checker)
            #expect(refused.text("status") == "refused" && refused.text("decision_reason") == "no")
            #expect(try await world.decide(first, "approve", as: world.checker).code == "proposal_not_open")
            let second = try #require(try await world.propose().text("id"))
            #expect(try await world.decide(second, "withdraw", as: world.maker).text("status") == "withdrawn")
            let third = try #require(try await world.propose().text("id"))
            let page = try await world.fixture.send(
                "GET",
                "/v1/operator/approvals?status=proposed&limit=1",
                token: world.checker
            )
            #expect(page.json["data"]?.elements?.first?["id"]?.stringValue == third)
            _ = try await world.fixture.pool.query(
                "update platform.approvals set expires_at = proposed_at + interval '1 second'"
            )
            world.fixture.clock.advance(seconds: 1)
            #expect(try await world.decide(third, "approve", as: world.checker).code == "proposal_not_open")
            #expect(try await world.propose().status == 201)
        }
    }

    @Test func `what is stored otherwise than proposed isn't done`() async throws {
        try await World.with { world in
            let id = try #require(try await world.propose().text("id"))
            _ = try await world.fixture.pool.query(
                "update platform.approvals set payload = jsonb_set(payload, '{role}', '\"admin\"')"
            )
            #expect(try await world.decide(id, "approve", as: world.checker).code == "proposal_changed")
            // Nor can the database be told that one person was two.
            let forged: SQL = """
                update platform.approvals
                set status = 'executed', decided_by = proposed_by, decided_at = clock_timestamp()
                """
            await #expect(throws: PostgresError.self) { try await world.fixture.pool.query(forged) }
        }
    }

    @Test func `nobody gets a role by the own hand, and none without the permission`() async throws {
        try await World.with { world in
            let (operatorToken, _) = try await world.fixture.operator()
            #expect(try await world.propose(as: operatorToken).code == "forbidden")
            #expect(try await world.propose(as: world.customerToken).code == "forbidden")
            #expect(try await world.propose("role.fly").status == 400)
            #expect(try await world.propose("role.grant", "customer").status == 400)
            let me = try #require(try await world.fixture.send("GET", "/v1/me", token: world.checker).text("id"))
            let own = try await world.fixture.send(
                "POST",
                "/v1/operator/approvals",
                ["kind": "role.grant", "payload": ["user": .string(me), "role": "operator"], "reason": "me"],
                token: world.maker
            )
            let id = try #require(own.text("id"))
            #expect(try await world.decide(id, "approve", as: world.checker).code == "own_account")
        }
    }

    @Test func `routes that ask for what no role can have are refused`() async throws {
        try await Fixture.with { fixture in
            try await fixture.identity.check(fixture.api.routes)
            let stray = Route(
                .get,
                "/v1/stray",
                operationID: "stray",
                summary: "Nobody's",
                tag: "Test",
                access: .permission("banking:fly"),
                responses: [200: ResponseShape("Never.", .any)]
            ) { _ in .noContent }
            await #expect(throws: UndeclaredPermissions(names: ["banking:fly"])) {
                try await fixture.identity.check([stray])
            }
        }
    }
}
