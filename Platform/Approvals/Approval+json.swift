import HTTP
public import Kernel

extension Approval {
    /// The proposal as the API shows one.
    public var json: JSON {
        [
            "id": .string(id.wire), "kind": .string(kind), "payload": payload, "reason": .string(reason),
            "status": .string(status.rawValue), "proposed_by": .string(proposedBy.wire),
            "proposed_at": .string(proposedAt.description), "expires_at": .string(expiresAt.description),
            "decided_by": decidedBy.map { .string($0.wire) } ?? .null,
            "decided_at": decidedAt.map { .string($0.description) } ?? .null,
            "decision_reason": decisionReason.map { .string($0) } ?? .null, "result": result ?? .null,
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: Approval.self)), .required("kind", .anyString), .required("payload", .any),
            .required("reason", .anyString), .required("status", .oneOf(Status.self)),
            .required("proposed_by", .id(of: User.self)), .required("proposed_at", .instant),
            .required("expires_at", .instant), .required("decided_by", .nullable(.id(of: User.self))),
            .required("decided_at", .nullable(.instant)), .required("decision_reason", .nullable(.anyString)),
            .required("result", .any, "What came of it; null until it is executed."),
        ],
        named: "Approval"
    )
}
