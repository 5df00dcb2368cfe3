import HTTP
import Kernel

extension UserRecord {
    /// The user as the API shows one.
    func json(_ grants: Grants) -> JSON {
        [
            "id": .string(id.wire), "email": .string(email), "username": .string(username),
            "name": name.map { .string($0) } ?? .null,
            "applied_name": appliedName.map { .string($0) } ?? .null, "status": .string(status.rawValue),
            "kyc_status": .string(kycStatus.rawValue), "fee_tier": .integer(feeTier), "preferences": preferences,
            "roles": .array(grants.roles.map { .string($0) }),
            "last_login_at": lastLoginAt.map { .string($0.description) } ?? .null,
            "email_verified": .bool(emailVerifiedAt != nil), "mascot": .string(mascot.rawValue),
            "experience_level": .string(experienceLevel.rawValue), "points": .integer(points),
            "streak_days": .integer(streak.days),
            "enabled_domains": .array(enabledDomains.map { .string($0.rawValue) }),
            "created_at": .string(createdAt.description), "updated_at": .string(updatedAt.description),
        ]
    }

    static let schema = JSONSchema.object(
        [
            .required("id", .id(of: User.self)), .required("email", .email), .required("username", .username),
            .required("name", .nullable(.text(1...100)), "As you gave it at first, or as it was approved."),
            .required("applied_name", .nullable(.text(1...100)), "Under which you have applied to be identified."),
            .required("status", .oneOf(UserStatus.self)), .required("kyc_status", .oneOf(KYCStatus.self)),
            .required("fee_tier", .integer(1...5)), .required("preferences", Preferences.schema),
            .required("roles", .array(of: .anyString, count: 0...8)), .required("last_login_at", .nullable(.instant)),
            .required("email_verified", .bool), .required("mascot", .oneOf(Mascot.self)),
            .required("experience_level", .oneOf(ExperienceLevel.self)),
            .required("points", .integer(0...Int.max), "Earned by using the app; worth nothing else."),
            .required("streak_days", .integer(0...100_000), "Days in a row with a sign-in, in UTC."),
            .required("enabled_domains", .array(of: .oneOf(EnabledDomain.self), count: 0...3)),
            .required("created_at", .instant),
            .required("updated_at", .instant),
        ],
        named: "User"
    )
}

/// How a user wants the app to be.
enum Preferences {
    private static let language = Format(
        "language",
        pattern: "^[a-z]{2}(-[A-Z]{2})?$",
        length: 2...5,
        description: "A language (BCP 47).",
        example: "pt-PT"
    ) { text in
        let bytes = Array(text.utf8)
        let isLower = bytes.prefix(2).allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        let isUpper = bytes.dropFirst(3).allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
        switch bytes.count {
        case 2: return isLower ? nil : "bad_format"
        case 5: return isLower && isUpper && bytes[2] == UInt8(ascii: "-") ? nil : "bad_format"
        default: return "bad_format"
        }
    }

    private static let members: [(name: String, schema: JSONSchema)] = [
        ("language", .string(language)), ("display_asset", .asset), ("theme", .oneOf(["light", "dark", "system"])),
        ("hide_balances", .bool),
        (
            "notifications",
            .object(
                [.optional("email", .bool), .optional("push", .bool), .optional("sms", .bool)],
                named: "Notifications"
            )
        ),
    ]

    static let schema = JSONSchema.object(members.map { .optional($0.name, $0.schema) }, named: "Preferences")

    /// Members that are given replace the present ones; null removes one.
    static let change = JSONSchema.object(
        members.map { .optional($0.name, .nullable($0.schema)) },
        named: "PreferencesChange"
    )
}
