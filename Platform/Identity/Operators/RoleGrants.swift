import Approvals
import HTTP
import Kernel
import PostgreSQL

/// Who is staff: a role is given and taken by two people.
struct RoleGrants: Sendable {
    let services: IdentityServices

    /// `role.grant` and `role.revoke`.
    var kinds: [ApprovalKind] {
        [
            kind("role.grant", "give a user a role of staff; it counts with the user's next access token.", Self.grant),
            kind("role.revoke", "take a role from a user, whose sessions end.", Self.revoke),
        ]
    }

    private static let permission = Permission("operate:roles")
    private static let payload = JSONSchema.object(
        [.required("user", .id(of: User.self)), .required("role", .oneOf(Role.staff.map(\.rawValue)))],
        named: "RoleChange"
    )

    private typealias Change = @Sendable (RoleGrants, ID<User>, String, Approval, Transaction) async throws -> [SQL]

    private func kind(_ name: String, _ summary: String, _ change: @escaping Change) -> ApprovalKind {
        ApprovalKind(
            name,
            permission: Self.permission,
            summary: summary,
            payload: Self.payload,
            prepare: { payload in
                guard try await services.users.find(Self.user(payload)) != nil else { throw Problem.notFound }
                return payload
            },
            execute: { approval, initiative, transaction in
                let (user, role) = (try Self.user(approval.payload), approval.payload["role"]?.stringValue ?? "")
                // Nobody gets a role by their own hand, neither as the one who proposes nor as the one who approves.
                guard user != approval.proposedBy, user != initiative.approver.user else {
                    throw IdentityProblem.ownAccount
                }
                let statements = try await change(self, user, role, approval, transaction)
                let entry = services.journal.audit(
                    "user." + (name == "role.grant" ? "role_granted" : "role_revoked"),
                    user: user,
                    by: Origin(initiative.request),
                    after: ["role": .string(role), "approval": .string(approval.id.wire)]
                )
                return ApprovalKind.Execution(["role": .string(role)], statements: statements, rows: [entry])
            },
            afterwards: { approval in
                guard let user = try? Self.user(approval.payload) else { return }
                services.directory.forget(user)
                await services.sessions.forgetAll(of: user)
            }
        )
    }

    private static let grant: Change = { grants, user, role, approval, transaction in
        guard try await grants.services.users.lock(user, in: transaction) != nil else { throw Problem.notFound }
        let now = grants.services.clock.now()
        let stored = try await transaction.query(
            """
            insert into platform.user_roles (user_id, role, granted_by, granted_at)
            values (\(user), \(role), \(approval.proposedBy.wire), \(now))
            on conflict do nothing
            returning 1
            """
        )
        guard !stored.isEmpty else { throw IdentityProblem.roleNotPossible }
        return []
    }

    private static let revoke: Change = { grants, user, role, _, transaction in
        guard try await grants.services.users.lock(user, in: transaction) != nil else { throw Problem.notFound }
        let taken = try await transaction.query(
            "delete from platform.user_roles where user_id = \(user) and role = \(role) returning 1"
        )
        guard !taken.isEmpty else { throw IdentityProblem.roleNotPossible }
        // Access tokens carry the role until they end; without their session they count for nothing.
        return [SessionRows.revokeAll(of: user, .roleTaken, at: grants.services.clock.now())]
    }

    private static func user(_ payload: JSON) throws(Problem) -> ID<User> {
        guard let user = payload["user"]?.stringValue.flatMap({ ID<User>(wire: $0) }) else { throw .notFound }
        return user
    }
}
