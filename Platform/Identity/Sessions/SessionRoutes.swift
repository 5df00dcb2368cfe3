import HTTP
import Kernel
import PostgreSQL

/// `/v1/me/sessions…`: where a user is signed in.
struct SessionRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [list, revoke] }

    private static let tag = "Sessions"

    private var list: Route {
        let services = services
        return Route(
            .get,
            "/v1/me/sessions",
            operationID: "listSessions",
            summary: "Where you are signed in",
            tag: Self.tag,
            access: .permission("me"),
            responses: [200: ResponseShape("The sessions, the newest first.", listSchema)]
        ) { request in
            let principal = try request.requirePrincipal()
            let live = SessionRows.list(of: principal.user, limit: services.policy.sessionsMax, at: request.now)
            let rows = try await services.pool.query(live)
            return .ok(["data": .array(try rows.map { row in try Self.json(row, present: principal.sessionID) })])
        }
    }

    private var revoke: Route {
        let sessions = Sessions(services: services)
        return Route(
            .delete,
            "/v1/me/sessions/{id}",
            operationID: "revokeSession",
            summary: "Sign out elsewhere",
            description: "Access and refresh tokens of the session don't count any more.",
            tag: Self.tag,
            access: .permission("me"),
            parameters: [.path("id", .id(of: Session.self), "The session.")],
            responses: [204: ResponseShape("The session has ended.")]
        ) { request in
            try await sessions.revoke(request.id("id"), of: request.requirePrincipal().user, by: Origin(request))
            return .noContent
        }
    }

    private static func json(_ row: Row, present: String?) throws(DecodingFailure) -> JSON {
        let (id, createdAt): (ID<Session>, Timestamp) = (try row[0], try row[1])
        let (lastUsedAt, expiresAt): (Timestamp, Timestamp) = (try row[2], try row[3])
        let (ip, userAgent): (String?, String?) = (try row[4], try row[5])
        return [
            "id": .string(id.wire), "created_at": .string(createdAt.description),
            "last_used_at": .string(lastUsedAt.description), "expires_at": .string(expiresAt.description),
            "ip": ip.map { .string($0) } ?? .null, "user_agent": userAgent.map { .string($0) } ?? .null,
            "is_present": .bool(id.description == present),
        ]
    }

    private var listSchema: JSONSchema {
        .object(
            [.required("data", .array(of: Self.session, count: 0...services.policy.sessionsMax))],
            named: "Sessions"
        )
    }

    private static let session = JSONSchema.object(
        [
            .required("id", .id(of: Session.self)), .required("created_at", .instant),
            .required("last_used_at", .instant, "When its tokens were last renewed."),
            .required("expires_at", .instant), .required("ip", .nullable(.anyString)),
            .required("user_agent", .nullable(.anyString)), .required("is_present", .bool, "Whether it is yours now."),
        ],
        named: "Session"
    )
}
