import HTTP
import Identity
import Kernel
import PostgreSQL
import Testing

struct SignInTests {
    @Test func `a sign-in gives tokens that count`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let answer = try await fixture.signIn("Ada@Example.com")
            #expect(answer.status == 200)
            #expect(answer.text("token_type") == "Bearer")
            #expect(answer.json["expires_in"] == .integer(600))
            #expect(answer.headers["Cache-Control"] == "no-store")
            let token = try #require(answer.text("access_token"))
            let me = try await fixture.send("GET", "/v1/me", token: token)
            #expect(me.status == 200)
            #expect(me.text("last_login_at") == fixture.clock.now().description)
            let probe = try await fixture.send("GET", "/v1/probe", token: token)
            #expect(
                probe.json["permissions"] == [
                    "balances:read", "banking:move", "banking:read", "banking:withdraw", "defi:move", "defi:read",
                    "fees:quote",
                    "investing:move", "investing:read", "me",
                ]
            )
            #expect(try await fixture.actions() == ["user.registered", "user.signed_in"])
        }
    }

    @Test func `a refresh token is kept as a digest only`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let token = try #require(try await fixture.signIn().text("refresh_token"))
            let rows = try await fixture.pool.query("select digest from platform.refresh_tokens")
            let digest: Bytes = try rows[0][0]
            #expect(digest.array.count == 32)
            let dump: String = try await fixture.value(
                """
                select (select string_agg(t::text, '') from platform.refresh_tokens t)
                    || (select string_agg(s::text, '') from platform.sessions s)
                    || (select string_agg(a::text, '') from platform.audit_log a)
                """
            )
            #expect(!dump.contains(token))
            #expect(!dump.contains(Fixture.password))
        }
    }

    @Test func `a wrong password and an unknown address are answered alike, after the same work`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            let before = fixture.hasher.verifications
            let wrong = try await fixture.signIn(password: "wrong horse staple")
            let afterWrong = fixture.hasher.verifications
            let unknown = try await fixture.signIn("nobody@example.com")
            #expect(fixture.hasher.verifications - afterWrong == 1)
            #expect(afterWrong - before == 1)
            for answer in [wrong, unknown] {
                #expect(answer.status == 401)
                #expect(answer.code == "invalid_credentials")
            }
            #expect(wrong.text("detail") == unknown.text("detail"))
            let refused = ["user.registered", "user.sign_in_refused", "user.sign_in_refused"]
            #expect(try await fixture.actions() == refused)
        }
    }

    @Test(arguments: [Fixture.email, "nobody@example.com"])
    func `failures lock an address, known or not, and the lock ends`(email: String) async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            for _ in 0..<5 { #expect(try await fixture.signIn(email, password: "wrong").status == 401) }
            let work = fixture.hasher.verifications
            let locked = try await fixture.signIn(email)
            #expect(locked.status == 429)
            #expect(locked.code == "sign_in_locked")
            #expect(locked.headers["Retry-After"] == "30")
            #expect(fixture.hasher.verifications == work)

            fixture.clock.advance(seconds: 29)
            #expect(try await fixture.signIn(email).headers["Retry-After"] == "1")
            fixture.clock.advance(seconds: 1)
            #expect(try await fixture.signIn(email, password: "wrong").status == 401)
            // The sixth failure locks twice as long.
            #expect(try await fixture.signIn(email).headers["Retry-After"] == "60")
            fixture.clock.advance(seconds: 60)
            #expect(try await fixture.signIn(email).status == (email == Fixture.email ? 200 : 401))
        }
    }

    @Test func `a right password forgets the failures`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            for _ in 0..<4 { _ = try await fixture.signIn(password: "wrong") }
            #expect(try await fixture.signIn().status == 200)
            for _ in 0..<4 { #expect(try await fixture.signIn(password: "wrong").status == 401) }
            #expect(try await fixture.signIn().status == 200)
        }
    }

    @Test func `failures are forgotten after a day`() async throws {
        try await Fixture.with { fixture in
            for _ in 0..<4 { _ = try await fixture.signIn(password: "wrong") }
            fixture.clock.advance(seconds: 86_401)
            for _ in 0..<4 { #expect(try await fixture.signIn(password: "wrong").status == 401) }
            #expect(try await fixture.value("select failures from platform.login_attempts") == 4)
        }
    }

    @Test func `guesses at the same time can't outrun the count`() async throws {
        try await Fixture.with { fixture in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 { group.addTask { try await fixture.signIn(password: "wrong").status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 401 } == 5)
            #expect(statuses.count { $0 == 429 } == 35)
            #expect(fixture.hasher.verifications == 5)
        }
    }

    @Test func `an attempt that could not be made does not count`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            fixture.hasher.overload(true)
            for _ in 0..<10 {
                let answer = try await fixture.signIn()
                #expect(answer.status == 503)
                #expect(answer.headers["Retry-After"] == "1")
            }
            fixture.hasher.overload(false)
            #expect(try await fixture.signIn().status == 200)
        }
    }

    @Test func `a hash of another cost is renewed at sign-in`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            // "correct horse staple" at cost 5.
            let old = try await PasswordOfCost5.hash
            _ = try await fixture.pool.query("update platform.users set password_hash = \(old)")
            #expect(try await fixture.signIn().status == 200)
            let new: String = try await fixture.value("select password_hash from platform.users")
            #expect(new.hasPrefix("$2a$04$"))
            #expect(try await fixture.signIn().status == 200)
        }
    }

    @Test func `a sign-in beyond the most sessions ends the oldest`() async throws {
        try await Fixture.with {
            $0.sessionsMax = 2
        } _: { fixture in
            try await fixture.register()
            var tokens: [String] = []
            for _ in 0..<3 {
                tokens.append(try #require(try await fixture.signIn().text("access_token")))
                fixture.clock.advance(seconds: 1)
            }
            var statuses: [Int] = []
            for token in tokens { statuses.append(try await fixture.send("GET", "/v1/probe", token: token).status) }
            #expect(statuses == [401, 200, 200])
        }
    }

    @Test func `signing out ends the session at once, here and elsewhere within seconds`() async throws {
        try await Fixture.with { fixture in
            let other = try await fixture.sibling()
            try await fixture.register()
            let signedIn = try await fixture.signIn()
            let token = try #require(signedIn.text("access_token"))
            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 200)
            #expect(try await other.send("GET", "/v1/probe", token: token).status == 200)
            #expect(try await fixture.send("POST", "/v1/auth/logout", token: token).status == 204)

            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 401)
            // The other one's clock stands, so its answer is still young enough.
            #expect(try await other.send("GET", "/v1/probe", token: token).status == 200)
            other.clock.set(SystemClock().now().adding(seconds: 60))
            #expect(try await other.send("GET", "/v1/probe", token: token).status == 401)

            let refreshToken = try #require(signedIn.json["refresh_token"])
            let refreshed = try await fixture.send("POST", "/v1/auth/refresh", ["refresh_token": refreshToken])
            #expect(refreshed.status == 401)
            #expect(try await fixture.actions().suffix(1) == ["user.signed_out"])
        }
    }

    @Test func `sign-ins are limited by address`() async throws {
        try await Fixture.with {
            $0.signInLimit = .init("sign-in", quota: 2, windowSeconds: 60, scope: .address)
        } _: { fixture in
            for _ in 0..<2 { #expect(try await fixture.signIn("a@example.com").status == 401) }
            let refused = try await fixture.signIn("b@example.com")
            #expect(refused.code == "rate_limited")
        }
    }

    @Test func `what is over is swept, and nothing else`() async throws {
        try await Fixture.with { fixture in
            try await fixture.register()
            _ = try await fixture.signIn()
            _ = try await fixture.signIn("nobody@example.com")
            #expect(try await fixture.identity.sweep() == 0)
            fixture.clock.advance(seconds: 61 * 86_400)
            #expect(try await fixture.identity.sweep(limit: 1) == 2)
            #expect(try await fixture.identity.sweep() == 0)
            #expect(try await fixture.value("select count(*) from platform.refresh_tokens") == 0)
        }
    }
}
