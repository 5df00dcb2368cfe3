import DataProtection
public import HTTP
import Kernel

/// `/v1/operator/identity/applications…`: what customers are identified by, and what compliance officers decide.
public struct KYCReviewRoutes: Sendable {
    private let review: KYCReview
    private let cursors: CursorSigner

    /// Routes over the review; `cursors` signs the pages of the queue.
    public init(_ review: KYCReview, cursors: CursorSigner) { (self.review, self.cursors) = (review, cursors) }

    /// All of them.
    public var routes: [Route] { [queue, read, document, claim, decide] }

    private static let tag = "Operators"
    private static let access = Access.permission("kyc:review")
    private static let id = Parameter.path("id", .id(of: KYCApplication.self), "The application.")
    private static let shape = ResponseShape("The application.", KYCApplication.reviewSchema)

    private var queue: Route {
        Route(
            .get,
            "/v1/operator/identity/applications",
            operationID: "listIdentityApplications",
            summary: "Applications that wait for a person, the oldest first",
            tag: Self.tag,
            access: Self.access,
            parameters: Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: KYCApplication.reviewSchema, named: "IdentityReviews"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { [review, cursors] request in
            let page = try Page(request, signer: cursors)
            let found = try await review.queue(after: page.after?.id ?? 0, limit: page.limit + 1)
            return page.response(
                found,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: \.reviewJSON
            )
        }
    }

    private var read: Route {
        Route(
            .get,
            "/v1/operator/identity/applications/{id}",
            operationID: "readIdentityApplication",
            summary: "One application",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: Self.shape]
        ) { [review] request in .ok(try await review.show(request.id("id"))) }
    }

    private var document: Route {
        Route(
            .get,
            "/v1/operator/identity/applications/{id}/documents/{kind}",
            operationID: "readIdentityDocument",
            summary: "A document of an application",
            description: "That you read it, and why, is kept.",
            tag: Self.tag,
            access: Self.access,
            parameters: [
                Self.id, .path("kind", .oneOf(KYCDocument.Kind.self), "What the document is."),
                .query("reason", .text(1...500), "Why you read it.", isRequired: true),
            ],
            responses: [200: ResponseShape("The document.", mediaType: "application/octet-stream")],
            problems: [403: ["data_not_permitted"], 410: ["erased"]]
        ) { [review] request in
            let reader = try StaffReader(request, reason: request.text("reason") ?? "")
            let kind = try KYCDocument.Kind(request)
            return APIResponse(document: try await review.disclose(kind, of: request.id("id"), to: reader))
        }
    }

    private var claim: Route {
        Route(
            .post,
            "/v1/operator/identity/applications/{id}/claim",
            operationID: "claimIdentityApplication",
            summary: "Take an application for half an hour",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: Self.shape],
            problems: [403: ["own_application"], 409: ["application_not_submitted", "application_claimed"]]
        ) { [review] request in .ok(try await review.claim(request.id("id"), by: request.requirePrincipal())) }
    }

    private var decide: Route {
        Route(
            .post,
            "/v1/operator/identity/applications/{id}/decision",
            operationID: "decideIdentityApplication",
            summary: "Decide on an application",
            description: """
                `incomplete` asks the customer for more. Where a level takes two people, the first approval leaves the \
                application submitted, with `proposed_by`. The customer is told the reason.
                """,
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            body: .json(Self.decision),
            responses: [200: Self.shape],
            problems: [
                403: ["own_application", "own_proposal"],
                409: ["application_not_submitted", "application_claimed", "customer_held"],
            ]
        ) { [review] request in
            guard let decision = request.body["decision"]?.stringValue.flatMap(KYCDecision.init(rawValue:)) else {
                throw Problem.malformed("bad_format", in: "/decision")
            }
            let reason = request.body["reason"]?.stringValue ?? ""
            let officer = try request.requirePrincipal()
            return .ok(try await review.decide(decision, on: request.id("id"), because: reason, by: officer))
        }
    }

    private static let decision = JSONSchema.object(
        [.required("decision", .oneOf(KYCDecision.self)), .required("reason", .text(1...500))],
        named: "IdentityDecision"
    )
}
