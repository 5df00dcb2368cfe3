import DomainKit
import HTTP
import Kernel

/// Where crypto comes in and goes out.
struct CustodyRoutes: Sendable {
    /// A chain each, one at least.
    let houses: [CustodyOrders]
    let deposits: CustodyDeposits
    let withdrawals: CustodyWithdrawals
    let signer: CursorSigner

    /// Nil without a chain.
    init?(_ chains: [CustodyParts], signer: CursorSigner) {
        guard let first = chains.first else { return nil }
        houses = chains.map(\.orders)
        (deposits, withdrawals, self.signer) = (first.deposits, first.withdrawals, signer)
    }

    private static let tag = "Custody"
    private static let depositID = Parameter.path("id", .id(of: CustodyDeposit.self), "The deposit.")
    private static let withdrawalID = Parameter.path("id", .id(of: CustodyWithdrawal.self), "The withdrawal.")

    var routes: [Route] {
        [terms, listDeposits, getDeposit, withdraw, listWithdrawals, getWithdrawal, cancel]
    }

    private var terms: Route {
        Route(
            .get,
            "/v1/defi/custody",
            operationID: "getCustody",
            summary: "Where to send crypto that is to be traded",
            description: """
                Of each chain: the account that deposits go to from your verified wallets, and the bounds of each asset.
                """,
            tag: Self.tag,
            access: .permission("defi:read"),
            responses: [200: ResponseShape("The terms.", Self.termsSchema)]
        ) { _ in
            var chains: [JSON] = []
            for house in houses {
                let assets = try await house.assets.all(on: house.chain)
                chains.append([
                    "chain": .string(house.chain.name), "account": .string(house.chain.account),
                    "required_confirmations": .integer(house.chain.confirmations),
                    "assets": .array(assets.map(Self.terms)),
                ])
            }
            return .ok(["chains": .array(chains)])
        }
    }

    private static func terms(of asset: CustodyAsset) -> JSON {
        [
            "asset": .string(asset.asset.code), "deposit_minimum": .string(asset.depositMinimum.wire),
            "withdrawal_minimum": .string(asset.withdrawalMinimum.wire),
            "withdrawal_maximum": .string(asset.withdrawalMaximum.wire),
            "withdrawal_daily": .string(asset.withdrawalDaily.wire), "withdrawals_open": .bool(asset.isActive),
        ]
    }

