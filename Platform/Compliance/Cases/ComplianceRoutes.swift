public import DataProtection
public import HTTP
import Kernel

/// `/v1/operator/compliance/cases…`: the queue of the compliance officers, and what they decide.
public struct ComplianceRoutes: Sendable {
    private let cases: ComplianceCases
    private let reads: StaffReads
    private let data: PersonalValues

    /// Routes over cases; `reads` is where it is noted who saw what is known of a customer, `data` has what is sealed.
    public init(cases: ComplianceCases, reads: StaffReads, data: PersonalValues) {
        (self.cases, self.reads, self.data) = (cases, reads, data)
    }

    /// All of them.
    public var routes: [Route] { [queue, read, assign, note, propose, decide] }

    private static let tag = "Operators"
    private static let access = Access.permission("compliance:review")
    private static let id = Parameter.path("id", .id(of: ComplianceCase.self), "The case.")
    private static let shape = ResponseShape(
        "The case, with its evidence, alerts and notes.",
        ComplianceSchemas.full
    )

    private var queue: Route {
        Route(
            .get,
            "/v1/operator/compliance/cases",
            operationID: "listComplianceCases",
            summary: "Open compliance cases, those due first in front",
            tag: Self.tag,
            access: Self.access,
            parameters: [.query("limit", .integer(1...ComplianceCases.pageMax), "How many; 50 unless given.")],
            responses: [200: ResponseShape("The cases.", ComplianceSchemas.queue)]
        ) { request in
            let viewer = try request.requirePrincipal().user
            let found = try await cases.queue(limit: request.integer("limit") ?? 50, for: viewer)
            return .ok(["cases": .array(found)])
        }
    }

    private var read: Route {
        Route(
            .get,
            "/v1/operator/compliance/cases/{id}",
            operationID: "getComplianceCase",
            summary: "One compliance case, as it is exported",
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id, StaffReader.parameter],
            responses: [200: Self.shape]
        ) { request in .ok(try await found(request, by: try StaffReader(request))) }
    }

    private var assign: Route {
        let body = JSONSchema.object(
            [.optional("officer", .id(of: User.self), "Who is to work on it; you, unless given.")],
            named: "ComplianceAssignment"
        )
        return action(
            "/v1/operator/compliance/cases/{id}/assignment",
            "assignComplianceCase",
            "Take a compliance case, or give it to another officer",
            body: body,
            conflicts: ["case_not_open"],
            impossible: ["not_an_officer"]
        ) {
            let actor = try $1.requirePrincipal().user.wire
            if let officer = $1.body["officer"]?.stringValue.flatMap({ ID<User>(wire: $0) }) {
                return try await cases.assign($0, to: officer, by: actor)
            }
            try await cases.assign($0, to: actor)
        }
    }

    private var note: Route {
        let body = JSONSchema.object([.required("text", .text(1...4_000))], named: "NewComplianceNote")
        return action(
            "/v1/operator/compliance/cases/{id}/notes",
            "noteComplianceCase",
            "Write a note to a compliance case",
            body: body,
            conflicts: []
        ) {
            let text = $1.body["text"]?.stringValue ?? ""
            try await cases.note($0, text, by: $1.requirePrincipal().user.wire)
        }
    }

    private var propose: Route {
        let body = JSONSchema.object(
            [.required("decision", .oneOf(ComplianceCases.Decision.self))],
            named: "ComplianceProposal"
        )
        return action(
            "/v1/operator/compliance/cases/{id}/proposal",
            "proposeComplianceDecision",
            "Propose a decision, to which another must agree",
            body: body,
            conflicts: ["case_not_open"]
        ) {
            guard let decision = $1.body["decision"]?.stringValue.flatMap(ComplianceCases.Decision.init) else {
                throw Problem.malformed("not_allowed", in: "/decision")
            }
            try await cases.propose($0, decision, by: $1.requirePrincipal().user.wire)
        }
    }

    private var decide: Route {
        let body = JSONSchema.object([.required("agrees", .bool)], named: "ComplianceDecision")
        return action(
            "/v1/operator/compliance/cases/{id}/decision",
            "decideComplianceCase",
            "Agree to what another has proposed, or send it back",
            body: body,
            conflicts: ["nothing_proposed"],
            forbidden: ["own_proposal"]
        ) {
            let agrees = $1.body["agrees"]?.boolValue ?? false
            try await cases.decide($0, agrees: agrees, by: $1.requirePrincipal().user.wire)
        }
    }

    private func action(
        _ path: PathTemplate,
        _ operationID: String,
        _ summary: String,
        body: JSONSchema,
        conflicts: [String],
        forbidden: [String] = [],
        impossible: [String] = [],
        _ change: @escaping @Sendable (ID<ComplianceCase>, APIRequest) async throws -> Void
    ) -> Route {
        var problems: [Int: [String]] = [:]
        if !conflicts.isEmpty { problems[409] = conflicts }
        if !forbidden.isEmpty { problems[403] = forbidden }
        if !impossible.isEmpty { problems[422] = impossible }
        return Route(
            .post,
            path,
            operationID: operationID,
            summary: summary,
            tag: Self.tag,
            access: Self.access,
            parameters: [Self.id],
            body: .json(body),
            responses: [200: Self.shape],
            problems: problems
        ) { request in
            try await change(try request.id("id"), request)
            return .ok(try await found(request, by: try StaffReader(request, reason: operationID)))
        }
    }

    /// A case, once it is noted who sees it.
    private func found(_ request: APIRequest, by reader: StaffReader) async throws -> JSON {
        let viewer = try request.requirePrincipal().user
        guard let found = try await cases.find(try request.id("id"), for: viewer) else {
            throw Problem(404, "not_found", "There is no such case.")
        }
        guard let user = found["user"]?.stringValue.flatMap({ ID<User>(wire: $0) }) else { return found }
        try await reads.note("compliance.case", of: [user], by: reader)
        return try await CaseEvidence.open(found, of: user, data, to: reader)
    }
}
