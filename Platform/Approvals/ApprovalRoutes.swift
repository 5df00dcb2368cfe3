public import HTTP
import Kernel

/// `/v1/operator/approvals…`: what takes two people.
public struct ApprovalRoutes: Sendable {
    private static let tag = "Approvals"
    private static let access = Access.permission("staff:approvals")
    private static let id = Parameter.path("id", .id(of: Approval.self), "The proposal.")

    private let approvals: Approvals
    private let cursors: CursorSigner

    /// The routes of approvals.
    public init(_ approvals: Approvals, cursors: CursorSigner) { (self.approvals, self.cursors) = (approvals, cursors) }

    /// The routes.
    public var routes: [Route] { [list, propose, read, approve, refuse, withdraw] }

    private var list: Route {
        let (approvals, cursors) = (approvals, cursors)
        return Route(
            .get,
            "/v1/operator/approvals",
            operationID: "listApprovals",
            summary: "What was proposed",
            tag: Self.tag,
            access: Self.access,
            parameters: [.query("status", .oneOf(Approval.Status.self), "Only those that stand so.")]
                + Parameter.paging,
            responses: [
                200: ResponseShape("A page.", .page(of: Approval.schema, named: "Approvals"), headers: [.link])
            ]
        ) { request in
            let page = try Page(request, signer: cursors)
            let status = request.text("status").flatMap { Approval.Status(rawValue: $0) }
            let found = try await approvals.list(status, after: page.after, limit: page.limit)
            return page.response(found, position: { Cursor(instant: $0.proposedAt, id: $0.id.value) }, encode: \.json)
        }
    }

    private var propose: Route {
        let approvals = approvals
        let kinds = approvals.kinds.map { "`\($0.name)`: \($0.summary) Permission: `\($0.permission)`." }
        return Route(
            .post,
            "/v1/operator/approvals",
            operationID: "proposeApproval",
            summary: "Propose what takes two",
            description: (["Another person approves within a day. The kinds:"] + kinds).joined(separator: "\n- "),
            tag: Self.tag,
            access: Self.access,
            body: .json(newProposal),
            responses: [
                201: ResponseShape(
                    "The proposal.",
                    Approval.schema,
                    headers: [.location],
                    links: [.init(to: "getApproval", parameter: "id", from: "/id")]
                )
            ],
            problems: [409: ["proposed_already"]]
        ) { request in
            let made = try await approvals.propose(
                request.body["kind"]?.stringValue ?? "",
                request.body["payload"] ?? .null,
                because: request.body["reason"]?.stringValue ?? "",
                by: request.requirePrincipal(),
                Trail(request)
            )
            return .created(made.json, location: "/v1/operator/approvals/\(made.id.wire)")
        }
    }

    private var read: Route {
        let approvals = approvals
        return Route(
            .get,
            "/v1/operator/approvals/{id}",
            operationID: "getApproval",
            summary: "One proposal",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: ResponseShape("The proposal.", Approval.schema)]
        ) { request in .ok(try await approvals.find(request.id("id")).json) }
    }

    private var approve: Route {
        let approvals = approvals
        return Route(
            .post,
            "/v1/operator/approvals/{id}/approve",
            operationID: "approve",
            summary: "Approve what somebody else has proposed",
            description: "It is done at once, in the same transaction. What can't be done is refused, and stays.",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            responses: [200: ResponseShape("The proposal, executed.", Approval.schema)],
            problems: [403: ["own_proposal"], 409: ["proposal_not_open", "proposal_changed"]]
        ) { request in
            .ok(try await approvals.approve(request.id("id"), by: request.requirePrincipal(), request).json)
        }
    }

    private var refuse: Route {
        end("refuse", "Refuse what somebody else has proposed", .refused, problem: "own_proposal")
    }

    private var withdraw: Route {
        end("withdraw", "Take back what you have proposed", .withdrawn, problem: "not_your_proposal")
    }

    private func end(_ verb: String, _ summary: String, _ status: Approval.Status, problem: String) -> Route {
        let approvals = approvals
        return Route(
            .post,
            PathTemplate("/v1/operator/approvals/{id}/\(verb)"),
            operationID: "\(verb)Approval",
            summary: summary,
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            body: .json(.object([.required("reason", .text(1...500))], named: "ApprovalEnd")),
            responses: [200: ResponseShape("The proposal.", Approval.schema)],
            problems: [403: [problem], 409: ["proposal_not_open", "proposal_changed"]]
        ) { request in
            let ended = try await approvals.end(
                request.id("id"),
                as: status,
                because: request.body["reason"]?.stringValue,
                by: request.requirePrincipal(),
                Trail(request)
            )
            return .ok(ended.json)
        }
    }

    private var newProposal: JSONSchema {
        .object(
            [
                .required("kind", .oneOf(approvals.kinds.map(\.name))),
                .required("payload", .any, "What is to be done, in the kind's form."),
                .required("reason", .text(1...500), "Why, for who decides and for the audit log."),
            ],
            named: "NewApproval"
        )
    }
}
