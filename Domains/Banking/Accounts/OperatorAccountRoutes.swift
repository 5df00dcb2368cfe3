import DataProtection
import DomainKit
import HTTP
import Kernel

/// `/v1/operator/accounts/{id}`: what operators see and decide of customers' accounts.
struct OperatorAccountRoutes: Sendable {
    let accounts: BankAccounts
    let statuses: AccountStatuses
    let reads: StaffReads

    var routes: [Route] { [read, decide] }

    private static let access = Access.permission("operate:money")
    private static let account = Parameter.path("id", .id(of: BankAccount.self), "The account.")

    private var read: Route {
        Route(
            .get,
            "/v1/operator/accounts/{id}",
            operationID: "getCustomerAccount",
            summary: "One account of a customer",
            tag: "Operators",
            access: Self.access,
            parameters: [Self.account, StaffReader.parameter],
            responses: [200: ResponseShape("The account.", BankAccount.schema, headers: [.etag])]
        ) { request in
            let account = try await accounts.get(try request.id("id", of: BankAccount.self))
            try await reads.note("banking.account", of: [account.user], by: try StaffReader(request))
            return .ok(account.json).tagged(account.tag)
        }
    }

    private var decide: Route {
        Route(
            .post,
            "/v1/operator/accounts/{id}/status",
            operationID: "decideAccountStatus",
            summary: "Freeze an account, or let it go again",
            description: "Nothing leaves a frozen account; money may come in. What is closed stays closed.",
            tag: "Operators",
            access: Self.access,
            precondition: .optional,
            parameters: [Self.account],
            body: .json(Self.decision),
            responses: [200: ResponseShape("The account.", BankAccount.schema, headers: [.etag])],
            problems: [403: ["own_account"], 409: ["status_not_possible", "conflict"]]
        ) { request in
            let account = try await accounts.get(try request.id("id", of: BankAccount.self))
            guard try request.requirePrincipal().user != account.user else { throw OperatorAccountRoutes.own }
            try request.requireMatch(account.tag)
            let changed = try await statuses.decide(
                account,
                request.body["status"]?.stringValue == "frozen" ? .frozen : .open,
                because: request.body["reason"]?.stringValue ?? "",
                by: try Initiator(request)
            )
            return .ok(changed.json).tagged(changed.tag)
        }
    }

    private static let own = Problem(403, "own_account", "Nobody decides on their own account. Ask a colleague.")
    private static let decision = JSONSchema.object(
        [
            .required("status", .oneOf(["open", "frozen"])),
            .required("reason", .text(1...500), "Why, for the audit log."),
        ],
        named: "AccountStatusDecision"
    )
}

extension BankAccount {
    /// The version of its representation.
    var tag: EntityTag { EntityTag(version: version) }
}
