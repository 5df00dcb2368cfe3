import Compliance
import DataProtection
import HTTP
import Identity
import Kernel
import PostgreSQL
import Testing

struct MeTests {
    @Test func `a profile is changed on top of the version that was read`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let read = try await fixture.send("GET", "/v1/me", token: token)
            let tag = try #require(read.headers["ETag"])
            let changed = try await fixture.send(
                "PATCH",
                "/v1/me",
                ["username": "countess", "preferences": ["theme": "dark", "hide_balances": true]],
                token: token,
                headers: [("If-Match", tag)]
            )
            #expect(changed.status == 200)
            #expect(changed.text("username") == "countess")
            #expect(changed.json["preferences"] == ["theme": "dark", "hide_balances": true])
            #expect(changed.headers["ETag"] != tag)
            let now = try await fixture.send("GET", "/v1/me", token: token)
            #expect(now.json == changed.json)
            #expect(now.headers["ETag"] == changed.headers["ETag"])

            let stale = try await fixture.send(
                "PATCH",
                "/v1/me",
                ["username": "other"],
                token: token,
                headers: [("If-Match", tag)]
            )
            #expect(stale.status == 412)
            #expect(stale.code == "version_mismatch")
            #expect(try await fixture.send("PATCH", "/v1/me", ["username": "other"], token: token).status == 428)
            let entries = try await fixture.pool.query(
                "select before, after, entity_id from platform.audit_log where action = 'user.changed'"
            )
            #expect(entries.count == 1)
            #expect(try (entries[0]["before"] as JSON)["username"] == "ada")
            #expect(try (entries[0]["after"] as JSON)["username"] == "countess")
            #expect(try entries[0]["entity_id"] == id.value)
        }
    }

    @Test func `members of the preferences replace those of the same name, and null removes one`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            func change(_ preferences: JSON) async throws -> JSON? {
                try await fixture.send(
                    "PATCH",
                    "/v1/me",
                    ["preferences": preferences],
                    token: token,
                    headers: [("If-Match", "*")]
                ).json["preferences"]
            }
            let both = try await change(["language": "pt-PT", "notifications": ["email": true, "sms": false]])
            #expect(both?["language"] == "pt-PT")
            let other = try await change(["notifications": ["push": true], "display_asset": "EUR"])
            #expect(other?["language"] == "pt-PT")
            #expect(other?["notifications"] == ["push": true])
            #expect(other?["display_asset"] == "EUR")
            let removed = try await change(["language": nil, "display_asset": nil])
            #expect(removed == ["notifications": ["push": true]])
        }
    }

    @Test func `a change to what is there already changes nothing`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let before = try await fixture.send("GET", "/v1/me", token: token)
            for body: JSON in [[:], ["username": "ada"], ["preferences": [:]], ["preferences": ["theme": nil]]] {
                let answer = try await fixture.send("PATCH", "/v1/me", body, token: token, headers: [("If-Match", "*")])
                #expect(answer.status == 200)
                #expect(answer.headers["ETag"] == before.headers["ETag"])
            }
            #expect(try await !fixture.actions().contains("user.changed"))
        }
    }

    @Test(arguments: ["grace", "support"])
    func `a username that is taken or reserved is refused`(username: String) async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            try await fixture.register("grace", email: "grace@example.com")
            let answer = try await fixture.send(
                "PATCH",
                "/v1/me",
                ["username": .string(username)],
                token: token,
                headers: [("If-Match", "*")]
            )
            #expect(answer.status == 409)
            #expect(answer.code == "username_taken")
        }
    }

    @Test(arguments: [
        (#"{"email":"new@example.com"}"#, "/email unknown_field"), (#"{"fee_tier":5}"#, "/fee_tier unknown_field"),
        (#"{"kyc_status":"approved"}"#, "/kyc_status unknown_field"),
        (#"{"roles":["operator"]}"#, "/roles unknown_field"),
        (#"{"preferences":{"admin":true}}"#, "/preferences/admin unknown_field"),
        (#"{"preferences":{"language":"english"}}"#, "/preferences/language bad_format"),
        (#"{"preferences":{"language":"pt_PT"}}"#, "/preferences/language bad_format"),
        (#"{"preferences":{"theme":"pink"}}"#, "/preferences/theme not_allowed"),
        (#"{"username":null}"#, "/username wrong_type"),
    ])
    func `what isn't one's own to change is refused`(body: String, fault: String) async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let answer = try await fixture.send(
                "PATCH",
                "/v1/me",
                JSON.parse(Array(body.utf8)),
                token: token,
                headers: [("If-Match", "*")]
            )
            #expect(answer.status == 400)
            #expect(answer.faults == [fault])
        }
    }

    private func change(_ fixture: Fixture, _ token: String, _ old: String, _ new: String) async throws -> Answer {
        try await fixture.send(
            "POST",
            "/v1/me/password",
            ["current_password": .string(old), "password": .string(new)],
            token: token
        )
    }

    @Test func `a new password counts from then on and ends the other sessions`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let other = try #require(try await fixture.signIn().text("access_token"))
            #expect(try await fixture.send("GET", "/v1/probe", token: other).status == 200)
            let new = "wrong battery clip"
            #expect(try await change(fixture, token, Fixture.password, new).status == 204)
            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 200)
            #expect(try await fixture.send("GET", "/v1/probe", token: other).status == 401)
            #expect(try await fixture.signIn().status == 401)
            #expect(try await fixture.signIn(password: new).status == 200)
            #expect(try await fixture.actions().contains("user.password_changed"))
        }
    }

    @Test func `a new password is refused when it is weak, the same, or the present one is wrong`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let wrong = try await change(fixture, token, "not my password", "wrong battery clip")
            #expect((wrong.status, wrong.code) == (422, "wrong_password"))
            let same = try await change(fixture, token, Fixture.password, Fixture.password)
            #expect((same.status, same.code) == (422, "password_unchanged"))
            let weak = try await change(fixture, token, Fixture.password, "administrator")
            #expect((weak.status, weak.code) == (422, "weak_password"))
            let short = try await change(fixture, token, Fixture.password, "short")
            #expect(short.faults == ["/password too_short"])
            #expect(try await fixture.signIn().status == 200)
            #expect(try await fixture.actions().count { $0 == "user.password_change_refused" } == 1)
        }
    }

    @Test func `guesses of the present password lock like sign-ins`() async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            for _ in 0..<5 {
                #expect(try await change(fixture, token, "not my password", "wrong battery clip").status == 422)
            }
            let locked = try await change(fixture, token, Fixture.password, "wrong battery clip")
            #expect(locked.code == "sign_in_locked")
            #expect(try await fixture.signIn().status == 429)
        }
    }

    @Test func `everything of one's own needs a token`() async throws {
        try await Fixture.with { fixture in
            let requests = [
                ("GET", "/v1/me"), ("PATCH", "/v1/me"), ("POST", "/v1/me/password"), ("POST", "/v1/me/verification"),
                ("POST", "/v1/auth/logout"), ("GET", "/v1/operator/users/\(ID<User>(1).wire)"),
            ]
            for (method, path) in requests {
                let answer = try await fixture.send(method, path, [:])
                #expect(answer.status == 401, "\(method) \(path)")
            }
        }
    }

    private static func change(_ fixture: Fixture, _ token: String, _ body: JSON) async throws -> Answer {
        try await fixture.send("PATCH", "/v1/me", body, token: token, headers: [("If-Match", "*")])
    }

    @Test func `a telephone number is kept encrypted, found by its digits, and removed by null`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let data = fixture.personalData
            #expect(try await Self.change(fixture, token, ["phone": "+351912345678"]).status == 200)
            #expect(try await data.read(id, .phone)?.text == "+351912345678")
            #expect(try await data.find(.phone, "00351 912 345 678") == [id])
            let log: String = try await fixture.value(
                "select string_agg(after::text, '') from platform.audit_log where action = 'user.changed'"
            )
            #expect(log.contains("changed") && !log.contains("912345678"))
            for wrong in ["912345678", "+0351912345678", "+3519123456789012", "+351 912", "+35191234567x", ""] {
                #expect(try await Self.change(fixture, token, ["phone": .string(wrong)]).status == 400, "\(wrong)")
            }
            #expect(try await Self.change(fixture, token, ["phone": .null]).status == 200)
            #expect(try await data.read(id, .phone) == nil)
        }
    }

    @Test func `another name ends what somebody was identified by, and is refused while somebody looks`() async throws {
        try await Fixture.with { fixture in
            func verify(_ token: String, _ name: String) async throws -> String? {
                let body: JSON = ["name": .string(name)]
                return try await fixture.send("POST", "/v1/me/verification", body, token: token).text("kyc_status")
            }
            let (token, id) = try await fixture.customer()
            #expect(try await Self.change(fixture, token, ["name": "Ada Byron"]).text("name") == "Ada Byron")
            #expect(try await verify(token, "Ada Lovelace") == "approved")
            #expect(try await fixture.identity.directory.profile(id)?.identification == .approved)
            let same = try await Self.change(fixture, token, ["name": "Ada Lovelace"])
            #expect(same.text("kyc_status") == "approved")
            let other = try await Self.change(fixture, token, ["name": "Ada King"])
            #expect(other.text("name") == "Ada King" && other.text("kyc_status") == "none")
            #expect(try await fixture.identity.directory.profile(id)?.identification != .approved)
            let told: Int = try await fixture.value(
                """
                select count(*) from platform.outbox_events
                where type = 'platform.user.kyc_changed' and payload ->> 'to' = 'none'
                """
            )
            #expect(told == 1)
            #expect(try await verify(token, "Ada King") == "approved")

            let (pending, _) = try await fixture.customer("grace", email: "grace@example.com")
            #expect(try await verify(pending, "Grace Review") == "pending")
            let refused = try await Self.change(fixture, pending, ["name": "Grace Hopper"])
            #expect((refused.status, refused.code) == (409, "verification_pending"))
            // Whoever was refused stays so under every name.
            let (rejected, _) = try await fixture.customer("heidi", email: "heidi@example.com")
            #expect(try await verify(rejected, "Heidi Reject") == "rejected")
            #expect(try await Self.change(fixture, rejected, ["name": "Heidi"]).text("kyc_status") == "rejected")
        }
    }
}
