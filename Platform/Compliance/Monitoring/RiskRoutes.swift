public import DataProtection
public import HTTP
import Kernel

/// What compliance officers see of customers beside cases: how much of a risk they are, and what left for chains.
public struct RiskRoutes: Sendable {
    private let history: RiskHistory
    private let travels: TravelRuleRecords
    private let reads: StaffReads
    private let cursors: CursorSigner

    /// The routes; `reads` is where it is noted who saw what, `cursors` signs the pages of lists.
    public init(_ history: RiskHistory, _ travels: TravelRuleRecords, reads: StaffReads, cursors: CursorSigner) {
        (self.history, self.travels, self.reads, self.cursors) = (history, travels, reads, cursors)
    }

    /// All of them.
    public var routes: [Route] { [risk, travelRule] }

    private static let access = Access.permission("compliance:review")

    private var risk: Route {
        Route(
            .get,
            "/v1/operator/compliance/users/{id}/risk",
            operationID: "getRisk",
            summary: "How much of a risk a customer is, and was",
            description: "Computed when movements, cases or the identity of the customer change; empty before that.",
            tag: "Operators",
            access: Self.access,
            parameters: [.path("id", .id(of: User.self), "The user."), StaffReader.parameter],
            responses: [200: ResponseShape("The scores.", ComplianceSchemas.risk)]
        ) { [history, reads] request in
            let user: ID<User> = try request.id("id")
            try await reads.note("compliance.risk", of: [user], by: try StaffReader(request))
            return .ok(["user": .string(user.wire), "scores": .array(try await history.scores(of: user))])
        }
    }

    private var travelRule: Route {
        Route(
            .get,
            "/v1/operator/compliance/travel-rule",
            operationID: "listTravelRuleRecords",
            summary: "Who sent what to whom on chains",
            description: "Payouts from an amount on, by the travel rule, the oldest first.",
            tag: "Operators",
            access: Self.access,
            parameters: [
                .query("user", .id(of: User.self), "Only those of a customer."), StaffReader.parameter,
            ] + Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: ComplianceSchemas.transfer, named: "TravelRuleRecords"),
                    headers: [.link]
                )
            ]
        ) { [travels, reads, cursors] request in
            let page = try Page(request, signer: cursors)
            let user = request.text("user").flatMap { ID<User>(wire: $0) }
            let records = try await travels.list(of: user, after: page.after?.id ?? 0, limit: page.limit + 1)
            // The one that says whether there is another page isn't shown.
            let shown = Set(records.prefix(page.limit).map(\.user))
            try await reads.note("compliance.travel_rule", of: shown, by: try StaffReader(request))
            return page.response(records, position: { Cursor(instant: $0.at, id: $0.id) }, encode: \.json)
        }
    }
}
