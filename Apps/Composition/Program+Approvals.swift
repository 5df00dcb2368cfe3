import Approvals
import Audit
import Compliance
import DomainKit
import Fees
import HTTP
import Identity
import Kernel

extension Program {
    /// What takes two people: roles of staff, fee schedules, the rules of compliance, and postings by hand.
    var approvals: Approvals {
        let cases = ComplianceCases(pool: platform.pool, ids: ids, clock: clock)
        let postings = ManualPostings(runtimes: Array(domainRuntimes.values), cases: cases, ids: ids)
        let rules = RuleSets(pool: platform.pool, clock: clock).approval(ids: ids)
        return Approvals(
            identity.approvalKinds + [feeSchedule, rules, postings.kind],
            pool: platform.pool,
            ids: ids,
            clock: clock
        )
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
