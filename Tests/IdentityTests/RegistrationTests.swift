import HTTP
import Identity
import Kernel
import PostgreSQL
import Testing

struct RegistrationTests {
    @Test func `a registration makes an active customer and tells of it`() async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.send(
                "POST",
                "/v1/auth/register",
                ["email": "Ada@Example.COM", "username": "ada", "password": .string(Fixture.password), "name": "Ada L"]
            )
            #expect(answer.status == 201)
            #expect(answer.headers["Location"] == "/v1/me")
            #expect(answer.headers["ETag"] == "\"1\"")
            #expect(answer.text("email") == "ada@example.com")
            #expect(answer.text("status") == "active")
            #expect(answer.text("kyc_status") == "none")
            #expect(answer.json["fee_tier"] == .integer(1))
            #expect(answer.json["roles"] == ["customer"])
            #expect(answer.json["password_hash"] == nil)
            let id = try #require(answer.text("id").flatMap { ID<User>(wire: $0) })

            let hash: String = try await fixture.value("select password_hash from platform.users where id = \(id)")
            #expect(hash.hasPrefix("$2"))
            let events = try await fixture.pool.query(
                "select type, aggregate_id, version, payload from platform.outbox_events"
            )
            #expect(events.count == 1)
            #expect(try events[0]["type"] == "platform.user.registered")
            #expect(try events[0]["aggregate_id"] == id.value)
            #expect(try events[0]["version"] == 1)
            let payload: JSON = try events[0]["payload"]
            #expect(payload["username"] == "ada")
            #expect(!String(decoding: payload.serialized(), as: UTF8.self).contains("example.com"))
            let audit = try await fixture.pool.query(
                "select actor, action, entity_id, ip, user_agent, correlation from platform.audit_log"
            )
            #expect(audit.count == 1)
            #expect(try audit[0]["action"] == "user.registered")
            #expect(try audit[0]["actor"] == id.wire)
            #expect(try audit[0]["entity_id"] == id.value)
            #expect(try audit[0]["ip"] == "192.0.2.7")
            #expect(try audit[0]["user_agent"] == "tests/1")
            #expect(try (audit[0]["correlation"] as UInt128?) != nil)
            #expect(try await fixture.value("select to_status from platform.status_history") == "active")
        }
    }

    @Test func `an address that is taken is told, in either case of letters`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let answer = try await fixture.register("grace", email: "ADA@example.com")
            #expect(answer.status == 409)
            #expect(answer.code == "email_taken")
            #expect(try await fixture.value("select count(*) from platform.users") == 1)
            #expect(try await fixture.value("select count(*) from platform.outbox_events") == 1)
            #expect(try await fixture.actions() == ["user.registered"])
        }
    }

    @Test(arguments: ["ada", "admin", "support"])
    func `a username that is taken or reserved is told`(username: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let answer = try await fixture.register(username, email: "other@example.com")
            #expect(answer.status == 409)
            #expect(answer.code == "username_taken")
        }
    }

    @Test func `of many registrations of one address one succeeds`() async throws {
        try await Fixture.with { fixture in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 { group.addTask { try await fixture.register("ada\(number)").status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == 1)
            #expect(statuses.count { $0 == 409 } == 11)
        }
    }

    @Test(arguments: [
        ("short", "too_short"), (String(repeating: "a", count: 73), "too_long"),
        (String(repeating: "ü", count: 40), "too_long"),
    ])
    func `a password outside the bounds is 400`(password: String, fault: String) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.register(password: password)
            #expect(answer.status == 400)
            #expect(answer.faults == ["/password \(fault)"])
        }
    }

    @Test(arguments: ["administrator", "aaaaaaaaaaaa", "xx adalovelace xx"])
    func `a password that is easy to guess is refused`(password: String) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.register("adalovelace", password: password)
            #expect(answer.status == 422)
            #expect(answer.code == "weak_password")
            #expect(answer.faults == ["/password weak"])
            #expect(try await fixture.value("select count(*) from platform.users") == 0)
        }
    }

    @Test func `a password may be in any script`() async throws {
        try await Fixture.with { fixture in
            let registered = try await fixture.register(password: "жираф ест листья")
            #expect(registered.status == 201)
            #expect(try await fixture.signIn(password: "жираф ест листья").status == 200)
        }
    }

    @Test(arguments: [
        (#"{"email":"ada@example.com","username":"ada"}"#, "/password missing"),
        (#"{"email":"nobody","username":"ada","password":"correct horse staple"}"#, "/email bad_format"),
        (#"{"email":"a@example.com","username":"Ada!","password":"correct horse staple"}"#, "/username bad_format"),
        (
            #"{"email":"a@example.com","username":"ada","password":"correct horse staple","fee_tier":5}"#,
            "/fee_tier unknown_field"
        ),
        (
            #"{"email":"a@example.com","username":"ada","password":"correct horse staple","roles":["operator"]}"#,
            "/roles unknown_field"
        ),
    ])
    func `a body that breaks its schema is 400`(body: String, fault: String) async throws {
        try await Fixture.with { fixture in
            let answer = try await fixture.send("POST", "/v1/auth/register", JSON.parse(Array(body.utf8)))
            #expect(answer.status == 400)
            #expect(answer.faults == [fault])
        }
    }

    @Test func `registrations are limited by address`() async throws {
        try await Fixture.with {
            $0.registrationLimit = .init("registration", quota: 2, windowSeconds: 60, scope: .address)
        } _: { fixture in
            for number in 0..<2 {
                #expect(try await fixture.register("ada\(number)", email: "a\(number)@example.com").status == 201)
            }
            let answer = try await fixture.register("ada2", email: "a2@example.com")
            #expect(answer.status == 429)
            #expect(answer.headers["Retry-After"] != nil)
        }
    }

    @Test func `a hasher that is overloaded is 503, and nothing is stored`() async throws {
        try await Fixture.with { fixture in
            fixture.hasher.overload(true)
            let answer = try await fixture.register()
            #expect(answer.status == 503)
            #expect(answer.code == "overloaded")
            #expect(try await fixture.value("select count(*) from platform.users") == 0)
        }
    }

    @Test func `an operator is made by a command and not by a route`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.operator()
            let probe = try await fixture.send("GET", "/v1/probe", token: token)
            #expect(probe.json["roles"] == ["operator"])
            #expect(
                probe.json["permissions"] == [
                    "me", "operate:erasure", "operate:fees", "operate:money", "operate:personal_data", "operate:users",
                    "staff:approvals", "staff:users",
                ]
            )
            let grant = try await fixture.pool.query("select user_id, granted_by from platform.user_roles")
            #expect(try grant[0]["user_id"] == id)
            #expect(try grant[0]["granted_by"] == "operator:root")
            let glass = try await fixture.pool.query(
                "select actor, entity_id, after from platform.audit_log where action = 'break_glass.role_granted'"
            )
            #expect(try glass.count == 1 && glass[0]["actor"] == "operator:root" && glass[0]["entity_id"] == id.value)
            #expect(try (glass[0]["after"] as JSON)["role"] == "operator")
            await #expect(throws: IdentityProblem.emailTaken) {
                try await fixture.identity.createOperator(
                    email: "OLGA@example.com",
                    username: "olga2",
                    password: Fixture.password,
                    actor: "operator:root"
                )
            }
            await #expect(throws: Problem.self) {
                try await fixture.identity.createOperator(
                    email: "no address",
                    username: "olga2",
                    password: Fixture.password,
                    actor: "operator:root"
                )
            }
        }
    }

    @Test func `the demo users are made once, by several processes at once`() async throws {
        try await Fixture.with { fixture in
            let other = try await fixture.sibling()
            async let first = fixture.identity.seedDemoUsers()
            async let second = other.identity.seedDemoUsers()
            let ids = try await [first, second, fixture.identity.seedDemoUsers()]
            #expect(Set(ids).count == 1)
            #expect(try await fixture.value("select count(*) from platform.users") == 3)
            #expect(
                try await fixture.value("select count(*) from platform.users where kyc_status = 'approved'") == 2
            )
            for account in DemoUsers.accounts {
                #expect(try await fixture.signIn(account.email, password: account.password).status == 200)
            }
        }
    }
}
