import Compliance
import Logging
import HTTP
import Kernel
import PostgreSQL
import Testing

@testable import KYC

/// What compliance officers do, over the routes.
@Suite struct ReviewTests {
    private static let queue = "/v1/operator/identity/applications"

    @Test func `a customer is identified by documents that two officers have seen`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let (bea, carl) = (try await world.officer(), try await world.officer())
            let id = try await world.submitted(for: ana)
            let waiting = try await world.send("GET", Self.queue, by: bea)
            #expect(waiting.body["data"]?.elements?.map { $0["id"] } == [.string(id)])
            let own = try await world.decide(id, "approved", by: "staff." + ana.wire)
            #expect((own.status, own.body["code"]) == (403, "own_application"))
            let claimed = try await world.send("POST", "\(Self.queue)/\(id)/claim", by: bea)
            #expect((claimed.status, claimed.body["claimed_by"]?.stringValue) == (200, String(bea.dropFirst(6))))
            let busy = try await world.send("POST", "\(Self.queue)/\(id)/claim", by: carl)
            #expect((busy.status, busy.body["code"]) == (409, "application_claimed"))
            let first = try await world.decide(id, "approved", by: bea)
            #expect((first.status, first.body["status"]) == (200, "submitted"))
            #expect(try await world.level(of: ana) == "none")
            let again = try await world.decide(id, "approved", by: bea)
            #expect((again.status, again.body["code"]) == (403, "own_proposal"))
            let second = try await world.decide(id, "approved", by: carl)
            #expect((second.status, second.body["status"]) == (200, "approved"))
            #expect(try await world.level(of: ana) == "full")
            let late = try await world.decide(id, "rejected", by: bea)
            #expect((late.status, late.body["code"]) == (409, "application_not_submitted"))
            let reached = try await world.send(
                "POST",
                "/v1/me/identity/applications",
                KYCWorld.ana("full"),
                by: ana.wire
            )
            #expect((reached.status, reached.body["code"]) == (409, "level_reached"))
            #expect(try await world.send("GET", Self.queue, by: bea).body["data"] == [])
            try await Self.expectEvidence(world)
        }
    }

    /// What an approval leaves: the audit log, a check, events, and the customer to be looked at again.
    private static func expectEvidence(_ world: KYCWorld) async throws {
        let audit: SQL = """
            select count(*) from platform.audit_log
            where (action, entity) in (('kyc.decided', 'kyc_application'), ('kyc.claimed', 'kyc_application'))
            """
        #expect(try await world.count(audit) == 3)
        let checks: SQL = "select count(*) from platform.compliance_checks where kind = 'kyc' and outcome = 'approve'"
        #expect(try await world.count(checks) == 1)
        let events: SQL = """
            select count(*) from platform.outbox_events
            where type in ('platform.user.kyc_changed', 'platform.user.identified')
            """
        #expect(try await world.count(events) == 3)
        #expect(try await world.count("select count(*) from platform.monitoring_queue") > 0)
    }

    @Test func `who of the staff reads a document is noted, and who gives no reason reads nothing`() async throws {
        try await KYCWorld.with { world in
            let officer = try await world.officer()
            let id = try await world.submitted(for: try await world.user())
            let path = "\(Self.queue)/\(id)/documents/passport"
            #expect(try await world.send("GET", path, by: officer).status == 400)
            #expect(try await world.bytes(path + "?reason=review", by: officer) == KYCWorld.picture)
            let noted: SQL = """
                select count(*) from platform.data_access_log
                where outcome = 'disclosed' and reason = 'review' and data_types = '{identity.document}'
                """
            #expect(try await world.count(noted) == 1)
            #expect(
                try await world.send("GET", "\(Self.queue)/\(id)/documents/selfie?reason=r", by: officer).status == 404
            )
            let customer = try await world.user()
            #expect(try await world.send("GET", path + "?reason=review", by: customer.wire).status == 403)
        }
    }

    @Test func `a name is screened when somebody applies under it, and theirs once it is approved`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            _ = try await world.pool.query("update platform.users set name = 'Mia Lopez' where id = \(ana)")
            let screening = CustomerScreening(pool: world.pool, data: world.data, ids: world.ids, clock: world.clock)
            let sweep = ScreeningSweep(
                pool: world.pool,
                screening: screening,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            func names() async throws -> [String?] {
                _ = try await sweep.sweepOnce()
                let row = try await world.pool.query(
                    """
                    select person.name, subject.name as screened from platform.users person
                    left join platform.screening_subjects subject on subject.user_id = person.id where id = \(ana)
                    """
                )[0]
                return [try row["name"], try row["screened"]]
            }
            let id = try await world.submitted(for: ana)
            #expect(try await names() == ["Mia Lopez", "Ana Ruiz"])
            for officer in [try await world.officer(), try await world.officer()] {
                try await world.decide(id, "approved", by: officer)
            }
            #expect(try await names() == ["Ana Ruiz", "Ana Ruiz"])
        }
    }

    @Test func `whoever is asked for more adds it to the same application`() async throws {
        try await KYCWorld.with { world in
            let (ana, officer) = (try await world.user(), try await world.officer())
            let id = try await world.submitted(for: ana)
            let asked = try await world.decide(id, "incomplete", by: officer)
            #expect((asked.body["status"], asked.body["reason"]) == ("incomplete", "As the papers say."))
            let place = "/v1/me/identity/applications/\(id)"
            let put = try await world.send("PUT", place + "/documents/selfie", bytes: KYCWorld.picture, by: ana.wire)
            #expect(put.body["documents"]?.elements?.count == 3)
            #expect(try await world.send("POST", place + "/submission", by: ana.wire).body["status"] == "submitted")
            #expect(try await world.status(of: ana) == "pending")
        }
    }

    @Test func `nobody is approved while a case about them holds their money`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let id = try await world.submitted(for: ana)
            try await world.hold(ana)
            let answer = try await world.decide(id, "approved", by: try await world.officer())
            #expect((answer.status, answer.body["code"]) == (409, "customer_held"))
            #expect(try await world.status(of: ana) == "pending")
        }
    }

    @Test func `of officers who decide at once one decides, whatever they decide`() async throws {
        try await KYCWorld.with { world in
            let ana = try await world.user()
            let id = try await world.submitted(for: ana)
            try await world.decide(id, "approved", by: try await world.officer())
            var officers: [String] = []
            for _ in 0..<8 { officers.append(try await world.officer()) }
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for (place, officer) in officers.enumerated() {
                    let decision = place.isMultiple(of: 2) ? "approved" : "rejected"
                    group.addTask { try await world.decide(id, decision, by: officer).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.sorted() == [200] + Array(repeating: 409, count: 7))
            let checks: SQL = "select count(*) from platform.compliance_checks where kind = 'kyc'"
            #expect(try await world.count(checks) == 1)
            let agree: SQL = """
                select count(*) from platform.kyc_applications a join platform.users u on u.id = a.user_id
                where u.kyc_status = a.status
                    and (a.status = 'approved') = exists (select from platform.kyc_levels where user_id = u.id)
                """
            #expect(try await world.count(agree) == 1)
        }
    }

    @Test func `nobody waits for who has closed the account, and a proposal's reason is in the audit log`() async throws
    {
        try await KYCWorld.with { world in
            let (ana, officer) = (try await world.user(), try await world.officer())
            let id = try await world.submitted(for: ana)
            let proposed = try await world.decide(id, "approved", by: officer)
            #expect((proposed.body["reason"], proposed.body["proposed_by"]?.stringValue?.isEmpty) == (.null, false))
            let noted: SQL = """
                select count(*) from platform.audit_log
                where action = 'kyc.decided' and after ->> 'because' = 'As the papers say.'
                """
            #expect(try await world.count(noted) == 1)
            _ = try await world.pool.query("update platform.users set status = 'closed' where id = \(ana)")
            #expect(try await world.send("GET", Self.queue, by: officer).body["data"] == [])
            #expect(try await world.decide(id, "rejected", by: officer).status == 404)
        }
    }

    @Test func `how many people it takes is a rule`() async throws {
        try await KYCWorld.with { world in
            let rules = RuleSets(pool: world.pool, clock: world.clock)
            var parameters = PolicyParameters()
            parameters.twoPeopleLevel = 3
            try await rules.use(try await rules.draft(parameters, reason: "a small team", by: "olga"), as: .active)
            let ana = try await world.user()
            let id = try await world.submitted(for: ana)
            let decided = try await world.decide(id, "approved", by: try await world.officer())
            #expect(decided.body["status"] == "approved")
        }
    }

    @Test func `officers need a second factor`() {
        #expect(Access.permission("kyc:review").needsStepUp)
    }
}
