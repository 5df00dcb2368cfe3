import HTTP
import Kernel
import PostgreSQL
import Testing

@testable import Identity

struct SecondFactorTests {
    private func stepUp(_ fixture: Fixture, _ token: String, _ code: String) async throws -> Answer {
        try await fixture.send("POST", "/v1/auth/step-up", ["code": .string(code)], token: token)
    }

    @Test func `a factor counts once it is confirmed, and steps the session up`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            #expect(try await fixture.send("GET", "/v1/me/two-factor", token: token).json["enabled"] == false)
            let (_, codes) = try await fixture.enrol(token)
            #expect(Set(codes).count == 10)
            let state = try await fixture.send("GET", "/v1/me/two-factor", token: token)
            #expect(state.json["enabled"] == true)
            #expect(state.json["recovery_codes_left"] == .integer(10))
            #expect(state.text("stepped_up_until") == fixture.clock.now().adding(seconds: 900).description)
            #expect(try await fixture.actions().suffix(2) == ["user.two_factor_begun", "user.two_factor_on"])
            let again = try await fixture.send(
                "POST",
                "/v1/me/two-factor",
                ["password": .string(Fixture.password)],
                token: token
            )
            #expect(again.status == 409 && again.code == "two_factor_already_on")
        }
    }

    @Test func `setting it up takes the password, and wrong ones lock`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            for _ in 0..<5 {
                let answer = try await fixture.send("POST", "/v1/me/two-factor", ["password": "wrong"], token: token)
                #expect(answer.status == 422 && answer.code == "wrong_password")
            }
            let locked = try await fixture.send("POST", "/v1/me/two-factor", ["password": "wrong"], token: token)
            #expect(locked.status == 429 && locked.code == "sign_in_locked")
            #expect(try await fixture.value("select count(*) from platform.second_factors") == 0)
        }
    }

    @Test func `secret and recovery codes can't be read from the database`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let (app, codes) = try await fixture.enrol(token)
            let dump: String = try await fixture.value(
                """
                select (select string_agg(f::text, '') from platform.second_factors f)
                    || (select string_agg(r::text, '') from platform.recovery_codes r)
                    || (select string_agg(a::text, '') from platform.audit_log a)
                    || (select string_agg(encode(envelope, 'escape'), '') from platform.encrypted_user_data)
                """
            )
            for secret in codes + [app.secret] { #expect(!dump.contains(secret)) }
        }
    }

    @Test func `a step-up lasts some minutes, for its session alone`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.operator(isSteppedUp: false)
            let (_, id) = try await fixture.customer()
            let path = "/v1/operator/users/\(id.wire)?reason=a%20call"
            let bare = try await fixture.send("GET", path, token: token)
            #expect(bare.status == 403 && bare.code == "two_factor_required")
            #expect(bare.text("detail")?.contains("POST /v1/me/two-factor") == true)
            let (app, _) = try await fixture.enrol(token)
            #expect(try await fixture.send("GET", path, token: token).status == 200)

            let other = try #require(try await fixture.signIn("olga@example.com").text("access_token"))
            let due = try await fixture.send("GET", path, token: other)
            #expect(due.status == 403 && due.code == "step_up_required")
            fixture.clock.advance(seconds: 30)
            #expect(try await stepUp(fixture, other, app.code(at: fixture.clock.now())).status == 200)
            #expect(try await fixture.send("GET", path, token: other).status == 200)
            fixture.clock.advance(seconds: 570)
            let answer = try await fixture.signIn("olga@example.com")
            let fresh = try #require(answer.text("access_token"))
            let refresh = try #require(answer.text("refresh_token"))
            #expect(try await stepUp(fixture, fresh, app.code(at: fixture.clock.now())).status == 200)
            #expect(try await fixture.send("GET", path, token: fresh).status == 200)
            fixture.clock.advance(seconds: 899)
            let kept = try await fixture.send("POST", "/v1/auth/refresh", ["refresh_token": .string(refresh)])
            let last = try #require(kept.text("access_token"))
            #expect(try await fixture.send("GET", path, token: last).status == 200)
            fixture.clock.advance(seconds: 1)
            #expect(try await fixture.send("GET", path, token: last).code == "step_up_required")
            // A customer's factor opens nothing that the role doesn't.
            let customer = try #require(try await fixture.signIn().text("access_token"))
            try await fixture.enrol(customer)
            #expect(try await fixture.send("GET", path, token: customer).code == "forbidden")
        }
    }

    @Test func `a step-up in another process counts at once, also where the session was just looked at`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.operator(isSteppedUp: false)
            let (_, id) = try await fixture.customer()
            let sibling = try await fixture.sibling()
            let path = "/v1/operator/users/\(id.wire)?reason=a%20call"
            #expect(try await sibling.send("GET", path, token: token).code == "two_factor_required")
            try await fixture.enrol(token)
            #expect(try await sibling.send("GET", path, token: token).status == 200)
        }
    }

    @Test func `a code counts once, also fifty times at once`() async throws {
        try await Fixture.with { policy in
            policy.lockout.failuresMax = 1_000
            policy.sensitiveLimit = RateLimitClass("sensitive", quota: 1_000, windowSeconds: 600)
        } _: { fixture in
            let (token, _) = try await fixture.customer()
            let (app, _) = try await fixture.enrol(token)
            let used = try await stepUp(fixture, token, app.code(at: fixture.clock.now()))
            #expect(used.status == 422 && used.code == "wrong_code")
            fixture.clock.advance(seconds: 30)
            let code = app.code(at: fixture.clock.now())
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<50 { group.addTask { try await stepUp(fixture, token, code) } }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(answers.count { $0.code == "wrong_code" } == 49)
            // A code of an earlier step is no way around it.
            fixture.clock.advance(seconds: 120)
            let present = fixture.clock.now()
            #expect(try await stepUp(fixture, token, app.code(at: present)).status == 200)
            let earlier = app.code(at: present.adding(seconds: -30))
            #expect(try await stepUp(fixture, token, earlier).status == 422)
        }
    }

    @Test func `codes of the neighbouring steps count, of others not`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let (app, _) = try await fixture.enrol(token)
            for (seconds, status) in [(-60, 422), (-30, 200), (30, 200), (60, 422)] as [(Int64, Int)] {
                fixture.clock.advance(seconds: 120)
                let code = app.code(at: fixture.clock.now().adding(seconds: seconds))
                #expect(try await stepUp(fixture, token, code).status == status, "\(seconds)")
            }
        }
    }

    @Test func `wrong codes lock the factor, then the lock ends`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let (app, _) = try await fixture.enrol(token)
            fixture.clock.advance(seconds: 60)
            let right = app.code(at: fixture.clock.now())
            let wrong = right == "000000" ? "000001" : "000000"
            for _ in 0..<5 { #expect(try await stepUp(fixture, token, wrong).status == 422) }
            let locked = try await stepUp(fixture, token, right)
            #expect(locked.status == 429 && locked.code == "code_locked" && locked.headers["Retry-After"] == "30")
            fixture.clock.advance(seconds: 30)
            #expect(try await stepUp(fixture, token, app.code(at: fixture.clock.now())).status == 200)
            for text in ["", "12345", "abcdef", "1234567", "abcd-efgh-ijkl-mno1"] {
                #expect(try await stepUp(fixture, token, text).status == 400)
            }
        }
    }

    @Test func `a recovery code counts once, and new ones replace the old`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let (_, codes) = try await fixture.enrol(token)
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<4 { group.addTask { try await stepUp(fixture, token, codes[0]) } }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.map(\.status).sorted() == [200, 422, 422, 422])
            let state = try await fixture.send("GET", "/v1/me/two-factor", token: token)
            #expect(state.json["recovery_codes_left"] == .integer(9))
            let renewed = try await fixture.send(
                "POST",
                "/v1/me/two-factor/recovery-codes",
                ["code": .string(codes[1])],
                token: token
            )
            let new = renewed.json["recovery_codes"]?.elements?.compactMap(\.stringValue) ?? []
            #expect(renewed.status == 200 && new.count == 10)
            #expect(try await stepUp(fixture, token, codes[2]).status == 422)
            #expect(try await stepUp(fixture, token, new[2]).status == 200)
        }
    }

    @Test func `a factor that is removed opens nothing any more`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.operator(isSteppedUp: false)
            let (_, codes) = try await fixture.enrol(token)
            let (_, id) = try await fixture.customer()
            let path = "/v1/operator/users/\(id.wire)?reason=a%20call"
            #expect(try await fixture.send("GET", path, token: token).status == 200)
            let off = try await fixture.send(
                "POST",
                "/v1/me/two-factor/disable",
                ["code": .string(codes[0])],
                token: token
            )
            #expect(off.status == 204)
            #expect(try await fixture.send("GET", path, token: token).code == "two_factor_required")
            let none = try await stepUp(fixture, token, codes[1])
            #expect(none.status == 409 && none.code == "two_factor_off")
            #expect(try await fixture.value("select count(*) from platform.recovery_codes") == 0)
        }
    }
}
