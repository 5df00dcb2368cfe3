public import HTTP
import Kernel

/// `/v1/me/export…`, `/v1/me/erasure`, and what operators decide and read: `/v1/operator/erasures…`, private data.
public struct DataProtectionRoutes: Sendable {
    private let data: PersonalValues
    private let erasure: Erasure
    private let export: DataExport
    private let cursors: CursorSigner

    /// The routes over private data and its erasure; `cursors` signs the pages of an export.
    public init(_ data: PersonalValues, _ erasure: Erasure, cursors: CursorSigner) {
        (self.data, self.erasure, self.cursors) = (data, erasure, cursors)
        export = DataExport(erasure)
    }

    /// All of them.
    public var routes: [Route] {
        [exportList, exportSection, request, show, withdraw, openRequests, decide, disclose, search]
    }

    private static let me = Access.permission("me")
    private static let tag = "Your data"
    private static let limit = RateLimitClass("personal-data", quota: 300, windowSeconds: 60)
    private static let user = Parameter.path("id", .id(of: User.self), "The user.")

    private var exportList: Route {
        Route(
            .get,
            "/v1/me/export",
            operationID: "exportMyData",
            summary: "What is stored about you",
            description: "The sections of your data; each is read page by page. That you asked is kept.",
            tag: Self.tag,
            access: Self.me,
            responses: [200: ResponseShape("The sections.", ProtectionSchemas.sections)],
            rateLimit: Self.limit
        ) { [export] request in
            let requester = try Requester(request)
            try await export.note(of: request.requirePrincipal().user, by: requester)
            return .ok([
                "exported_at": .string(request.now.description),
                "sections": .array(
                    export.sections.map {
                        ["name": .string($0.name), "path": .string("/v1/me/export/\($0.name)")]
                    }
                ),
            ])
        }
    }

