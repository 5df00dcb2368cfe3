import DataProtection
import HTTP
import Kernel
import Logging
import PostgreSQL
import Screening
import Testing

@testable import Compliance

/// What customers are screened by, and what cases know of them: sealed under the customer's key.
@Suite struct SealedEvidenceTests {
    /// A user's id is a token, with the role that the user has here before it.
    private struct Callers: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            let parts = token.split(separator: ".").map(String.init)
            guard parts.count == 2, let user = ID<User>(wire: parts[1]) else { throw Problem.unauthenticated }
            return Principal(
                user: user,
                permissions: ["compliance:review"],
                roles: [parts[0]],
                assurance: .secondFactor(until: Timestamp(seconds: 4_000_000_000))
            )
        }
    }

    private static let born = "1960-05-05"

    /// Somebody of North Korea who was born on a day of the year that an entry of a list with the same name says.
    private static func alerted(_ world: ComplianceWorld) async throws -> ID<User> {
        try await world.load([("w", "Muhammad Hassan Qadri")], checksum: 1)
        let user = try await world.user("Mohammed Hasan Qadri")
        let hits = try await world.customers.screen(
            user,
            name: "Mohammed Hasan Qadri",
            birth: BirthDate(born),
            countries: ["KP"]
        )
        #expect(hits.count == 1)
        return user
    }

    /// The cases as an officer with a role reads them.
    private static func read(
        _ world: ComplianceWorld,
        of user: ID<User>,
        as role: String
    ) async throws -> [JSON] {
        let reads = StaffReads(pool: world.pool, ids: world.ids, clock: world.clock)
        let api = API(
            ComplianceRoutes(cases: world.cases, reads: reads, data: world.data).routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Callers(),
                clock: world.clock,
                ids: world.ids,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        let officer = try await world.user("Bo Berg")
        var found: [JSON] = []
        for entry in try await world.cases.queue() where entry["user"]?.stringValue == user.wire {
            let answer = await api.respond(
                "GET",
                "/v1/operator/compliance/cases/\(entry["id"]?.stringValue ?? "")?reason=review",
                headers: ["Authorization": "Bearer \(role).\(officer.wire)"]
            )
            found.append(try JSON.parse(try #require(answer.encodedBody()).bytes))
        }
        return found
    }

    /// All that the tables of compliance and screening have of customers, as text.
    private static func tables(_ world: ComplianceWorld) async throws -> String {
        var text = ""
        for table in [
            "screening_subjects", "compliance_cases", "compliance_alerts", "compliance_checks", "compliance_notes",
            "encrypted_user_data", "audit_log", "screening_dismissals",
        ] {
            let name = try #require(Schema(table))
            let rows: String? = try await world.pool.query(
                "select string_agg(t::text, ' ') from platform.\(name) t"
            )[0][0]
            text += rows ?? ""
        }
        return text
    }

    @Test func `neither births nor countries of customers stand in the clear`() async throws {
        try await ComplianceWorld.with { world in
            _ = try await Self.alerted(world)
            #expect(try await world.cases.queue().count == 2)
            let text = try await Self.tables(world)
            #expect(text.contains("Mohammed Hasan Qadri"), "what is looked at is what is there")
            for secret in [Self.born, "KP", "sameYear", "agrees"] {
                #expect(!text.contains(secret), "\(secret)")
            }
        }
    }

    @Test func `officers read what is sealed, and that they did is kept`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await Self.alerted(world)
            let cases = try await Self.read(world, of: user, as: "compliance_officer")
            let sanctions = try #require(cases.first { $0["kind"] == "sanctions" })
            #expect(sanctions["evidence"]?["birth"]?.stringValue == Self.born)
            #expect(sanctions["evidence"]?["countries"] == ["KP"] && sanctions["evidence"]?["sealed"] == nil)
            let alert = try #require(sanctions["alerts"]?.elements?.first)
            #expect(alert["evidence"]?["birth"]?.stringValue == Self.born)
            #expect(alert["explanation"]?.serialized().count ?? 0 > 60)
            let country = try #require(cases.first { $0["kind"] == "aml" })
            #expect(country["alerts"]?.elements?.first?["explanation"] == ["a customer of KP, which is of high risk"])
            let noted: SQL = """
                select count(*) from platform.data_access_log
                where user_id = \(user) and data_types = '{compliance.evidence}' and outcome = 'disclosed'
                    and reason = 'review'
                """
            #expect(try await world.count(noted) == 2)
        }
    }

    @Test func `without a policy, and once the key is gone, a case is read without what is sealed`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await Self.alerted(world)
            func sealed(_ role: String) async throws -> Bool {
                let cases = try await Self.read(world, of: user, as: role)
                return cases.count == 2
                    && cases.allSatisfy { $0["evidence"]?["sealed"] != nil && $0["evidence"]?["birth"] == nil }
            }
            #expect(try await sealed("support"))
            let refused: SQL = """
                select count(*) from platform.data_access_log where user_id = \(user) and outcome = 'refused'
                """
            #expect(try await world.count(refused) == 2)
            #expect(try await !sealed("compliance_officer"))
            _ = try await world.pool.query(
                "update platform.user_data_keys set wrapped = null, destroyed_at = now() where user_id = \(user)"
            )
            #expect(try await sealed("compliance_officer"))
        }
    }

    @Test func `customers aren't shown what cases know of them`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await Self.alerted(world)
            let shown = try await world.data.read(user, but: [])
            #expect(shown.map(\.type) == [.screenedBy])
            #expect(try await world.data.read(user, [.evidence]).count == 2)
        }
    }

    @Test func `what is raised again seals nothing anew`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await Self.alerted(world)
            for _ in 0..<2 {
                _ = try await world.customers.screen(
                    user,
                    name: "Mohammed Hasan Qadri",
                    birth: BirthDate(Self.born),
                    countries: ["KP"]
                )
            }
            #expect(try await world.data.read(user, [.evidence]).count == 2)
            #expect(try await world.count("select count(*) from platform.compliance_alerts") == 2)
            _ = try await world.customers.screen(user, name: "Mohammed Hasan Qadri")
            #expect(try await world.data.read(user, .screenedBy) == nil)
        }
    }

    @Test func `a customer whose values can't be opened keeps no other from being compared`() async throws {
        try await ComplianceWorld.with { world in
            var users: [ID<User>] = []
            for _ in 0..<3 {
                let user = try await world.user("Mohammed Hasan Qadri")
                try await world.customers.screen(user, name: "Mohammed Hasan Qadri", birth: BirthDate(Self.born))
                users.append(user)
            }
            _ = try await world.pool.query(
                """
                update platform.encrypted_user_data set envelope = overlay(envelope placing '\\x00'::bytea from 30)
                where user_id = \(users[1])
                """
            )
            try await world.load([("w", "Muhammad Hassan Qadri")], checksum: 1)
            #expect(try await world.listSweep().sweepOnce() == 1)
            let found = try await world.cases.queue().compactMap { $0["user"]?.stringValue }
            #expect(Set(found) == [users[0].wire, users[2].wire])
            #expect(try await world.count("select count(*) from platform.screening_queue") == 1)
        }
    }

    @Test func `nothing leaves of a customer whose countries can't be read`() async throws {
        try await ComplianceWorld.with { world in
            let user = try await world.user("Erika Mustermann")
            _ = try await world.customers.screen(user, name: "Erika Mustermann", countries: ["DE"])
            let leaving = world.movement(.withdrawal, 5, of: user)
            #expect(try await world.gate.check(leaving).outcome == .approve)
            let blind = ComplianceGate(pool: world.pool, ids: world.ids, clock: world.clock)
            let answer = try await blind.check(leaving)
            #expect(answer.outcome == .block && answer.isUnread)
        }
    }
}
