import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Building, signing outside, submitting and watching transactions.
struct IntentRoutes: Sendable {
    let chain: EthereumChain
    let intents: Intents
    let payers: Payers
    let book: AddressBook
    let payouts: PayoutChecks
    let openings: IntentOpenings
    let submissions: Submissions
    let sender: IntentSender
    let ledger: Ledger
    let ids: IDGenerator
    let signer: CursorSigner

    var routes: [Route] { [create, submit, replace, list, get, explain, gas] }

    static let problems: [Int: [String]] = [
        404: ["not_found"],
        409: ["intent_not_open", "nonce_taken"],
        422: [
            "wallet_not_verified", "wallet_on_other_chain", "address_not_in_book", "address_locked",
            "asset_not_supported", "insufficient_funds", "would_revert", "would_fail", "gas_too_expensive",
            "idempotency_key_reused", "amount_out_of_range", "bad_checksum", "address_blocked", "address_in_review",
        ],
        503: ["chain_unavailable", "chain_disagreement"],
    ]

    private var create: Route {
        Route(
            .post,
            "/v1/defi/intents",
            operationID: "createIntent",
            summary: "Build a payment from an own wallet",
            description: "Nothing is sent: the answer is what the wallet has to sign, outside of here.",
            tag: "Chain transactions",
            access: .permission("defi:move", stepUp: true),
            isIdempotent: true,
            body: .json(Self.paymentBody),
            responses: [201: ResponseShape("The transaction.", Intent.schema, headers: [.location, .replayed])],
            problems: Self.problems.merging([
                422: PayoutChecks.refusals + ["movement_in_review"], 503: ["checks_unavailable"],
            ]) { $0 + $1 }
        ) { request in
            try await idempotently(request, ledger, ids) { try await create(request) }
        }
    }

    private func create(_ request: APIRequest) async throws -> APIResponse {
        let (body, user) = (request.body, try request.requirePrincipal().user)
        guard let id = body["wallet"]?.stringValue.flatMap({ ID<Wallet>(wire: $0) }) else {
            throw Problem.malformed("bad_format", in: "/wallet")
        }
        guard let asset = body["asset"]?.stringValue.flatMap({ Asset(code: $0) }) else {
            throw Problem.malformed("unknown_asset", in: "/asset")
        }
        guard let to = body["to"]?.stringValue.flatMap(EthereumAddress.init(_:)) else {
            throw Problem(
                422,
                "bad_checksum",
                "The address's checksum doesn't hold (EIP-55). Copy it again.",
                faults: [Problem.Fault("/to", "bad_checksum")]
            )
        }
        let amount = try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
        let wallet = try await payers.wallet(id, of: user, on: chain.name)
        let account = try await book.requirePayable(to, on: chain.name, for: user)
        let call = try payment(of: amount, to: to)
        let drafts = try await openings.maker.drafts([call], from: wallet, speed: Self.speed(body))
        let opened = openings.open(drafts)
        try await payouts.requireApproved(
            amount,
            to: account,
            named: PayoutChecks.beneficiary(in: body),
            for: user,
            subject: opened.intents[0].id.value
        )
        return try await store(opened, for: request)
    }

    private func payment(of amount: Money, to recipient: EthereumAddress) throws(Problem) -> IntentMaker.Call {
        if amount.asset == EthereumChain.gasAsset {
            return IntentMaker.Call(
                kind: .transfer,
                to: recipient,
                value: BigUInt(amount.minorUnits),
                data: [],
                gasMax: IntentMaker.gasOfPayment * 2,
                amount: amount
            )
        }
        let units = ABIValue.uint(BigUInt(amount.minorUnits))
        guard let token = chain.deployment.token(amount.asset),
            let data = try? KnownCall.transfer.callData([.address(recipient), units])
        else { throw Problem(422, "asset_not_supported", "The asset isn't on this chain.") }
        return IntentMaker.Call(
            kind: .transfer,
            to: token,
            value: .zero,
            data: data,
            gasMax: 120_000,
            amount: amount,
            token: token
        )
    }

