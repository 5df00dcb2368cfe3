import Approvals
import Fees
import HTTP
import Kernel
import PostgreSQL
import TestSupport
import Testing

@testable import Composition

/// Two people publish a fee schedule, and two end one.
@Suite struct FeeApprovalTests {
    private final class World: Sendable {
        let pool: Pool
        let schedules: FeeSchedules
        let approvals: Approvals
        let api: API
        let maker: ID<User>
        let checker: ID<User>

        static func with(_ body: (World) async throws -> Void) async throws {
            try await TestDatabase.with { database in try await body(try await World(database.pool(.platform))) }
        }

        private init(_ pool: Pool) async throws {
            let ids = IDGenerator()
            (self.pool, schedules, maker, checker) = (pool, FeeSchedules(pool), ids.next(), ids.next())
            approvals = Approvals(FeeApprovals(schedules: schedules, ids: ids).kinds, pool: pool, ids: ids)
            api = API(
                ApprovalRoutes(approvals, cursors: CursorSigner(key: Array(repeating: 7, count: 32))).routes,
                description: APIDescription(title: "Test", version: "1", text: ""),
                services: API.Services(authenticator: Operators())
            )
            for (number, user) in [maker, checker].enumerated() {
                _ = try await pool.query(
                    """
                    insert into platform.users (id, email, username, password_hash, created_at, updated_at)
                    values (\(user), \("user\(number)@example.com"), \("user\(number)"),
                        '$2b$10$' || repeat('a', 53), now(), now())
                    """
                )
            }
        }

        func send(_ path: String, _ body: JSON?, as user: ID<User>) async throws -> (status: Int, json: JSON) {
            let answer = await api.respond(
                "POST",
                path,
                headers: ["Authorization": "Bearer \(user.wire)", "Content-Type": "application/json"],
                body: body?.serialized() ?? []
            )
            return (answer.status, try answer.encodedBody().map { try JSON.parse($0.bytes) } ?? .null)
        }

        /// Proposes as one, tries to approve as the same, and approves as another.
        func agree(_ kind: String, _ payload: JSON) async throws -> JSON {
            let proposal: JSON = ["kind": .string(kind), "payload": payload, "reason": "a trial"]
            let made = try await send("/v1/operator/approvals", proposal, as: maker)
            try #require(made.status == 201, "\(made.json)")
            let path = "/v1/operator/approvals/\(made.json["id"]?.stringValue ?? "")/approve"
            let before = try await schedules.all()
            let own = try await send(path, nil, as: maker)
            #expect((own.status, own.json["code"]) == (403, "own_proposal"))
            #expect(try await schedules.all() == before)
            return try await send(path, nil, as: checker).json
        }

        func actors(_ action: String) async throws -> [String] {
            try await pool.query("select actor from platform.audit_log where action = \(action)").map { try $0[0] }
        }
    }

    /// Every token is a user's id, who may do what operators may.
    private struct Operators: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            guard let user = ID<User>(wire: token) else { throw Problem.unauthenticated }
            let permissions = ["staff:approvals", "operate:fees"].map { Permission($0) }
            return Principal(user: user, permissions: Set(permissions), assurance: .signature)
        }
    }

    private static func schedule(version: Int = 1) -> JSON {
        [
            "id": .string(ID<FeeSchedule>(UInt128(77 + version)).wire), "version": .integer(version),
            "operation": "banking.trial", "asset": "USD", "effective_from": "2026-01-01T00:00:00.000000Z",
            "rules": [["rule": "trial", "category": "platform", "text": "Trial", "terms": [["flat": "0.10"]]]],
        ]
    }

    @Test func `one proposes a schedule or its end, another approves, and then it is so`() async throws {
        try await World.with { world in
            let id = ID<FeeSchedule>(78)
            let published = try await world.agree("fees.publish", ["schedule": Self.schedule()])
            #expect(published["status"] == "executed", "\(published)")
            #expect(try await world.schedules.find(id)?.effectiveTo == nil)
            #expect(try await world.actors("fee_schedule.published") == [world.checker.wire])

            let closed = try await world.agree("fees.close", ["id": .string(id.wire)])
            #expect(closed["status"] == "executed", "\(closed)")
            #expect(try await world.schedules.find(id)?.effectiveTo != nil)
            #expect(try await world.actors("fee_schedule.closed") == [world.checker.wire])
            let again: JSON = ["kind": "fees.close", "payload": ["id": .string(id.wire)], "reason": "again"]
            #expect(try await world.send("/v1/operator/approvals", again, as: world.maker).status == 409)
        }
    }

    @Test func `who proposes at the console is kept as who went around the sign-in`() async throws {
        try await World.with { world in
            let staff = Principal(user: world.maker, permissions: ["operate:fees"], assurance: .signature)
            let made = try await world.approvals.propose(
                "fees.publish",
                ["schedule": Self.schedule()],
                because: "a trial",
                by: staff,
                Trail(console: "root")
            )
            #expect(try await world.actors("break_glass.proposed") == ["operator:root"])
            #expect(try await world.actors("approval.proposed").isEmpty)
            let path = "/v1/operator/approvals/\(made.id.wire)/approve"
            #expect(try await world.send(path, nil, as: world.maker).json["code"] == "own_proposal")
            #expect(try await world.send(path, nil, as: world.checker).status == 200)
        }
    }
}
