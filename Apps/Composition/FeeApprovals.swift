import Approvals
import Audit
import Fees
import HTTP
import Identity
import Kernel
import PostgreSQL

/// What takes two people of fees: a new version, and the end of one.
struct FeeApprovals: Sendable {
    let schedules: FeeSchedules
    let ids: IDGenerator

    /// `fees.publish` and `fees.close`.
    var kinds: [ApprovalKind] { [publishing, closing] }

    private var publishing: ApprovalKind {
        let schedules = schedules
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
                let entry = entry("fee_schedule.published", schedule.id, schedule.json, approval, initiative)
                return ApprovalKind.Execution(["id": .string(schedule.id.wire)], rows: [entry])
            }
        )
    }

    private var closing: ApprovalKind {
        let schedules = schedules
        return ApprovalKind(
            "fees.close",
            permission: "operate:fees",
            summary: "end a version with nothing after it, at once or `at` an instant; its operation is refused then.",
            payload: .object([.required("id", .id(of: FeeSchedule.self)), .optional("at", .instant)]),
            prepare: { payload in
                try await schedules.check(FeeScheduleEnd(of: try id(payload), at: instant(payload)))
                return payload
            },
            execute: { approval, initiative, transaction in
                let payload = approval.payload
                let end = FeeScheduleEnd(of: try id(payload), at: instant(payload))
                let instant = try await schedules.close(end, in: transaction)
                let entry = entry("fee_schedule.closed", try id(payload), payload, approval, initiative)
                return ApprovalKind.Execution(["ends_at": .string(instant.description)], rows: [entry])
            }
        )
    }

    private func id(_ payload: JSON) throws(Problem) -> ID<FeeSchedule> {
        guard let id = payload["id"]?.stringValue.flatMap({ ID<FeeSchedule>(wire: $0) }) else { throw .notFound }
        return id
    }

    private func instant(_ payload: JSON) -> Timestamp? { payload["at"]?.stringValue.flatMap { Timestamp($0) } }

    private func entry(
        _ action: String,
        _ id: ID<FeeSchedule>,
        _ schedule: JSON,
        _ approval: Approval,
        _ initiative: ApprovalKind.Initiative
    ) -> AuditEntry {
        AuditEntry(
            id: ids.next(),
            actor: initiative.approver.user.wire,
            action: action,
            entity: "fee_schedule",
            entityID: id.value,
            after: ["schedule": schedule, "approval": .string(approval.id.wire)],
            correlation: initiative.request.id.value
        )
    }
}