    private var submit: Route {
        Route(
            .post,
            "/v1/defi/intents/{id}/submit",
            operationID: "submitIntent",
            summary: "Give back a signed transaction",
            description: "It must be what was built; then it is sent until the chain has it.",
            tag: "Chain transactions",
            access: .permission("defi:move"),
            isIdempotent: true,
            parameters: [Self.id],
            body: .json(Self.submissionBody),
            responses: [202: ResponseShape("The transaction.", Intent.schema, headers: [.location, .replayed])],
            problems: Self.problems.merging([
                422: [
                    "malformed_transaction", "unsupported_transaction_type", "unprotected_transaction", "high_s",
                    "unknown_function", "malformed_call", "unlimited_approval", "other_recipient", "other_chain",
                    "other_sender", "other_nonce", "other_value", "other_calldata", "other_fee", "access_list",
                    "idempotency_key_reused", "address_not_in_book", "address_locked", "address_blocked",
                    "address_in_review",
                ]
            ]) { $1 }
        ) { request in
            let user = try request.requirePrincipal().user
            let id: ID<Intent> = try request.id("id")
            guard let bytes = request.body["signed_transaction"]?.stringValue.flatMap(HexText.decode) else {
                throw Problem.malformed("bad_format", in: "/signed_transaction")
            }
            let response = try await idempotently(request, ledger, ids) {
                try await submissions.submit(bytes, for: try await intents.get(id, of: user), request)
            }
            if response.status == 202 { await sender.sendNow(id) }
            return response
        }
    }

    private var replace: Route {
        Route(
            .post,
            "/v1/defi/intents/{id}/replace",
            operationID: "replaceIntent",
            summary: "Speed a transaction up, or cancel it",
            description: "Builds another one with the same nonce that offers more for gas.",
            tag: "Chain transactions",
            access: .permission("defi:move"),
            isIdempotent: true,
            parameters: [Self.id],
            body: .json(Self.replacementBody),
            responses: [201: ResponseShape("The transaction.", Intent.schema, headers: [.location, .replayed])],
            problems: Self.problems
        ) { request in
            let user = try request.requirePrincipal().user
            let id: ID<Intent> = try request.id("id")
            return try await idempotently(request, ledger, ids) {
                let intent = try await intents.get(id, of: user)
                guard intent.signed != nil, intent.state.block == nil, !intent.state.isOver else {
                    throw Problem(409, "intent_not_open", "It is \(intent.state.name): nothing can take its place.")
                }
                let draft = try await openings.maker.replacement(
                    of: intent,
                    cancelling: request.body["action"]?.stringValue == "cancel",
                    speed: Self.speed(request.body)
                )
                return try await store(openings.open([draft]), for: request)
            }
        }
    }

    private func store(_ opened: OpenedIntents, for request: APIRequest) async throws -> APIResponse {
        let first = opened.intents[0]
        let answer = StoredAnswer(.created(first.json, location: first.path))
        let item = LedgerItem(
            operation: first.id.cast(),
            commands: opened.commands,
            idempotency: try request.scopedKey()
        ) { _, _ in
            LedgerItem.Finish(rows: opened.rows, answer: answer)
        }
        do {
            return try await ledger.submit(item).response()
        } catch let error as PostgresError where error.violates("intents_nonce") {
            throw Problem(409, "nonce_taken", "Another transaction of the wallet was built meanwhile. Try again.")
        }
    }

