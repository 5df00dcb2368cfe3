import Compliance
import HTTP
public import Kernel

/// What a customer asks for: to be identified to a level.
public struct KYCApplication: Sendable, Entity {
    /// `kyc_…`.
    public static let idPrefix = "kyc"

    /// Where it stands.
    enum Status: String, Sendable, CaseIterable {
        /// The customer still adds documents.
        case draft
        /// Somebody has to decide.
        case submitted
        /// More was asked for: the customer adds documents again, or goes on with the vendor.
        case incomplete
        /// The customer has the level.
        case approved
        /// The customer doesn't get it.
        case rejected
        /// The customer has taken it back.
        case withdrawn

        /// Whether the customer may change it.
        var isCustomers: Bool { self == .draft || self == .incomplete }
        /// Whether it still is to be decided; a customer has one such application.
        var isOpen: Bool { isCustomers || self == .submitted }
    }

    /// Somebody who acted, and when.
    struct Claim: Sendable, Hashable {
        let officer: ID<User>
        let at: Timestamp
    }

    /// The youngest word of a vendor that counted, by the vendor's own clock; words of one instant go by their ids.
    struct Told: Sendable, Hashable, Comparable {
        let at: Timestamp
        let event: String

        static func < (left: Told, right: Told) -> Bool { (left.at, left.event) < (right.at, right.event) }
    }

    /// The staff as the one who decides.
    static let staff = "staff"
    /// Seconds for which an application is its claimant's alone: half an hour.
    static let claimSeconds: Int64 = 1_800

    let id: ID<KYCApplication>
    let user: ID<User>
    let level: KYCLevel
    var status: Status
    /// Who decides: a vendor until a person has acted, else `staff`.
    var provider: String
    var reason: String?
    let createdAt: Timestamp
    var submittedAt: Timestamp?
    /// When a vendor asked for a person.
    var referredAt: Timestamp?
    var told: Told?
    var claim: Claim?
    /// Who approved first where that takes two.
    var proposedBy: ID<User>?
    /// The officer who decided; nil where a vendor did.
    var decidedBy: ID<User>?
    var decidedAt: Timestamp?
    let documents: [KYCDocument]

    /// A new one.
    init(
        new id: ID<KYCApplication>,
        of user: ID<User>,
        _ level: KYCLevel,
        _ provider: String,
        at now: Timestamp,
        _ documents: [KYCDocument] = []
    ) {
        (self.id, self.user, self.level, self.provider) = (id, user, level, provider)
        (status, createdAt, self.documents) = (.draft, now, documents)
    }

    /// What the level needs and isn't there; vendors ask for documents in a dialogue of their own.
    var missing: [String] {
        guard level == .full, provider == KYCApplication.staff else { return [] }
        let kinds = documents.map(\.kind)
        return (kinds.contains(where: \.isIdentity) ? [] : ["identity_document"])
            + (kinds.contains(.proofOfAddress) ? [] : [KYCDocument.Kind.proofOfAddress.rawValue])
    }

    /// Whether another officer works on it now.
    func isClaimed(byOtherThan officer: ID<User>, at now: Timestamp) -> Bool {
        guard let claim else { return false }
        return claim.officer != officer && now < claim.at.adding(seconds: KYCApplication.claimSeconds)
    }

    /// As its customer sees it.
    var json: JSON {
        [
            "id": .string(id.wire), "level": .string(level.name), "status": .string(status.rawValue),
            "provider": .string(provider), "missing": .array(status.isCustomers ? missing.map(JSON.string) : []),
            "documents": .array(documents.map(\.json)), "reason": reason.map(JSON.string) ?? .null,
            "created_at": .string(createdAt.description), "submitted_at": JSON(submittedAt),
            "decided_at": JSON(decidedAt),
        ]
    }

    /// As officers see it.
    public var reviewJSON: JSON {
        guard case .object(let members) = json else { return json }
        return .object(
            members + [
                JSON.Member("user", .string(user.wire)), JSON.Member("referred_at", JSON(referredAt)),
                JSON.Member("claimed_by", JSON(claim?.officer)), JSON.Member("claimed_at", JSON(claim?.at)),
                JSON.Member("proposed_by", JSON(proposedBy)), JSON.Member("decided_by", JSON(decidedBy)),
            ]
        )
    }

    private static let members: [JSONSchema.Property] = [
        .required("id", .id(of: KYCApplication.self)),
        .required("level", .oneOf(["basic", "full"]), "What is asked for."),
        .required("status", .oneOf(Status.self)),
        .required("provider", .anyString, "Who decides: `staff`, or a vendor, to whom the id is a reference."),
        .required(
            "missing",
            .array(of: .oneOf(["identity_document", KYCDocument.Kind.proofOfAddress.rawValue]), count: 0...2),
            "What has to be added before it can be handed in."
        ),
        .required("documents", .array(of: KYCDocument.schema, count: 0...KYCDocument.Kind.allCases.count)),
        .required("reason", .nullable(.anyString), "Why it was decided so, or what else is needed."),
        .required("created_at", .instant), .required("submitted_at", .nullable(.instant)),
        .required("decided_at", .nullable(.instant)),
    ]

    /// The shape of `json`.
    static let schema = JSONSchema.object(members, named: "IdentityApplication")

    /// The shape of `reviewJSON`.
    static let reviewSchema = JSONSchema.object(
        members + [
            .required("user", .id(of: User.self)),
            .required("referred_at", .nullable(.instant), "When a vendor asked for a person."),
            .required("claimed_by", .nullable(.id(of: User.self))), .required("claimed_at", .nullable(.instant)),
            .required("proposed_by", .nullable(.id(of: User.self)), "Who approved first, where that takes two."),
            .required("decided_by", .nullable(.id(of: User.self)), "Null where a vendor decided."),
        ],
        named: "IdentityReview"
    )
}

extension JSON {
    /// An instant, or null.
    init(_ instant: Timestamp?) { self = instant.map { .string($0.description) } ?? .null }
    /// A user's id on the wire, or null.
    init(_ user: ID<User>?) { self = user.map { .string($0.wire) } ?? .null }
}
