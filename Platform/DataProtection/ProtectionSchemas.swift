import HTTP
import Kernel

/// What requests and answers about private data look like.
enum ProtectionSchemas {
    static let request = JSONSchema.object(
        [
            .required("id", .id(of: ErasureRequest.self)), .required("user", .id(of: User.self)),
            .required("status", .oneOf(ErasureRequest.Status.self)), .required("requested_at", .instant),
            .required("decided_at", .nullable(.instant)),
            .required("reason", .nullable(.text(1...500)), "Why it was refused."),
        ],
        named: "ErasureRequest"
    )

    static let requests = JSONSchema.object(
        [.required("data", .array(of: request, count: 0...ErasureRequests.listMax))],
        named: "ErasureRequests"
    )

    static let outlook = JSONSchema.object(
        [
            .required("request", request),
            .required("obstacles", .array(of: obstacle, count: 0...1_000), "What stands against it now."),
            .required("kept", .array(of: kept, count: 0...1_000), "What would stay, and why."),
        ],
        named: "ErasureOutlook"
    )

    static let decision = JSONSchema.object(
        [
            .required("decision", .oneOf(["erase", "refuse"])),
            .required("reason", .text(1...500), "Why, for the user and the audit log."),
        ],
        named: "ErasureDecision"
    )

    static let decided = JSONSchema.object(
        [.required("request", request), .required("receipt", .nullable(receipt))],
        named: "ErasureDecided"
    )

    static let disclosure = JSONSchema.object(
        [
            .optional("data_types", .array(of: .text(1...100), count: 1...PersonalValues.valuesMax)),
            .required("reason", .text(1...500), "Why you read it."),
        ],
        named: "PersonalDataDisclosure"
    )

    static let search = JSONSchema.object(
        [
            .required("data_type", .oneOf([DataType.phone, .legalName].map(\.name))),
            .required("value", .text(1...300), "However it was typed."),
            .required("reason", .text(1...500), "Why you search."),
        ],
        named: "PersonalDataSearch"
    )

    static let found = JSONSchema.object(
        [
            .required(
                "data",
                .array(
                    of: .object([.required("id", .id(of: User.self))], named: "FoundUser"),
                    count: 0...PersonalValues.foundMax
                )
            )
        ],
        named: "FoundUsers"
    )

    static let values = JSONSchema.object(
        [
            .required(
                "data",
                .array(of: .any, count: 0...PersonalValues.valuesMax),
                "Each with `data_type` and `value`."
            )
        ],
        named: "PersonalDataValues"
    )

    static let sections = JSONSchema.object(
        [
            .required("exported_at", .instant),
            .required(
                "sections",
                .array(
                    of: .object(
                        [.required("name", .anyString), .required("path", .anyString, "Where its records are.")],
                        named: "DataExportSection"
                    ),
                    count: 0...1_000
                )
            ),
        ],
        named: "DataExport"
    )

    static let record = JSONSchema.object(
        [.required("section", .anyString), .required("record", .any, "As it is stored.")],
        named: "DataExportRecord"
    )

    private static let obstacle = JSONSchema.object(
        [.required("place", .anyString), .required("code", .anyString), .required("text", .anyString)],
        named: "ErasureObstacle"
    )

    private static let kept = JSONSchema.object(
        [.required("what", .anyString), .required("because", .anyString)],
        named: "ErasureKept"
    )

    private static let receipt = JSONSchema.object(
        [
            .required("id", .id(of: ErasureReceipt.self)), .required("user", .id(of: User.self)),
            .required("erased_by", .anyString), .required("erased_at", .instant),
            .required(
                "removed",
                .array(
                    of: .object(
                        [.required("what", .anyString), .required("rows", .integer(0...1_000_000_000))],
                        named: "ErasureRemoved"
                    ),
                    count: 0...1_000
                )
            ), .required("kept", .array(of: kept, count: 0...1_000)),
        ],
        named: "ErasureReceipt"
    )
}

extension ErasureRequest {
    /// The request with what stands against it and what would stay.
    func json(_ obstacles: [ErasureObstacle], _ kept: [ErasureReceipt.Kept]) -> JSON {
        [
            "request": json,
            "obstacles": .array(
                obstacles.map { ["place": .string($0.place), "code": .string($0.code), "text": .string($0.text)] }
            ), "kept": .array(kept.map { ["what": .string($0.what), "because": .string($0.because)] }),
        ]
    }
}
