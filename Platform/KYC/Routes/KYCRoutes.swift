import Compliance
public import HTTP
import Identity
import Kernel

/// `/v1/me/identity…`: how customers are identified.
public struct KYCRoutes: Sendable {
    private let applications: KYCApplications

    /// Routes over applications.
    public init(_ applications: KYCApplications) { self.applications = applications }

    /// All of them.
    public var routes: [Route] { [level, open, read, add, document, submit, withdraw] }

    private static let tag = "Identity"
    private static let access = Access.permission("me")
    private static let limit = RateLimitClass("identity", quota: 60, windowSeconds: 60)
    private static let documentLimit = RateLimitClass("identity-documents", quota: 20, windowSeconds: 60)
    private static let id = Parameter.path("id", .id(of: KYCApplication.self), "The application.")
    private static let kind = Parameter.path("kind", .oneOf(KYCDocument.Kind.self), "What the document is.")
    private static let shape = ResponseShape("The application.", KYCApplication.schema)

    private var level: Route {
        Route(
            .get,
            "/v1/me/identity",
            operationID: "getIdentity",
            summary: "How far you are identified, until when, and what you have applied for",
            tag: Self.tag,
            access: Self.access,
            responses: [200: ResponseShape("Your level.", Self.levelSchema)],
            rateLimit: Self.limit
        ) { [applications] request in
            let past = try await KYCPast(of: request.requirePrincipal().user, in: applications.pool, at: request.now)
            return .ok(past.json(at: request.now))
        }
    }

    private var open: Route {
        Route(
            .post,
            "/v1/me/identity/applications",
            operationID: "openIdentityApplication",
            summary: "Ask to be identified",
            description: """
                Who you say to be is kept encrypted. `provider` says who decides, `missing` what has to be added \
                before the application can be handed in.
                """,
            tag: Self.tag,
            access: Self.access,
            body: .json(Self.newApplication),
            responses: [
                201: ResponseShape(
                    "The application.",
                    KYCApplication.schema,
                    headers: [.location],
                    links: [.init(to: "getIdentityApplication", parameter: "id", from: "/id")]
                )
            ],
            problems: [
                409: ["application_open", "level_reached", "application_too_early", "too_many_applications"],
                410: ["erased"], 422: ["under_age", "address_missing"],
            ],
            rateLimit: Self.limit
        ) { [applications] request in
            let body = request.body
            guard let level = body["level"]?.stringValue.flatMap(KYCLevel.init(name:)),
                let birth = body["birth_date"]?.stringValue.flatMap(CalendarDay.init)
            else { throw Problem.malformed("bad_format", in: "/birth_date") }
            let person = KYCApplications.Person(
                name: body["legal_name"]?.stringValue ?? "",
                birth: birth,
                nationality: body["nationality"]?.stringValue ?? "",
                address: body["address"]?.stringValue
            )
            let opened = try await applications.open(level, person, for: request.requirePrincipal().user)
            return .created(opened.json, location: "/v1/me/identity/applications/\(opened.id.wire)")
        }
    }

