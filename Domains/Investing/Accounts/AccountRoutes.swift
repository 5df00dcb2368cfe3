import DomainKit
import HTTP
import Kernel
import Ledger

/// Accounts that trade, their balances, and money moved between those of one user.
struct AccountRoutes: Sendable {
    let accounts: TradingAccounts
    let moves: AccountMoves
    let balances: LedgerAccounts

    /// Routes that must be served by the process that writes.
    var writing: [Route] { [move] }

    /// Routes that any process serves.
    var reading: [Route] { [list, open, get, change] }

    private var list: Route {
        Route(
            .get,
            "/v1/investing/accounts",
            operationID: "listTradingAccounts",
            summary: "List trading accounts with their balances",
            tag: "Trading accounts",
            access: .permission("investing:read"),
            responses: [200: ResponseShape("The accounts.", AccountRoutes.listSchema)]
        ) { request in
            let user = try request.requirePrincipal().user
            let (all, held) = (try await accounts.all(of: user), try await balances.balances(of: user.value))
            return .ok(["data": .array(all.map { $0.json(holding: held) })])
        }
    }

    private var open: Route {
        Route(
            .post,
            "/v1/investing/accounts",
            operationID: "openTradingAccount",
            summary: "Open a trading account",
            description: "One of each type; opening it again answers with the one that is open.",
            tag: "Trading accounts",
            access: .permission("investing:move"),
            body: .json(AccountRoutes.body),
            responses: [
                201: ResponseShape(
                    "The account.",
                    TradingAccount.schema,
                    headers: [.location, .etag],
                    links: [.init(to: "getTradingAccount", parameter: "id", from: "/id")]
                )
            ]
        ) { request in
            let user = try request.requirePrincipal().user
            let kind = request.body["type"]?.stringValue.flatMap { TradingAccount.Kind(rawValue: $0) } ?? .brokerage
            let tolerance = request.body["risk_tolerance"]?.stringValue ?? TradingAccount.toleranceDefault
            try await accounts.open(user, kind, riskTolerance: tolerance)
            let account = try await accounts.present(of: user, kind)
            let held = try await balances.balances(of: user.value)
            return .created(account.json(holding: held), location: "/v1/investing/accounts/\(account.id.wire)")
                .tagged(account.tag)
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/investing/accounts/{id}",
            operationID: "getTradingAccount",
            summary: "Read a trading account",
            tag: "Trading accounts",
            access: .permission("investing:read"),
            parameters: [AccountRoutes.id],
            responses: [200: ResponseShape("The account.", TradingAccount.schema, headers: [.etag])]
        ) { request in
            let user = try request.requirePrincipal().user
            let account = try await accounts.get(try request.id("id"), of: user)
            return .ok(account.json(holding: try await balances.balances(of: user.value))).tagged(account.tag)
        }
    }

    private var change: Route {
        Route(
            .patch,
            "/v1/investing/accounts/{id}",
            operationID: "changeTradingAccount",
            summary: "Change an account's risk tolerance",
            tag: "Trading accounts",
            access: .permission("investing:move"),
            precondition: .required,
            parameters: [AccountRoutes.id],
            body: .json(AccountRoutes.changeBody),
            responses: [200: ResponseShape("The account.", TradingAccount.schema, headers: [.etag])],
            problems: [412: ["version_mismatch"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let account = try await accounts.get(try request.id("id"), of: user)
            try request.requireMatch(account.tag)
            let changed = try await accounts.change(
                account,
                riskTolerance: request.body["risk_tolerance"]?.stringValue ?? account.riskTolerance,
                by: try Initiator(request)
            )
            return .ok(changed.json(holding: try await balances.balances(of: user.value))).tagged(changed.tag)
        }
    }

    private var move: Route {
        Route(
            .post,
            "/v1/investing/account-moves",
            operationID: "moveBetweenTradingAccounts",
            summary: "Move money between one's own trading accounts",
            tag: "Trading accounts",
            access: .permission("investing:move"),
            isIdempotent: true,
            body: .json(AccountRoutes.moveBody),
            responses: [201: ResponseShape("What was moved.", AccountMove.schema, headers: [.replayed])],
            problems: [
                404: ["account_not_found"],
                422: ["insufficient_funds", "account_frozen", "same_account", "account_closed", "amount_out_of_range"],
                503: ["writer_elsewhere"],
            ]
        ) { request in
            try await moves.move(request)
        }
    }

    private static let id = Parameter.path("id", .id(of: TradingAccount.self), "The account.")
    private static let tolerance = JSONSchema.oneOf(TradingAccount.tolerances)

    private static let body = JSONSchema.object(
        [
            .required("type", .oneOf(TradingAccount.Kind.self)),
            .optional("risk_tolerance", tolerance, "`balanced` unless given."),
        ],
        named: "NewTradingAccount"
    )

    private static let changeBody = JSONSchema.object(
        [.required("risk_tolerance", tolerance)],
        named: "TradingAccountChange"
    )

    private static let moveBody = JSONSchema.object(
        [
            .required("from", .oneOf(TradingAccount.Kind.self)), .required("to", .oneOf(TradingAccount.Kind.self)),
            .required("asset", .asset), .required("amount", .positiveAmount),
        ],
        named: "NewAccountMove"
    )

    private static let listSchema = JSONSchema.object(
        [.required("data", .array(of: TradingAccount.schema, count: 0...TradingAccount.Kind.allCases.count))],
        named: "TradingAccountList"
    )
}
