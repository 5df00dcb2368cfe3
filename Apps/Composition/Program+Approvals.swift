import Approvals
import Audit
import DomainKit
import Fees
import HTTP
import Identity
import Kernel

extension Program {
    /// What takes two people: roles of staff, and fee schedules.
    var approvals: Approvals {
        Approvals(identity.approvalKinds + [feeSchedule], pool: platform.pool, ids: ids, clock: clock)
    }

    private var feeSchedule: ApprovalKind {
        let (schedules, ids) = (FeeSchedules(platform.pool), ids)
        return ApprovalKind(
            "fees.publish",
            permission: "operate:fees",
            summary: "publish a version of a fee schedule; the open one before it ends where it begins.",
            payload: .object([.required("schedule", .any, "As `diboas fees show` prints it.")]),
            prepare: { payload in
                let schedule = try FeeSchedule(json: payload["schedule"] ?? .null)
                try await schedules.publish(schedule, dryRun: true)
                return ["schedule": schedule.json]
            },
            execute: { approval, initiative, transaction in
                let schedule = try FeeSchedule(json: approval.payload["schedule"] ?? .null)
                try await schedules.publish(schedule, in: transaction)
                let entry = AuditEntry(
                    id: ids.next(),
                    actor: initiative.approver.user.wire,
                    action: "fee_schedule.published",
                    entity: "fee_schedule",
                    entityID: schedule.id.value,
                    after: ["schedule": schedule.json, "approval": .string(approval.id.wire)],
                    correlation: initiative.request.id.value
                )
                return ApprovalKind.Execution(["id": .string(schedule.id.wire)], rows: [entry])
            }
        )
    }
}