    private var list: Route {
        Route(
            .get,
            "/v1/defi/transactions",
            operationID: "listChainTransactions",
            summary: "List transactions on chains",
            description: "Newest first, those that wait to be signed included.",
            tag: "Chain transactions",
            access: .permission("defi:read"),
            parameters: Parameter.paging,
            responses: [
                200: ResponseShape("A page.", .page(of: Intent.schema, named: "ChainTransactionPage"), headers: [.link])
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let page = try Page(request, signer: signer)
            let found = try await intents.list(of: user, before: page.after?.id ?? .max, limit: page.limit + 1)
            return page.response(
                found,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/defi/transactions/{id}",
            operationID: "getChainTransaction",
            summary: "Read a transaction on a chain",
            tag: "Chain transactions",
            access: .permission("defi:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The transaction.", Intent.schema, headers: [.etag])],
            problems: [404: ["not_found"]]
        ) { request in
            let intent = try await intents.get(try request.id("id"), of: try request.requirePrincipal().user)
            return .ok(intent.json).tagged(EntityTag(version: intent.version))
        }
    }

    private var explain: Route {
        Route(
            .get,
            "/v1/defi/transactions/{id}/explain",
            operationID: "explainChainTransaction",
            summary: "Explain a transaction on a chain",
            description: "One timeline of its statuses and of what the ledger posted for its blocks and took back.",
            tag: "Chain transactions",
            access: .permission("defi:read"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The explanation.", Self.explanationSchema)],
            problems: [404: ["not_found"]]
        ) { request in
            let intent = try await intents.get(try request.id("id"), of: try request.requirePrincipal().user)
            let explanation = IntentExplanation(schema: intents.schema, pool: intents.pool)
            return .ok(try await explanation.explain(intent))
        }
    }

    private var gas: Route {
        Route(
            .get,
            "/v1/defi/gas",
            operationID: "getGas",
            summary: "What gas costs now",
            tag: "Chain transactions",
            access: .permission("defi:read"),
            responses: [200: ResponseShape("Prices by speed, in wei per gas.", Self.gasSchema)],
            problems: [422: ["gas_too_expensive"], 503: ["chain_unavailable"]]
        ) { _ in
            var members: [JSON.Member] = [.init("chain", .string(chain.name))]
            for speed in GasPrice.Speed.allCases {
                let price = try await chain.gasPrice(speed)
                members.append(
                    .init(
                        speed.rawValue,
                        [
                            "max_fee_per_gas": .string(price.maxFee.description),
                            "max_priority_fee_per_gas": .string(price.tip.description),
                        ]
                    )
                )
            }
            return .ok(.object(members))
        }
    }

    static func speed(_ body: JSON) -> GasPrice.Speed {
        body["speed"]?.stringValue.flatMap { GasPrice.Speed(rawValue: $0) } ?? .normal
    }

    static let speedProperty = JSONSchema.Property.optional("speed", .oneOf(GasPrice.Speed.allCases.map(\.rawValue)))
    private static let id = Parameter.path("id", .id(of: Intent.self), "The transaction.")
    private static let paymentBody = JSONSchema.object(
        [
            .required("wallet", .id(of: Wallet.self), "An own wallet, proven."),
            .required(
                "to",
                .string(.ethereumAddress),
                "An address of the address book whose lock is over; proven wallets are in it."
            ),
            .required("asset", .asset), .required("amount", .positiveAmount), speedProperty,
        ] + PayoutChecks.members,
        named: "NewChainPayment"
    )
    private static let submissionBody = JSONSchema.object(
        [
            .required("signed_transaction", .string(.signedTransaction))
        ],
        named: "SignedTransaction"
    )
    private static let replacementBody = JSONSchema.object(
        [.required("action", .oneOf(["speed_up", "cancel"])), speedProperty],
        named: "Replacement"
    )
    private static let explanationSchema = JSONSchema.object(
        [
            .required("transaction", Intent.schema),
            .required("timeline", .array(of: .any, count: 0...IntentExplanation.entriesMax), "Oldest first."),
        ],
        named: "ChainExplanation"
    )
    private static let priceSchema = JSONSchema.object(
        [.required("max_fee_per_gas", .anyString), .required("max_priority_fee_per_gas", .anyString)],
        named: "GasPrice"
    )
    private static let gasSchema = JSONSchema.object(
        [
            .required("chain", .anyString), .required("slow", priceSchema), .required("normal", priceSchema),
            .required("fast", priceSchema),
        ],
        named: "Gas"
    )
}
