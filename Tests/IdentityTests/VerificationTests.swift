import Compliance
import HTTP
import Kernel
import PostgreSQL
import Testing

@testable import Identity

struct VerificationTests {
    private func verify(_ fixture: Fixture, _ token: String, _ name: String) async throws -> Answer {
        try await fixture.send("POST", "/v1/me/verification", ["name": .string(name)], token: token)
    }

    private func decide(
        _ fixture: Fixture,
        _ token: String,
        _ id: ID<User>,
        _ status: String,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        try await fixture.send(
            "POST",
            "/v1/operator/users/\(id.wire)/kyc",
            ["status": .string(status), "reason": "seen the passport"],
            token: token,
            headers: headers
        )
    }

    @Test(arguments: [
        ("Ada Lovelace", "approved", "approve", 0), ("Ada Review", "pending", "review", 50),
        ("REJECT Ada", "rejected", "block", 100), ("Reviewer Rejected", "approved", "approve", 0),
    ])
    func `the sandbox decides by the name`(name: String, status: String, outcome: String, score: Int) async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let answer = try await verify(fixture, token, name)
            #expect(answer.status == 200)
            #expect(answer.text("kyc_status") == status)
            // A name is the user's once it is approved.
            #expect(answer.text("name") == (status == "approved" ? name : nil))
            #expect(answer.text("applied_name") == (status == "approved" ? nil : name))
            let check = try await fixture.pool.query(
                "select user_id, kind, provider, outcome, score, rule from platform.compliance_checks"
            )
            #expect(check.count == 1)
            #expect(try check[0]["user_id"] == id)
            #expect(try check[0]["kind"] == "kyc")
            #expect(try check[0]["provider"] == "sandbox")
            #expect(try check[0]["outcome"] == outcome)
            #expect(try check[0]["score"] == score)
            #expect(try check[0]["rule"] == "sandbox_name.v1")
            let event = try await fixture.pool.query(
                "select version, payload from platform.outbox_events where type = 'platform.user.kyc_changed'"
            )
            #expect(try event[0]["version"] == 2)
            let payload: JSON = try event[0]["payload"]
            #expect([payload["user"], payload["from"], payload["to"]] == [.string(id.wire), "none", .string(status)])
            let history = try await fixture.pool.query(
                "select from_status, to_status from platform.status_history where entity = 'user_verification'"
            )
            #expect(try history[0]["from_status"] == "none")
            #expect(try history[0]["to_status"] == status)
        }
    }

    @Test(arguments: ["Ada", "Review", "Reject"])
    func `a verification that has begun can't be asked for again`(name: String) async throws {
        try await Fixture.with { fixture in
            let (token, _) = try await fixture.customer()
            let status = try #require(try await verify(fixture, token, name).text("kyc_status"))
            let again = try await verify(fixture, token, "Another Name")
            #expect(again.status == 409)
            #expect(again.code == "verification_\(status)")
            #expect(try await fixture.value("select count(*) from platform.compliance_checks") == 1)
        }
    }

    @Test func `an operator decides, with a reason that is kept`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            _ = try await verify(fixture, token, "Ada Review")
            let (staff, staffID) = try await fixture.operator()
            let seen = try await fixture.send("GET", "/v1/operator/users/\(id.wire)?reason=a%20call", token: staff)
            #expect(seen.text("kyc_status") == "pending")
            let decided = try await decide(
                fixture,
                staff,
                id,
                "approved",
                headers: [("If-Match", try #require(seen.headers["ETag"]))]
            )
            #expect(decided.status == 200)
            #expect(decided.text("kyc_status") == "approved")
            #expect(decided.text("name") == "Ada Review" && decided.json["applied_name"] == .null)
            #expect(try await fixture.identity.directory.profile(id)?.identification == .approved)
            let entry = try await fixture.pool.query(
                "select actor, after from platform.audit_log where action = 'user.kyc_changed' order by batch desc"
            )
            #expect(try entry[0]["actor"] == staffID.wire)
            #expect(try (entry[0]["after"] as JSON)["reason"] == "seen the passport")
            let check = try await fixture.pool.query(
                "select outcome, details from platform.compliance_checks where provider = 'operator'"
            )
            #expect(try check[0]["outcome"] == "approve")
            #expect(try (check[0]["details"] as JSON)["operator"] == .string(staffID.wire))
            let versions = try await fixture.pool.query(
                "select version from platform.outbox_events where aggregate_id = \(id) order by version"
            )
            #expect(try versions.map { try $0[0] as Int } == [1, 2, 3])
        }
    }

    @Test func `an operator alone identifies nobody who has applied with documents, nor whom a case holds`()
        async throws
    {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let (staff, _) = try await fixture.operator()
            _ = try await verify(fixture, token, "Ada Review")
            try await hold(fixture, id)
            let held = try await decide(fixture, staff, id, "approved")
            #expect((held.status, held.code) == (409, "customer_held"))
            // A level that documents gave, and that a decision has ended, doesn't come back by another one.
            try await document(fixture, id)
            #expect(try await decide(fixture, staff, id, "rejected").text("kyc_status") == "rejected")
            #expect(try await fixture.value("select count(*) from platform.kyc_levels") == 0)
            let alone = try await decide(fixture, staff, id, "approved")
            #expect((alone.status, alone.code) == (409, "decided_by_application"))
            #expect(try await decide(fixture, staff, id, "none").text("kyc_status") == "none")
            #expect(try await decide(fixture, staff, id, "approved").code == "decided_by_application")
            #expect(try await verify(fixture, token, "Ada").code == "verification_pending")
        }
    }

    /// An open case that holds a user's money.
    private func hold(_ fixture: Fixture, _ id: ID<User>) async throws {
        let cases = ComplianceCases(pool: fixture.pool, ids: IDGenerator(), clock: fixture.clock)
        let alert = ComplianceCases.Alert(
            user: id,
            kind: .sanctions,
            subject: "a name",
            score: 900,
            explanation: ["a test"]
        )
        try await cases.raise([alert], evidence: [:])
    }

    /// The full level by an application that two have approved.
    private func document(_ fixture: Fixture, _ id: ID<User>) async throws {
        let (application, now) = (ID<User>(1_234), fixture.clock.now())
        _ = try await fixture.pool.query(
            """
            insert into platform.kyc_applications
                (id, user_id, level, status, provider, created_at, submitted_at, proposed_by, decided_by, decided_at,
                reason)
            values (\(application), \(id), 2, 'approved', 'staff', \(now), \(now), \(ID<User>(1)), \(ID<User>(2)),
                \(now), 'as the papers say')
            """
        )
        _ = try await fixture.pool.query(
            """
            insert into platform.kyc_levels (user_id, level, application_id, since, expires_at)
            values (\(id), 2, \(application), \(now), \(now.adding(seconds: 86_400)))
            """
        )
    }

    @Test func `without the sandbox nobody is identified by a name`() async throws {
        try await Fixture.with(policy: { $0.verifiesByName = false }) { fixture in
            let (token, id) = try await fixture.customer("eve", email: "eve@example.com")
            #expect(try await verify(fixture, token, "Ada Lovelace").status == 404)
            #expect(
                try await fixture.identity.directory.profile(id)?.identification == MoneyMovement.Identification.none
            )
            _ = try await fixture.identity.seedDemoUsers()
            #expect(try await fixture.value("select count(*) from platform.users where kyc_status <> 'none'") == 0)
        }
    }

    @Test func `a refused user may try again once an operator has reset it`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let (staff, _) = try await fixture.operator()
            _ = try await verify(fixture, token, "Reject")
            #expect(try await fixture.identity.directory.profile(id)?.identification == .rejected)
            #expect(try await decide(fixture, staff, id, "none").status == 200)
            #expect(try await verify(fixture, token, "Ada").text("kyc_status") == "approved")
        }
    }

    @Test func `a decision is refused for oneself, without a change, for a stale version and for nobody`() async throws
    {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let (staff, staffID) = try await fixture.operator()
            let own = try await decide(fixture, staff, staffID, "approved")
            #expect((own.status, own.code) == (403, "own_account"))
            let same = try await decide(fixture, staff, id, "none")
            #expect((same.status, same.code) == (409, "status_not_possible"))
            #expect(try await decide(fixture, staff, id, "pending").faults == ["/status not_allowed"])
            let unasked = try await decide(fixture, staff, id, "approved")
            #expect((unasked.status, unasked.code) == (409, "decided_by_application"))
            #expect(try await decide(fixture, staff, id, "approved", headers: [("If-Match", "\"99\"")]).status == 412)
            #expect(try await decide(fixture, staff, ID(77), "approved").status == 404)
            #expect(
                try await fixture.send("GET", "/v1/operator/users/\(ID<User>(77).wire)?reason=a%20call", token: staff)
                    .status == 404
            )
            #expect(try await decide(fixture, token, id, "approved").status == 403)
            #expect(try await fixture.value("select count(*) from platform.compliance_checks") == 0)
        }
    }

    @Test func `an operator's look at a user is kept`() async throws {
        try await Fixture.with { fixture in
            let (_, id) = try await fixture.customer()
            let (staff, staffID) = try await fixture.operator()
            _ = try await fixture.send("GET", "/v1/operator/users/\(id.wire)?reason=a%20call", token: staff)
            let entry = try await fixture.pool.query(
                "select actor, entity_id from platform.audit_log where action = 'user.read'"
            )
            #expect(try entry[0]["actor"] == staffID.wire)
            let read = try await fixture.pool.query(
                "select user_id, reader, data_types, reason from platform.data_access_log"
            )
            let (user, reader): (ID<User>, ID<User>) = (try read[0]["user_id"], try read[0]["reader"])
            #expect(user == id && reader == staffID && read.count == 1)
            #expect(try read[0]["data_types"] == ["user"] && read[0]["reason"] == "a call")
            let without = try await fixture.send("GET", "/v1/operator/users/\(id.wire)", token: staff)
            #expect(without.status == 400)
            #expect(try entry[0]["entity_id"] == id.value)
        }
    }

    private func setStatus(_ fixture: Fixture, _ token: String, _ id: ID<User>, _ status: String) async throws -> Answer
    {
        try await fixture.send(
            "POST",
            "/v1/operator/users/\(id.wire)/status",
            ["status": .string(status), "reason": "asked by phone"],
            token: token
        )
    }

    @Test func `a locked user can do nothing, at once, until unlocked`() async throws {
        try await Fixture.with { fixture in
            let (token, id) = try await fixture.customer()
            let (staff, _) = try await fixture.operator()
            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 200)
            #expect(try await fixture.identity.directory.find(payee: "@ada") == id)
            #expect(try await setStatus(fixture, staff, id, "locked").text("status") == "locked")

            #expect(try await fixture.send("GET", "/v1/probe", token: token).status == 401)
            #expect(try await fixture.identity.directory.profile(id)?.isActive == false)
            for payee in ["@ada", Fixture.email, id.wire] {
                #expect(try await fixture.identity.directory.find(payee: payee) == nil)
            }
            let refused = try await fixture.signIn()
            #expect((refused.status, refused.code) == (403, "user_not_active"))
            #expect(try await fixture.signIn(password: "wrong").code == "invalid_credentials")
            #expect(try await setStatus(fixture, staff, id, "active").status == 200)
            #expect(try await fixture.signIn().status == 200)
        }
    }

    @Test func `what is closed stays closed, and nobody locks themselves`() async throws {
        try await Fixture.with { fixture in
            let (_, id) = try await fixture.customer()
            let (staff, staffID) = try await fixture.operator()
            #expect(try await setStatus(fixture, staff, id, "closed").status == 200)
            for status in ["active", "locked", "closed"] {
                #expect(try await setStatus(fixture, staff, id, status).code == "status_not_possible")
            }
            #expect(try await setStatus(fixture, staff, staffID, "locked").code == "own_account")
            let event = try await fixture.pool.query(
                "select payload from platform.outbox_events where type = 'platform.user.status_changed'"
            )
            #expect(event.count == 1)
            #expect(try (event[0][0] as JSON)["to"] == "closed")
        }
    }

    @Test(arguments: KYCStatus.allCases)
    func `only a decision counts for compliance`(status: KYCStatus) {
        let expected: [KYCStatus: MoneyMovement.Identification] = [
            .none: .none, .pending: .none, .approved: .approved, .rejected: .rejected,
        ]
        #expect(status.identification == expected[status])
    }
}