    private var listDeposits: Route {
        Route(
            .get,
            "/v1/defi/custody/deposits",
            operationID: "listCustodyDeposits",
            summary: "List deposits of crypto",
            description: "Newest first.",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: CustodyDeposit.schema, named: "CustodyDepositPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let page = try Page(request, signer: signer)
            let found = try await deposits.list(of: user, before: page.after?.id ?? .max, limit: page.limit + 1)
            return page.response(
                found,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json }
            )
        }
    }

    private var getDeposit: Route {
        Route(
            .get,
            "/v1/defi/custody/deposits/{id}",
            operationID: "getCustodyDeposit",
            summary: "Read a deposit of crypto",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: [Self.depositID],
            responses: [200: ResponseShape("The deposit.", CustodyDeposit.schema)],
            problems: [404: ["not_found"]]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(try await deposits.get(try request.id("id"), of: user).json)
        }
    }

    private var withdraw: Route {
        Route(
            .post,
            "/v1/defi/custody/withdrawals",
            operationID: "createCustodyWithdrawal",
            summary: "Withdraw crypto to an own address",
            description: """
                To an own proven wallet whose lock in the address book is over. Amount and fees are \
                reserved at once, and leave when the payout has the required confirmations. With the reason \
                `in_review` it is looked at first.
                """,
            tag: Self.tag,
            access: .permission("defi:move", stepUp: true),
            isIdempotent: true,
            body: .json(Self.orderBody),
            responses: [
                202: ResponseShape(
                    "The money is reserved; the payout is signed and sent next.",
                    CustodyWithdrawal.schema,
                    headers: [.location, .replayed],
                    links: [.init(to: "getCustodyWithdrawal", parameter: "id", from: "/id")]
                )
            ],
            problems: Self.problems
        ) { request in
            let body = request.body
            guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
                throw Problem.malformed("unknown_asset", in: "/asset")
            }
            let (house, to) = try house(of: body["to"]?.stringValue ?? "")
            let amount = try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
            return try await idempotently(request, house.ledger, house.ids) {
                try await house.withdraw(amount, to: to, request)
            }
        }
    }

    /// The chain that an address is one of, which no other chain's is.
    private func house(of text: String) throws(Problem) -> (CustodyOrders, to: String) {
        for house in houses {
            if let address = house.chain.address(text) { return (house, address) }
        }
        throw Problem(
            422,
            "bad_checksum",
            "The address is none of a chain here, or its checksum doesn't hold. Copy it again.",
            faults: [Problem.Fault("/to", "bad_checksum")]
        )
    }

    private var listWithdrawals: Route {
        Route(
            .get,
            "/v1/defi/custody/withdrawals",
            operationID: "listCustodyWithdrawals",
            summary: "List withdrawals of crypto",
            description: "Newest first.",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: Parameter.paging,
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: CustodyWithdrawal.schema, named: "CustodyWithdrawalPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let page = try Page(request, signer: signer)
            let found = try await withdrawals.list(
                of: user,
                before: page.after?.id ?? .max,
                limit: page.limit + 1
            )
            return page.response(
                found,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json }
            )
        }
    }

    private var getWithdrawal: Route {
        Route(
            .get,
            "/v1/defi/custody/withdrawals/{id}",
            operationID: "getCustodyWithdrawal",
            summary: "Read a withdrawal of crypto",
            tag: Self.tag,
            access: .permission("defi:read"),
            parameters: [Self.withdrawalID],
            responses: [200: ResponseShape("The withdrawal.", CustodyWithdrawal.schema)],
            problems: [404: ["not_found"]]
        ) { request in
            let user = try request.requirePrincipal().user
            return .ok(try await withdrawals.get(try request.id("id"), of: user).json)
        }
    }

    private var cancel: Route {
        Route(
            .post,
            "/v1/defi/custody/withdrawals/{id}/cancel",
            operationID: "cancelCustodyWithdrawal",
            summary: "Take a withdrawal back",
            description: "As long as its payout isn't signed; the money is available again.",
            tag: Self.tag,
            access: .permission("defi:move"),
            isIdempotent: true,
            parameters: [Self.withdrawalID],
            responses: [200: ResponseShape("The withdrawal.", CustodyWithdrawal.schema, headers: [.replayed])],
            problems: [
                404: ["not_found"], 409: ["withdrawal_under_way"],
                422: ["idempotency_key_reused", "reservation_not_active"],
            ]
        ) { request in
            let id: ID<CustodyWithdrawal> = try request.id("id")
            let withdrawal = try await withdrawals.get(id, of: try request.requirePrincipal().user)
            guard let house = houses.first(where: { $0.chain.name == withdrawal.chain }) else {
                throw Problem(409, "withdrawal_under_way", "Its chain isn't followed now. Try again later.")
            }
            return try await idempotently(request, house.ledger, house.ids) {
                try await house.cancel(withdrawal, request)
            }
        }
    }

    private static let problems: [Int: [String]] = [
        403: ["user_not_active"],
        422: [
            "asset_not_supported", "amount_below_minimum", "amount_above_maximum", "bad_checksum",
            "recipient_is_custodian", "address_not_in_book", "address_locked", "address_blocked", "address_in_review",
            "insufficient_funds", "limit_exceeded", "account_frozen", "account_closed", "amount_out_of_range",
            "no_fee_schedule", "idempotency_key_reused",
            "wallet_not_verified", "identification_required", "level_limit", "movement_refused",
        ],
        503: ["checks_unavailable"],
    ]
    private static let orderBody = JSONSchema.object(
        [
            .required("asset", .asset), .required("amount", .positiveAmount, "What arrives."),
            .required(
                "to",
                .string(.chainAddress),
                "An address of the address book whose lock is over; proven wallets are in it."
            ),
        ],
        named: "NewCustodyWithdrawal"
    )
    private static let termsSchema = JSONSchema.object(
        [.required("chains", .array(of: chainSchema, count: 0...10))],
        named: "Custody"
    )
    private static let chainSchema = JSONSchema.object(
        [
            .required("chain", .anyString, "CAIP-2."), .required("account", .anyString, "Where deposits go."),
            .required("required_confirmations", .integer(1...Int.max)),
            .required(
                "assets",
                .array(
                    of: .object(
                        [
                            .required("asset", .asset), .required("deposit_minimum", .amount),
                            .required("withdrawal_minimum", .amount), .required("withdrawal_maximum", .amount),
                            .required("withdrawal_daily", .amount, "The most of one UTC day."),
                            .required("withdrawals_open", .bool),
                        ],
                        named: "CustodyTerms"
                    ),
                    count: 0...100
                )
            ),
        ],
        named: "CustodyChain"
    )
}
