import Kernel
import PostgreSQL
import Testing

@testable import Identity

struct RefreshTests {
    private func refresh(_ fixture: Fixture, _ token: String) async throws -> Answer {
        try await fixture.send("POST", "/v1/auth/refresh", ["refresh_token": .string(token)])
    }

    private func signIn(_ fixture: Fixture) async throws -> (access: String, refresh: String) {
        try await fixture.register()
        let answer = try await fixture.signIn()
        return (try #require(answer.text("access_token")), try #require(answer.text("refresh_token")))
    }

    @Test func `a refresh token gives the next pair, of the same session`() async throws {
        try await Fixture.with { fixture in
            let first = try await signIn(fixture)
            let session = try await fixture.send("GET", "/v1/probe", token: first.access).text("session")
            let answer = try await refresh(fixture, first.refresh)
            #expect(answer.status == 200)
            let (access, next) = (try #require(answer.text("access_token")), try #require(answer.text("refresh_token")))
            #expect(next != first.refresh)
            #expect(try await fixture.send("GET", "/v1/probe", token: access).text("session") == session)
            #expect(try await refresh(fixture, next).status == 200)
            #expect(try await fixture.actions().suffix(2) == ["session.refreshed", "session.refreshed"])
        }
    }

    @Test func `a refresh token that comes again ends the family, its youngest token included`() async throws {
        try await Fixture.with { fixture in
            let first = try await signIn(fixture)
            let next = try await refresh(fixture, first.refresh)
            let access = try #require(next.text("access_token"))
            #expect(try await fixture.send("GET", "/v1/probe", token: access).status == 200)

            let again = try await refresh(fixture, first.refresh)
            #expect(again.status == 401)
            #expect(again.code == "invalid_refresh_token")
            #expect(try await refresh(fixture, try #require(next.text("refresh_token"))).status == 401)
            #expect(try await fixture.send("GET", "/v1/probe", token: access).status == 401)
            let entry = try await fixture.pool.query(
                "select after from platform.audit_log where action = 'session.revoked'"
            )
            #expect(entry.count == 1)
            #expect(try (entry[0][0] as JSON)["reason"] == "refresh_token_reused")
            // Another sign-in isn't concerned.
            #expect(try await fixture.signIn().status == 200)
        }
    }

    @Test func `of many uses at once one succeeds and the family ends`() async throws {
        try await Fixture.with { fixture in
            let first = try await signIn(fixture)
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<50 { group.addTask { try await refresh(fixture, first.refresh) } }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.count { $0.status == 200 } == 1)
            #expect(answers.count { $0.status == 401 } == 49)
            let next = try #require(answers.first { $0.status == 200 }?.text("refresh_token"))
            #expect(try await refresh(fixture, next).status == 401)
            #expect(try await fixture.value("select revoked_because from platform.sessions") == "refresh_token_reused")
            #expect(try await fixture.actions().count { $0 == "session.revoked" } == 1)
        }
    }

    @Test func `an unknown token is 401, one of another form 400`() async throws {
        try await Fixture.with { fixture in
            let unknown = try await refresh(fixture, "rft_" + String(repeating: "A", count: 43))
            #expect(unknown.status == 401)
            #expect(unknown.code == "invalid_refresh_token")
            for text in ["", "rft_", "rft_" + String(repeating: "!", count: 43), String(repeating: "A", count: 47)] {
                let answer = try await refresh(fixture, text)
                #expect(answer.status == 400)
                #expect(answer.faults == ["/refresh_token bad_format"])
            }
        }
    }

    @Test func `a token that wasn't used in time has expired`() async throws {
        try await Fixture.with { fixture in
            let first = try await signIn(fixture)
            fixture.clock.advance(seconds: 14 * 86_400 - 1)
            let next = try #require(try await refresh(fixture, first.refresh).text("refresh_token"))
            fixture.clock.advance(seconds: 14 * 86_400)
            #expect(try await refresh(fixture, next).status == 401)
        }
    }

    @Test func `a session ends however often it is refreshed`() async throws {
        try await Fixture.with { fixture in
            var token = try await signIn(fixture).refresh
            for _ in 0..<2 {
                fixture.clock.advance(seconds: 13 * 86_400)
                token = try #require(try await refresh(fixture, token).text("refresh_token"))
            }
            fixture.clock.advance(seconds: 4 * 86_400 - 1)
            token = try #require(try await refresh(fixture, token).text("refresh_token"))
            fixture.clock.advance(seconds: 1)
            #expect(try await refresh(fixture, token).status == 401)
        }
    }

    @Test func `the token of a user who isn't active ends the session`() async throws {
        try await Fixture.with { fixture in
            let first = try await signIn(fixture)
            // As if the lock had come without ending the sessions.
            _ = try await fixture.pool.query("update platform.users set status = 'locked'")
            #expect(try await refresh(fixture, first.refresh).status == 401)
            #expect(try await fixture.value("select revoked_because from platform.sessions") == "user_not_active")
        }
    }

    private static let now = Timestamp(seconds: 1_000)

    @Test(
        arguments: [
            (nil, 1_001, nil, 2_000, .active, .rotate), (nil, 1_000, nil, 2_000, .active, .over),
            (nil, 1_001, nil, 1_000, .active, .over), (999, 1_001, nil, 2_000, .active, .reused),
            (999, 1_000, nil, 2_000, .active, .reused), (999, 1_001, 999, 2_000, .active, .over),
            (nil, 1_001, 999, 2_000, .active, .over), (999, 1_001, nil, 1_000, .active, .over),
            (nil, 1_001, nil, 2_000, .locked, .userNotActive), (nil, 1_001, nil, 2_000, .closed, .userNotActive),
            (999, 1_001, nil, 2_000, .locked, .reused),
        ] as [(Int64?, Int64, Int64?, Int64, UserStatus, RefreshState.Verdict)]
    )
    func `what becomes of a refresh token`(
        rotated: Int64?,
        expires: Int64,
        revoked: Int64?,
        sessionExpires: Int64,
        status: UserStatus,
        verdict: RefreshState.Verdict
    ) {
        let state = RefreshState(
            session: ID(1),
            user: ID(2),
            rotatedAt: rotated.map { Timestamp(seconds: $0) },
            expiresAt: Timestamp(seconds: expires),
            sessionRevokedAt: revoked.map { Timestamp(seconds: $0) },
            sessionExpiresAt: Timestamp(seconds: sessionExpires),
            userStatus: status
        )
        #expect(state.verdict(at: RefreshTests.now) == verdict)
    }
}
