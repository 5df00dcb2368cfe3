import Compliance
import DataProtection
import HTTP
import Kernel
import Logging
import PostgreSQL
import Testing

@Suite struct StaffReadTests {
    /// A user's id is a token by itself here, of an officer.
    private struct Callers: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem(401, "unauthenticated", "") }
            return Principal(
                user: user,
                permissions: ["compliance:review"],
                roles: ["compliance_officer"],
                assurance: .secondFactor(until: Timestamp(seconds: 4_000_000_000))
            )
        }
    }

    private static func api(_ world: ComplianceWorld) -> API {
        let reads = StaffReads(pool: world.pool, ids: world.ids, clock: world.clock)
        let cursors = CursorSigner(key: Array(repeating: 7, count: 32))
        return API(
            ComplianceRoutes(cases: world.cases, reads: reads, data: world.data).routes
                + RiskRoutes(
                    RiskHistory(pool: world.pool),
                    TravelRuleRecords(pool: world.pool),
                    reads: reads,
                    cursors: cursors
                ).routes,
            description: APIDescription(title: "Test", version: "1", text: ""),
            services: API.Services(
                authenticator: Callers(),
                clock: world.clock,
                ids: world.ids,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
    }

    private static func status(
        _ api: API,
        _ method: String,
        _ path: String,
        _ officer: ID<User>,
        _ body: JSON? = nil
    ) async throws -> Int {
        var fields = [(name: "Authorization", value: "Bearer " + officer.wire)]
        if body != nil { fields.append((name: "Content-Type", value: "application/json")) }
        return await api.respond(method, path, headers: Headers(fields), body: body?.serialized() ?? []).status
    }

    @Test func `who reads a case, a score or a payout's names says why, and it is kept`() async throws {
        try await ComplianceWorld.with { world in
            let (customer, officer) = (try await world.user("Ana Ruiz"), try await world.user("Bo Berg"))
            let alert = ComplianceCases.Alert(
                user: customer,
                kind: .sanctions,
                subject: "x",
                score: 900,
                explanation: ["x"]
            )
            let id = try #require(try await world.cases.raise([alert], evidence: [:]))
            _ = try await world.pool.query(
                """
                insert into platform.travel_rule_records (id, user_id, subject, asset, amount, account, originator,
                    beneficiary, recorded_at)
                values (\(world.ids.next(User.self)), \(customer), \(world.ids.next(User.self)), 'USD', 100, 'x', '{}',
                    '{}', \(world.clock.now()))
                """
            )
            let api = Self.api(world)
            let paths = [
                "/v1/operator/compliance/cases/\(id.wire)", "/v1/operator/compliance/users/\(customer.wire)/risk",
                "/v1/operator/compliance/travel-rule",
            ]
            for path in paths {
                #expect(try await Self.status(api, "GET", path, officer) == 400)
                #expect(try await Self.status(api, "GET", path + "?reason=a%20check", officer) == 200)
            }
            let assignment = paths[0] + "/assignment"
            #expect(try await Self.status(api, "POST", assignment, officer, [:]) == 200)
            let other: JSON = ["officer": .string(customer.wire)]
            #expect(try await Self.status(api, "POST", assignment, officer, other) == 422)
            let kept = try await world.pool.query(
                "select user_id, reader, data_types, reason from platform.data_access_log order by id"
            )
            #expect(try kept.allSatisfy { try $0["user_id"] == customer.value && $0["reader"] == officer.value })
            let whats: [[String]] = try kept.map { try $0["data_types"] }
            #expect(
                whats == [["compliance.case"], ["compliance.risk"], ["compliance.travel_rule"], ["compliance.case"]]
            )
            let reasons: [String] = try kept.map { try $0["reason"] }
            #expect(reasons == ["a check", "a check", "a check", "assignComplianceCase"])
        }
    }
}