    private var read: Route {
        Route(
            .get,
            "/v1/me/identity/applications/{id}",
            operationID: "getIdentityApplication",
            summary: "One of your applications",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: Self.shape],
            rateLimit: Self.limit
        ) { [applications] request in
            .ok(try await applications.find(request.id("id"), of: request.requirePrincipal().user).json)
        }
    }

    private var add: Route {
        Route(
            .put,
            "/v1/me/identity/applications/{id}/documents/{kind}",
            operationID: "addIdentityDocument",
            summary: "Add a document, or another one in its place",
            description: "A JPEG, a PNG or a PDF of at most 6 MiB. It is kept encrypted under a key of your own.",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id, Self.kind],
            body: .raw(mediaType: "application/octet-stream"),
            bodyLimitBytes: KYCDocument.bytesMax,
            responses: [200: Self.shape],
            problems: [409: ["application_not_draft"], 410: ["erased"], 422: ["document_unreadable"]],
            rateLimit: Self.documentLimit
        ) { [applications] request in
            let (user, kind) = (try request.requirePrincipal().user, try KYCDocument.Kind(request))
            return .ok(try await applications.add(kind, request.rawBody, to: request.id("id"), of: user).json)
        }
    }

    private var document: Route {
        Route(
            .get,
            "/v1/me/identity/applications/{id}/documents/{kind}",
            operationID: "getIdentityDocument",
            summary: "One of your documents",
            description: "The application says what it is; it is never shown as such by a browser.",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id, Self.kind],
            responses: [200: ResponseShape("The document.", mediaType: "application/octet-stream")],
            problems: [410: ["erased"]],
            rateLimit: Self.documentLimit
        ) { [applications] request in
            let (user, kind) = (try request.requirePrincipal().user, try KYCDocument.Kind(request))
            return APIResponse(document: try await applications.document(kind, of: request.id("id"), user))
        }
    }

    private var submit: Route {
        Route(
            .post,
            "/v1/me/identity/applications/{id}/submission",
            operationID: "submitIdentityApplication",
            summary: "Hand an application in",
            description: """
                A vendor asks for documents in its own dialogue; without one, add them before. A level that ends soon, \
                or has ended, holds for up to 14 days while its renewal is looked at.
                """,
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: Self.shape],
            problems: [409: ["application_not_draft"], 410: ["erased"], 422: ["documents_missing"]],
            rateLimit: Self.limit
        ) { [applications] request in
            .ok(try await applications.submit(request.id("id"), of: request.requirePrincipal().user).json)
        }
    }

    private var withdraw: Route {
        Route(
            .delete,
            "/v1/me/identity/applications/{id}",
            operationID: "withdrawIdentityApplication",
            summary: "Take an application back that isn't being decided",
            description: "Its documents are deleted.",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: Self.shape],
            problems: [409: ["application_not_draft"]],
            rateLimit: Self.limit
        ) { [applications] request in
            .ok(try await applications.withdraw(request.id("id"), of: request.requirePrincipal().user).json)
        }
    }

    private static let newApplication = JSONSchema.object(
        [
            .required("level", .oneOf(["basic", "full"])),
            .required("legal_name", .text(1...100), "Your full name, as in your documents."),
            .required("birth_date", .day), .required("nationality", .oneOf(Countries.codes), "ISO 3166-1 alpha-2."),
            .optional("address", .text(1...300), "Where you live; the full level needs it."),
        ],
        named: "NewIdentityApplication"
    )

    private static let levelSchema = JSONSchema.object(
        [
            .required("level", .oneOf(["none", "basic", "full"])),
            .required("status", .oneOf(["none", "pending", "approved", "rejected"])),
            .required("since", .nullable(.instant), "Since when by an application."),
            .required("expires_at", .nullable(.instant), "When you have to be identified anew."),
            .required("may_renew", .bool, "Whether that is near enough to be done now."),
            .required("may_apply_at", .nullable(.instant), "From when on you may apply again after a refusal."),
            .required("application", .nullable(KYCApplication.schema), "The one that you made last."),
        ],
        named: "IdentityLevel"
    )
}

extension KYCPast {
    /// As the customer sees it.
    fileprivate func json(at now: Timestamp) -> JSON {
        [
            "level": .string(level(at: now).name), "status": .string(status.rawValue),
            "since": JSON(standing?.since), "expires_at": JSON(standing?.expiresAt),
            "may_renew": .bool(standing?.isRenewable(at: now) ?? false),
            "may_apply_at": JSON(mayApplyAt.flatMap { $0 > now ? $0 : nil }),
            "application": newest?.json ?? .null,
        ]
    }
}

extension KYCDocument.Kind {
    /// The kind in a request's path.
    init(_ request: APIRequest) throws(Problem) {
        guard let kind = request.text("kind").flatMap(Self.init(rawValue:)) else { throw Problem.notFound }
        self = kind
    }
}

extension APIResponse {
    /// A document as bytes to be saved: a browser never runs what somebody has sent.
    init(document: [UInt8]) { self.init(status: 200, body: .bytes(document, mediaType: "application/octet-stream")) }
}
