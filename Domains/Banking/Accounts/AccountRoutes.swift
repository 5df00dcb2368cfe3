import DomainKit
import HTTP
import Kernel
import Ledger

/// Accounts and balances of a customer.
struct AccountRoutes: Sendable {
    let accounts: BankAccounts
    let ledgerAccounts: LedgerAccounts
    let statuses: AccountStatuses
    let limits: LimitReports
    /// Whether linked accounts count as verified at once, as in the sandbox.
    let verifiesAtOnce: Bool

    var routes: [Route] { [list, link, get, close, balances] }

    private var list: Route {
        Route(
            .get,
            "/v1/banking/accounts",
            operationID: "listAccounts",
            summary: "List accounts",
            tag: "Accounts",
            access: .permission("banking:read"),
            responses: [
                200: ResponseShape(
                    "The accounts.",
                    .object(
                        [.required("data", .array(of: BankAccount.schema, count: 0...BankAccounts.accountsMax))],
                        named: "AccountList"
                    )
                )
            ]
        ) { request in
            let list = try await accounts.list(of: try request.requirePrincipal().user)
            return .ok(["data": .array(list.map(\.json))])
        }
    }

    private var link: Route {
        Route(
            .post,
            "/v1/banking/accounts",
            operationID: "linkAccount",
            summary: "Link a card or bank account",
            description: "The instrument is named by a provider's token; numbers of cards are refused.",
            tag: "Accounts",
            access: .permission("banking:move"),
            body: .json(AccountRoutes.body),
            responses: [
                201: ResponseShape(
                    "The linked account.",
                    BankAccount.schema,
                    headers: [.location],
                    links: [.init(to: "getAccount", parameter: "id", from: "/id")]
                )
            ],
            problems: [422: ["too_many_accounts"]]
        ) { request in
            let body = request.body
            let account = try await accounts.link(
                body["type"]?.stringValue == "wire" ? .wire : .creditCard,
                label: body["label"]?.stringValue ?? "",
                token: body["token"]?.stringValue ?? "",
                lastDigits: body["last_digits"]?.stringValue ?? "",
                verification: verifiesAtOnce ? .verified : .pending,
                for: try request.requirePrincipal().user
            )
            return .created(account.json, location: "/v1/banking/accounts/\(account.id.wire)")
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/banking/accounts/{id}",
            operationID: "getAccount",
            summary: "Read an account",
            tag: "Accounts",
            access: .permission("banking:read"),
            parameters: [.path("id", .id(of: BankAccount.self), "The account.")],
            responses: [200: ResponseShape("The account.", BankAccount.schema, headers: [.etag])]
        ) { request in
            let account = try await accounts.get(try request.id("id"), of: try request.requirePrincipal().user)
            guard account.kind.isOurs, case .object(let members) = account.json else {
                return .ok(account.json).tagged(account.tag)
            }
            // What is used of limits changes without the account's version: it is no part of what the tag stands for.
            let used = try await limits.of(account.user, account.kind)
            return .ok(.object(members + [.init("limits", .array(used.map(\.json)))])).tagged(account.tag)
        }
    }

    private var close: Route {
        Route(
            .post,
            "/v1/banking/accounts/{id}/close",
            operationID: "closeAccount",
            summary: "Close an account",
            description: "For good; refused while there is money on it or something is under way.",
            tag: "Accounts",
            access: .permission("banking:move"),
            precondition: .optional,
            parameters: [.path("id", .id(of: BankAccount.self), "The account.")],
            responses: [200: ResponseShape("The closed account.", BankAccount.schema, headers: [.etag])],
            problems: [
                409: ["status_not_possible", "conflict"],
                422: ["account_not_empty", "account_in_use"],
            ]
        ) { request in
            let account = try await accounts.get(try request.id("id"), of: try request.requirePrincipal().user)
            try request.requireMatch(account.tag)
            let closed = try await statuses.close(account, by: try Initiator(request))
            return .ok(closed.json).tagged(closed.tag)
        }
    }

    private var balances: Route {
        Route(
            .get,
            "/v1/banking/balances",
            operationID: "listBankingBalances",
            summary: "List balances in Banking",
            tag: "Balances",
            access: .permission("banking:read"),
            responses: [200: ResponseShape("The balances.", BalanceList.schema)]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(BalanceList.json(try await ledgerAccounts.balances(of: user.value)))
        }
    }

    private static let body = JSONSchema.object(
        [
            .required("type", .oneOf(["credit_card", "wire"])),
            .required("label", .text(1...80)),
            .required("token", .text(1...200), "The provider's token of the instrument."),
            .required("last_digits", .string(AccountRoutes.digits)),
        ],
        named: "NewLinkedAccount"
    )

    private static let digits = Format(
        "last_digits",
        pattern: "^[0-9]{2,4}$",
        length: 2...4,
        description: "The last two to four digits."
    ) { text in
        (2...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? nil : "bad_format"
    }
}
