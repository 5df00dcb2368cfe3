import Approvals
import Audit
import Compliance
import HTTP
import Kernel

extension RuleSets {
    /// `compliance.rules`: two people decide which version of the rules decides.
    func approval(ids: IDGenerator) -> ApprovalKind {
        ApprovalKind(
            "compliance.rules",
            permission: "compliance:review",
            summary: "let a version of the rules decide, in place of the one that decides now.",
            payload: .object(
                [.required("version", .integer(1...Int.max), "As `diboas compliance rules draft` named it.")],
                named: "RulesInForce"
            ),
            prepare: { payload in
                guard let version = payload["version"]?.integerValue, try await parameters(of: Int(version)) != nil
                else { throw Problem.notFound }
                return payload
            },
            execute: { approval, initiative, transaction in
                let version = approval.payload["version"]?.integerValue ?? 0
                try await use(Int(version), as: .active, in: transaction)
                let entry = RuleSets.entry(
                    ids.next(),
                    "rules.activated",
                    version: Int(version),
                    by: initiative.approver.user.wire,
                    after: [
                        JSON.Member("approval", .string(approval.id.wire)),
                        JSON.Member("reason", .string(approval.reason)),
                    ]
                )
                return ApprovalKind.Execution(["version": .integer(Int(version))], rows: [entry])
            }
        )
    }

    /// The line of the audit log about a version.
    static func entry(
        _ id: ID<AuditEntry>,
        _ action: String,
        version: Int,
        by actor: String,
        after: [JSON.Member]
    ) -> AuditEntry {
        AuditEntry(
            id: id,
            actor: actor,
            action: action,
            entity: "compliance_rules",
            entityID: UInt128(version),
            after: .object([JSON.Member("version", .integer(version))] + after)
        )
    }
}
