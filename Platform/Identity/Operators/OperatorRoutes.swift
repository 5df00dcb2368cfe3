import DataProtection
import HTTP
import Kernel

/// `/v1/operator/users/…`: what operators see and decide of users.
struct OperatorRoutes: Sendable {
    let services: IdentityServices

    var routes: [Route] { [read, decideVerification, decideStatus] }

    private static let tag = "Operators"
    private static let access = Access.permission("operate:users")
    private static let user = Parameter.path("id", .id(of: User.self), "The user.")

    private var read: Route {
        let decisions = AccountDecisions(services: services)
        return Route(
            .get,
            "/v1/operator/users/{id}",
            operationID: "getUser",
            summary: "One user",
            description: "That you looked, and why, is kept.",
            tag: Self.tag,
            access: .permission("staff:users"),
            parameters: [Self.user, StaffReader.parameter],
            responses: [200: ResponseShape("The user.", UserRecord.schema, headers: [.etag])]
        ) { request in
            let reader = try StaffReader(request)
            let (user, grants) = try await decisions.read(request.id("id"), by: Origin(request), reader)
            return .ok(user.json(grants)).tagged(user.tag)
        }
    }

    private var decideVerification: Route {
        let verification = Verification(services: services)
        return Route(
            .post,
            "/v1/operator/users/{id}/kyc",
            operationID: "decideVerification",
            summary: "Decide on a user's verification",
            description: """
                `none` lets the user ask for it again. Any decision ends the level that documents gave. `approved` is \
                for whom the sandbox's check has left open; who has applied with documents is approved on the \
                application.
                """,
            tag: Self.tag,
            access: Self.access,
            precondition: .optional,
            parameters: [Self.user],
            body: .json(Self.decision(["approved", "rejected", "none"], named: "VerificationDecision")),
            responses: [200: ResponseShape("The user.", UserRecord.schema, headers: [.etag])],
            problems: [
                403: ["own_account"], 409: ["status_not_possible", "decided_by_application", "customer_held"],
            ]
        ) { request in
            let id: ID<User> = try request.id("id")
            let decision = Verification.Decision(
                status: KYCStatus(rawValue: request.body["status"]?.stringValue ?? "") ?? .none,
                reason: request.body["reason"]?.stringValue ?? ""
            ) { try request.requireMatch($0.tag) }
            let user = try await verification.decide(id, decision, by: request.requirePrincipal(), Origin(request))
            return .ok(user.json(try await verification.services.users.grants(id))).tagged(user.tag)
        }
    }

    private var decideStatus: Route {
        let decisions = AccountDecisions(services: services)
        return Route(
            .post,
            "/v1/operator/users/{id}/status",
            operationID: "decideUserStatus",
            summary: "Lock, unlock or close an account",
            description: "Locking and closing end all sessions. What is closed stays closed.",
            tag: Self.tag,
            access: Self.access,
            precondition: .optional,
            parameters: [Self.user],
            body: .json(Self.decision(UserStatus.allCases.map(\.rawValue), named: "UserStatusDecision")),
            responses: [200: ResponseShape("The user.", UserRecord.schema, headers: [.etag])],
            problems: [403: ["own_account"], 409: ["status_not_possible"]]
        ) { request in
            let id: ID<User> = try request.id("id")
            guard let status = UserStatus(rawValue: request.body["status"]?.stringValue ?? "") else {
                throw Problem.malformed("not_allowed", in: "/status")
            }
            let decision = AccountDecisions.Decision(
                status: status,
                reason: request.body["reason"]?.stringValue ?? ""
            ) { try request.requireMatch($0.tag) }
            let user = try await decisions.decide(id, decision, by: request.requirePrincipal(), Origin(request))
            return .ok(user.json(try await decisions.services.users.grants(id))).tagged(user.tag)
        }
    }

    private static func decision(_ statuses: [String], named name: String) -> JSONSchema {
        .object(
            [.required("status", .oneOf(statuses)), .required("reason", .text(1...500), "Why, for the audit log.")],
            named: name
        )
    }
}