    private var exportSection: Route {
        Route(
            .get,
            "/v1/me/export/{section}",
            operationID: "exportMyDataSection",
            summary: "A section of what is stored about you",
            description: "In the order in which it was stored.",
            tag: Self.tag,
            access: Self.me,
            parameters: [.path("section", .text(1...100), "The section's name.")] + Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page of records.",
                    .page(of: ProtectionSchemas.record, named: "DataExportPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]],
            rateLimit: Self.limit
        ) { [export, cursors] request in
            guard let section = export.section(request.text("section") ?? "") else { throw Problem.notFound }
            let page = try Page(request, signer: cursors)
            let user = try request.requirePrincipal().user
            let records = try await section.read(user, page.after?.id ?? 0, page.limit + 1)
            return page.response(
                records,
                position: { Cursor(instant: Timestamp(microseconds: 0), id: $0.id) },
                encode: { ["section": .string(section.name), "record": $0.json] }
            )
        }
    }

    private var request: Route {
        Route(
            .post,
            "/v1/me/erasure",
            operationID: "requestErasure",
            summary: "Ask to be forgotten",
            description: """
                An operator decides. It is possible once you have no money left with us and nothing is under way; what \
                the law makes us keep stays without your name.
                """,
            tag: Self.tag,
            access: Self.me,
            responses: [201: ResponseShape("The request.", ProtectionSchemas.request, headers: [.location])],
            problems: [409: ["erasure_requested"], 410: ["erased"]],
            rateLimit: Self.limit
        ) { [erasure] request in
            let user = try request.requirePrincipal().user
            let made = try await erasure.requests.make(for: user, by: try Requester(request))
            return .created(made.json, location: "/v1/me/erasure")
        }
    }

    private var show: Route {
        Route(
            .get,
            "/v1/me/erasure",
            operationID: "getErasure",
            summary: "How far your request to be forgotten is",
            description: "With what stands against it now, and what would stay and why.",
            tag: Self.tag,
            access: Self.me,
            responses: [200: ResponseShape("The request.", ProtectionSchemas.outlook)],
            rateLimit: Self.limit
        ) { [erasure] request in
            let user = try request.requirePrincipal().user
            guard let made = try await erasure.requests.newest(of: user) else { throw Problem.notFound }
            let obstacles = try await erasure.obstacles(to: user)
            return .ok(made.json(obstacles, erasure.kept))
        }
    }

    private var withdraw: Route {
        Route(
            .delete,
            "/v1/me/erasure",
            operationID: "withdrawErasure",
            summary: "Stay after all",
            tag: Self.tag,
            access: Self.me,
            responses: [200: ResponseShape("The request, withdrawn.", ProtectionSchemas.request)],
            problems: [409: ["erasure_not_requested"]],
            rateLimit: Self.limit
        ) { [erasure] request in
            let requester = try Requester(request)
            let user = try request.requirePrincipal().user
            return .ok(try await erasure.requests.end(of: user, as: .withdrawn, because: nil, by: requester).json)
        }
    }

    private var openRequests: Route {
        Route(
            .get,
            "/v1/operator/erasures",
            operationID: "listErasures",
            summary: "Users who want to be forgotten",
            description: "The open requests, the oldest first.",
            tag: "Operators",
            access: .permission("operate:erasure", stepUp: true),
            responses: [200: ResponseShape("The requests.", ProtectionSchemas.requests)]
        ) { [erasure] _ in
            .ok(["data": .array(try await erasure.requests.open().map(\.json))])
        }
    }

    private var decide: Route {
        Route(
            .post,
            "/v1/operator/erasures/{id}/decision",
            operationID: "decideErasure",
            summary: "Decide on a request to be forgotten",
            description: """
                `erase` closes the account, destroys the user's key and everything that names the user. It can't be \
                undone; asked again, it answers with the same receipt.
                """,
            tag: "Operators",
            access: .permission("operate:erasure", stepUp: true),
            parameters: [.path("id", .id(of: ErasureRequest.self), "The request.")],
            body: .json(ProtectionSchemas.decision),
            responses: [200: ResponseShape("The request, or the receipt.", ProtectionSchemas.decided)],
            problems: [403: ["own_account"], 409: ["erasure_not_possible", "erasure_not_requested"]]
        ) { [erasure] request in
            guard let made = try await erasure.requests.find(request.id("id")) else { throw Problem.notFound }
            let requester = try Requester(request)
            guard requester.user != made.user else { throw DataProtectionProblem.ownRequest }
            let reason = request.body["reason"]?.stringValue ?? ""
            guard request.body["decision"]?.stringValue == "erase" else {
                let refused = try await erasure.requests.end(
                    of: made.user,
                    as: .refused,
                    because: reason,
                    by: requester
                )
                return .ok(["request": refused.json, "receipt": .null])
            }
            let receipt = try await erasure.erase(made.user, approvedBy: requester)
            let decided = try await erasure.requests.find(made.id) ?? made
            return .ok(["request": decided.json, "receipt": receipt.json])
        }
    }

    private var disclose: Route {
        Route(
            .post,
            "/v1/operator/users/{id}/personal-data",
            operationID: "readPersonalData",
            summary: "Read private data of a user",
            description: """
                As far as the policies for your roles go; without `data_types`, all that they let you read. Documents \
                are read one by one, with what they were shown for. Who read what and why is kept, refused attempts too.
                """,
            tag: "Operators",
            access: .permission("operate:personal_data", stepUp: true),
            parameters: [Self.user],
            body: .json(ProtectionSchemas.disclosure),
            responses: [200: ResponseShape("The values.", ProtectionSchemas.values)],
            problems: [403: ["data_not_permitted"], 410: ["erased"]]
        ) { [data] request in
            let reader = try StaffReader(request, reason: request.body["reason"]?.stringValue ?? "")
            let asked = request.body["data_types"]?.elements?.compactMap(\.stringValue).map(DataType.init)
            let types = if let asked { asked } else { try await data.readable(by: reader.requester.roles) }
            // They are read where they belong: documents, which are large, one by one, and evidence with its case.
            let values = types.filter { $0 != .document && $0 != .evidence }
            guard !values.isEmpty else { throw DataProtectionProblem.notPermitted(types.map(\.name)) }
            let read = try await data.disclose(values, of: request.id("id"), to: reader)
            return .ok(["data": .array(read.map(ProtectionRecords.json))])
        }
    }

    private var search: Route {
        Route(
            .post,
            "/v1/operator/users/search",
            operationID: "searchUsers",
            summary: "Find users by private data",
            description: """
                By a telephone number as it is dialled, or by a whole name, however they were typed. Only what the \
                policies let your roles read is searched. Who searched for what kind and why is kept.
                """,
            tag: "Operators",
            access: .permission("operate:personal_data", stepUp: true),
            body: .json(ProtectionSchemas.search),
            responses: [200: ResponseShape("The users.", ProtectionSchemas.found)],
            problems: [403: ["data_not_permitted"]],
            rateLimit: Self.limit
        ) { [data] request in
            let reader = try StaffReader(request, reason: request.body["reason"]?.stringValue ?? "")
            let type = DataType(request.body["data_type"]?.stringValue ?? "")
            let found = try await data.search(type, request.body["value"]?.stringValue ?? "", by: reader)
            return .ok(["data": .array(found.map { ["id": .string($0.wire)] })])
        }
    }
}
