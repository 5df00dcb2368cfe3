import Compliance
import Kernel
import Logging
import PostgreSQL
import TestSupport
import Testing

@Suite struct CasesTests {
    private static let list = (0..<30).map { (key: String($0), name: "Person Number\(String($0, radix: 36)) Xyz") }
    private static let wanted = [(key: "w", name: "Muhammad Hassan Qadri")] + list

    private static func caseID(_ world: ComplianceWorld) async throws -> ID<ComplianceCase> {
        let queue = try await world.cases.queue()
        return try #require(queue.first?["id"]?.stringValue.flatMap { ID<ComplianceCase>(wire: $0) })
    }

    @Test func `a customer on a list gets one case, and money waits for it`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            let user: ID<User> = world.ids.next()
            for _ in 0..<2 {
                let hits = try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
                #expect(hits.map(\.entry.key) == ["w"])
                #expect(hits[0].explanation.count <= 12)
            }
            #expect(try await world.cases.queue().count == 1)
            let found = try await world.cases.find(try await Self.caseID(world))
            guard case .array(let alerts) = found?["alerts"] else { throw Problem(500, "no_alerts", "") }
            #expect(alerts.count == 1)
            for kind in [MoneyMovement.Kind.payment, .withdrawal, .transfer] {
                let answer = try await world.gate.check(world.movement(kind, 5, of: user))
                #expect(answer.outcome == .review && answer.reasons == ["under_review"])
            }
            #expect(try await world.gate.check(world.movement(.deposit, 5, of: user)).outcome == .approve)
            #expect(try await world.gate.check(world.movement(.payment, 5, of: world.ids.next())).outcome == .approve)
        }
    }

    @Test func `a release takes two, frees the money and is remembered until the entry changes`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            let user: ID<User> = world.ids.next()
            try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
            let id = try await Self.caseID(world)
            try await world.cases.assign(id, to: "ada")
            try await world.cases.note(id, "Another birth date in the passport.", by: "ada")
            await #expect(throws: Problem.self) { try await world.cases.decide(id, agrees: true, by: "bob") }
            try await world.cases.propose(id, .released, by: "ada")
            await #expect(throws: Problem.self) { try await world.cases.decide(id, agrees: true, by: "ada") }
            try await world.cases.decide(id, agrees: true, by: "bob")
            await #expect(throws: Problem.self) { try await world.cases.assign(id, to: "ada") }
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .approve)
            #expect(try await world.customers.screen(user, name: "Mohammed Hasan Qadri").isEmpty)
            // Under another id, it is the same entry; saying something else, it isn't.
            try await world.load([(key: "w2", name: "Muhammad Hassan Qadri")] + Self.list, checksum: 2)
            #expect(try await world.customers.screen(user, name: "Mohammed Hasan Qadri").isEmpty)
            try await world.load([(key: "w2", name: "Muhammad Hassan Qadry")] + Self.list, checksum: 3)
            #expect(try await world.customers.screen(user, name: "Mohammed Hasan Qadri").count == 1)
            #expect(
                try await world.count("select count(*) from platform.audit_log where action like 'case.%'") == 4
            )
        }
    }

    @Test func `what is sent back or confirmed keeps the money`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            let user: ID<User> = world.ids.next()
            try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
            let id = try await Self.caseID(world)
            try await world.cases.propose(id, .released, by: "ada")
            try await world.cases.decide(id, agrees: false, by: "bob")
            try await world.cases.propose(id, .confirmed, by: "bob")
            try await world.cases.decide(id, agrees: true, by: "ada")
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .block)
            #expect(try await world.cases.queue().isEmpty)
        }
    }

    @Test func `a case that nobody closed in time is overdue`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            try await world.customers.screen(world.ids.next(), name: "Mohammed Hasan Qadri")
            #expect(try await world.cases.queue()[0]["is_overdue"] == false)
            world.clock.advance(seconds: 24 * 3_600 + 1)
            #expect(try await world.cases.queue()[0]["is_overdue"] == true)
        }
    }

    @Test func `an overdue case is told of once, and is open to all officers again`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            try await world.customers.screen(world.ids.next(), name: "Mohammed Hasan Qadri")
            let id = try await Self.caseID(world)
            try await world.cases.assign(id, to: "ada")
            let escalation = CaseEscalation(
                pool: world.pool,
                ids: world.ids,
                clock: world.clock,
                logger: Logger(label: "test")
            )
            #expect(try await escalation.run() == 0)
            world.clock.advance(seconds: 24 * 3_600 + 1)
            #expect(try await escalation.run() == 1)
            #expect(try await escalation.run() == 0)
            let found = try await world.cases.find(id)
            #expect(found?["status"] == "open" && found?["assigned_to"] == .null)
            #expect(found?["escalated_at"] == .string(world.clock.now().description))
            let told: SQL = "select count(*) from platform.audit_log where action = 'case.escalated'"
            #expect(try await world.count(told) == 1)
            try await world.cases.assign(id, to: "bob")
        }
    }

    @Test func `officers are written to about what is overdue, once, and nobody about a case of their own`()
        async throws
    {
        try await ComplianceWorld.with { world in
            try await world.load(Self.wanted, checksum: 1)
            let (officer, suspect) = (try await world.user("Bo Berg"), try await world.user("Mohammed Hasan Qadri"))
            for user in [officer, suspect] {
                _ = try await world.pool.query(
                    """
                    insert into platform.user_roles (user_id, role, granted_by, granted_at)
                    values (\(user), 'compliance_officer', 'test', \(world.clock.now()))
                    """
                )
            }
            _ = try await world.user("Cy Cole")
            try await world.customers.screen(suspect, name: "Mohammed Hasan Qadri")
            func escalate(writing writes: Bool) async throws -> Int {
                try await CaseEscalation(
                    pool: world.pool,
                    ids: world.ids,
                    clock: world.clock,
                    writes: writes,
                    logger: Logger(label: "test")
                ).run()
            }
            world.clock.advance(seconds: 24 * 3_600 + 1)
            for expected in [1, 0] { #expect(try await escalate(writing: true) == expected) }
            let letters = try await world.pool.query("select user_id, kind from platform.pending_letters")
            #expect(letters.count == 1)
            #expect(try letters[0]["user_id"] == officer.value && letters[0]["kind"] == "cases_overdue")
            try await world.customers.screen(world.ids.next(), name: "Mohammed Hasan Qadri")
            world.clock.advance(seconds: 24 * 3_600 + 1)
            #expect(try await escalate(writing: false) == 1)
            #expect(try await world.count("select count(*) from platform.pending_letters") == 1)
        }
    }

    @Test func `a case is given to an officer alone, and never to its customer`() async throws {
        try await ComplianceWorld.with { world in
            let (customer, officer, other) = (
                try await world.user("Ana Ruiz"), try await world.user("Bo Berg"), try await world.user("Cy Cole")
            )
            for user in [customer, officer] {
                _ = try await world.pool.query(
                    """
                    insert into platform.user_roles (user_id, role, granted_by, granted_at)
                    values (\(user), 'compliance_officer', 'test', \(world.clock.now()))
                    """
                )
            }
            let alert = ComplianceCases.Alert(
                user: customer,
                kind: .sanctions,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            let id = try #require(try await world.cases.raise([alert], evidence: [:]))
            for user in [customer, other] {
                await #expect { try await world.cases.assign(id, to: user, by: "ada") } throws: {
                    ($0 as? Problem)?.code == "not_an_officer"
                }
            }
            try await world.cases.assign(id, to: officer, by: "ada")
            #expect(try await world.cases.find(id)?["assigned_to"] == .string(officer.wire))
        }
    }

    @Test func `what was known of an alert that joins a case is kept with it`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            func raise(_ subject: String) async throws -> ID<ComplianceCase>? {
                let alert = ComplianceCases.Alert(
                    user: user,
                    kind: .aml,
                    subject: subject,
                    score: 700,
                    explanation: [subject]
                )
                return try await world.cases.raise([alert], evidence: ["seen": .string(subject)], holds: false)
            }
            let id = try #require(try await raise("first"))
            #expect(try await raise("second") == id)
            let found = try #require(try await world.cases.find(id))
            #expect(found["evidence"]?["seen"] == "first")
            let seen = found["alerts"]?.elements?.map { $0["evidence"]?["seen"] }
            #expect(seen == ["first", "second"])
        }
    }

    private static func alert(_ subject: String, about user: ID<User>) -> ComplianceCases.Alert {
        ComplianceCases.Alert(user: user, kind: .sanctions, subject: subject, score: 900, explanation: [subject])
    }

    @Test func `an alert that meets the release of its case opens another one, which holds the money`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            let first = try #require(try await world.cases.raise([Self.alert("first", about: user)], evidence: [:]))
            try await world.cases.propose(first, .released, by: "ada")
            let raised = try await withThrowingTaskGroup(of: ID<ComplianceCase>?.self) { group in
                try await world.database.pool().withTransaction { holder in
                    // The decision is held up when it has closed the case and hasn't committed.
                    _ = try await holder.query("lock table platform.audit_log in share mode")
                    group.addTask {
                        try await world.cases.decide(first, agrees: true, by: "bob")
                        return nil
                    }
                    try await world.database.untilWaiting(1)
                    group.addTask { try await world.cases.raise([Self.alert("second", about: user)], evidence: [:]) }
                    try await world.database.untilWaiting(2)
                }
                var raised: ID<ComplianceCase>?
                for try await id in group { raised = raised ?? id }
                return raised
            }
            let second = try #require(raised)
            #expect(second != first)
            #expect(try await world.cases.find(first)?["status"] == "released")
            #expect(try await world.cases.queue().map { $0["id"] } == [.string(second.wire)])
            let holds = try await world.pool.query("select case_id from platform.compliance_holds")
            #expect(try holds.map { try $0[0] as ID<ComplianceCase> } == [second])
            #expect(try await world.gate.check(world.movement(.payment, 5, of: user)).outcome == .review)
        }
    }

    @Test func `a customer has one open case of a kind at most`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Ana Ruiz")
            let first = try #require(try await world.cases.raise([Self.alert("first", about: user)], evidence: [:]))
            await #expect {
                _ = try await world.pool.query(
                    """
                    insert into platform.compliance_cases (id, user_id, kind, evidence, opened_at, due_at)
                    select \(world.ids.next(ComplianceCase.self)), user_id, kind, evidence, opened_at, due_at
                    from platform.compliance_cases where id = \(first)
                    """
                )
            } throws: {
                ($0 as? PostgresError)?.violates("compliance_cases_one") == true
            }
        }
    }

    @Test func `changed entries are screened against all customers`() async throws {
        try await ComplianceWorld.with { world in
            try await world.load(Self.list, checksum: 1)
            let user: ID<User> = world.ids.next()
            #expect(try await world.customers.screen(user, name: "محمد حسن قادري").isEmpty)
            #expect(try await world.customers.screen(world.ids.next(), name: "Erika Mustermann").isEmpty)
            let report = try await world.load(Self.wanted, checksum: 2)
            #expect(report.added == 1)
            #expect(try await world.listSweep().sweepOnce() == 31)
            #expect(try await world.cases.queue().map { $0["user"] } == [.string(user.wire)])
        }
    }

    @Test func `nobody sees or works on a case about themselves`() async throws {
        try await ComplianceWorld.with { world in
            let officer = try await world.user("Ana Ruiz")
            let alert = ComplianceCases.Alert(
                user: officer,
                kind: .sanctions,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            let id = try #require(try await world.cases.raise([alert], evidence: [:]))
            #expect(try await world.cases.queue().count == 1)
            #expect(try await world.cases.queue(for: officer).isEmpty)
            #expect(try await world.cases.find(id) != nil)
            #expect(try await world.cases.find(id, for: officer) == nil)
            let me = officer.wire
            try await world.cases.propose(id, .released, by: "bob")
            let attempts: [@Sendable () async throws -> Void] = [
                { try await world.cases.assign(id, to: me) }, { try await world.cases.note(id, "mine", by: me) },
                { try await world.cases.propose(id, .released, by: me) },
                { try await world.cases.decide(id, agrees: true, by: me) },
            ]
            for attempt in attempts {
                await #expect { try await attempt() } throws: { ($0 as? Problem)?.code == "not_found" }
            }
            #expect(try await world.cases.find(id)?["status"] == "proposed")
        }
    }
}
