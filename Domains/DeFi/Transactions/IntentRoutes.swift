import DomainKit
import HTTP
import Kernel
import Ledger
import PostgreSQL
import WalletCrypto

/// Building, signing outside, submitting and watching transactions.
struct IntentRoutes: Sendable {
    /// Nil where no chain is followed that follows Ethereum's rules.
    let ethereum: EthereumDesk?
    let payments: PaymentDesk
    let intents: Intents
    let payers: Payers
    let ledger: Ledger
    let ids: IDGenerator
    let signer: CursorSigner

    var routes: [Route] {
        [create, submit, replace, discard, list, get, explain] + (ethereum.map { [gas($0.chain)] } ?? [])
    }

    init(
        _ runtime: DomainRuntime,
        _ ethereum: EthereumDesk?,
        payments: [PaymentParts],
        book: AddressBook,
        ids: IDGenerator,
        clock: any WallClock,
        cursors: CursorSigner
    ) {
        let (schema, pool, ledger) = (runtime.schema, runtime.pool, runtime.ledger)
        self.ethereum = ethereum
        self.payments = PaymentDesk(
            chains: payments,
            payments: Payments(schema: schema, pool: pool),
            book: book,
            ledger: ledger,
            ids: ids,
            clock: clock
        )
        intents = Intents(schema: schema, pool: pool)
        payers = Payers(schema: schema, pool: pool)
        (self.ledger, self.ids, signer) = (ledger, ids, cursors)
    }

    static let problems: [Int: [String]] = [
        404: ["not_found"],
        409: ["intent_not_open", "nonce_taken", "inputs_taken"],
        422: [
            "amount_too_small", "fee_too_high", "not_replaceable", "wallet_not_supported",
            "wallet_not_verified", "wallet_on_other_chain", "address_not_in_book", "address_locked",
            "asset_not_supported", "insufficient_funds", "would_revert", "would_fail", "gas_too_expensive",
            "idempotency_key_reused", "amount_out_of_range", "bad_checksum", "address_blocked", "address_in_review",
        ],
        503: ["chain_unavailable", "chain_disagreement", "wallet_not_read"],
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
        let to = body["to"]?.stringValue ?? ""
        let amount = try Money(positive: body["amount"]?.stringValue ?? "", asset, at: "/amount")
        let (wallet, chain) = try await payers.wallet(id, of: user)
        if let parts = payments.chain(chain) {
            return try await payments.create(amount, to: to, from: wallet, on: parts, Self.speed(body), request)
        }
        guard let ethereum, ethereum.chain.name == chain else {
            throw Problem(422, "wallet_on_other_chain", "Nothing is sent on \(chain). Name another wallet.")
        }
        return try await ethereum.create(amount, to: to, from: id, of: user, Self.speed(body), request)
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
                    "other_inputs", "other_contents", "not_signed", "bad_signature", "partial_signature",
                    "idempotency_key_reused", "address_not_in_book", "address_locked", "address_blocked",
                    "address_in_review", "slippage_exceeded", "would_revert", "offer_gone",
                ]
            ]) { $1 }
        ) { request in
            let user = try request.requirePrincipal().user
            let id: ID<Intent> = try request.id("id")
            let text = request.body["signed_transaction"]?.stringValue ?? ""
            if let payment = try await payments.payments.find(id, of: user) {
                let returned = ReturnedPayment(
                    transaction: text,
                    signature: request.body["signature"]?.stringValue
                )
                let response = try await idempotently(request, ledger, ids) {
                    try await payments.submit(returned, for: payment, request)
                }
                if response.status == 202 { await payments.sendNow(payment) }
                return response
            }
            let intent = try await intents.get(id, of: user)
            guard let ethereum, let bytes = HexText.decode(text) else {
                throw Problem.malformed("bad_format", in: "/signed_transaction")
            }
            let response = try await idempotently(request, ledger, ids) {
                try await ethereum.submissions.submit(bytes, for: intent, request)
            }
            if response.status == 202 { await ethereum.sender.sendNow(id) }
            return response
        }
    }

    private var replace: Route {
        Route(
            .post,
            "/v1/defi/intents/{id}/replace",
            operationID: "replaceIntent",
            summary: "Speed a transaction up, or cancel it",
            description: "Builds another one that the chain takes instead: the same nonce or coins, and a higher fee.",
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
            let (isCancel, speed) = (request.body["action"]?.stringValue == "cancel", Self.speed(request.body))
            return try await idempotently(request, ledger, ids) {
                if let payment = try await payments.payments.find(id, of: user) {
                    return try await payments.replace(payment, cancelling: isCancel, speed, request)
                }
                let intent = try await intents.get(id, of: user)
                guard let ethereum else { throw Self.notFollowed }
                return try await ethereum.replace(intent, cancelling: isCancel, speed, request)
            }
        }
    }

    private var discard: Route {
        Route(
            .delete,
            "/v1/defi/intents/{id}",
            operationID: "discardIntent",
            summary: "Discard a transaction that isn't signed",
            description: "What was built with it goes with it, and what they held is free again.",
            tag: "Chain transactions",
            access: .permission("defi:move"),
            parameters: [Self.id],
            responses: [200: ResponseShape("The transaction as it ended.", Intent.schema)],
            problems: [404: ["not_found"], 409: ["intent_not_open"], 503: ["chain_unavailable"]]
        ) { request in
            let (id, user): (ID<Intent>, ID<User>) = (try request.id("id"), try request.requirePrincipal().user)
            if let payment = try await payments.payments.find(id, of: user) {
                return .ok(try await discarded(payment).json)
            }
            let intent = try await intents.get(id, of: user)
            guard let ethereum else { throw Self.notFollowed }
            return .ok(try await ethereum.submissions.discard(intent).json)
        }
    }

    private func discarded(_ payment: Payment) async throws -> Payment {
        if case .expired = payment.state { return payment }
        let underWay = Problem(409, "intent_not_open", "It is signed already.")
        guard payment.state == .built else { throw underWay }
        guard let books = payments.chain(payment.chain)?.books else { throw Self.notFollowed }
        do {
            _ = try await ledger.submit(batch: [try await books.item(payment, .timedOut, because: "discarded")])
        } catch let error as PostgresError where error.isStale {
            throw underWay
        }
        return try await payments.payments.find(payment.id) ?? payment
    }

    private static let notFollowed = Problem(
        503,
        "chain_unavailable",
        "The chain isn't followed now.",
        retryAfterSeconds: 60
    )

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
            let (before, limit) = (page.after?.id ?? .max, page.limit + 1)
            let called = try await intents.list(of: user, before: before, limit: limit).map {
                Listed(id: $0.id, createdAt: $0.createdAt, json: $0.json)
            }
            let paid = try await payments.payments.list(of: user, before: before, limit: limit).map {
                Listed(id: $0.id, createdAt: $0.createdAt, json: $0.json)
            }
            return page.response(
                Array((called + paid).sorted { $0.id > $1.id }.prefix(limit)),
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json }
            )
        }
    }

    /// One of either kind in a list.
    private struct Listed: Sendable {
        let id: ID<Intent>
        let createdAt: Timestamp
        let json: JSON
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
            let (id, user): (ID<Intent>, ID<User>) = (try request.id("id"), try request.requirePrincipal().user)
            if let payment = try await payments.payments.find(id, of: user) {
                return .ok(payment.json).tagged(EntityTag(version: payment.version))
            }
            let intent = try await intents.get(id, of: user)
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
            let (id, user): (ID<Intent>, ID<User>) = (try request.id("id"), try request.requirePrincipal().user)
            let explanation = IntentExplanation(schema: intents.schema, pool: intents.pool)
            if let payment = try await payments.payments.find(id, of: user) {
                return .ok(try await explanation.explain(id, payment.json))
            }
            return .ok(try await explanation.explain(id, try await intents.get(id, of: user).json))
        }
    }

    private func gas(_ chain: EthereumChain) -> Route {
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
                .string(.chainAddress),
                "An address of the address book whose lock is over; proven wallets are in it."
            ),
            .required("asset", .asset), .required("amount", .positiveAmount), speedProperty,
        ] + PayoutChecks.members,
        named: "NewChainPayment"
    )
    private static let submissionBody = JSONSchema.object(
        [
            .required("signed_transaction", .string(.signedTransaction)),
            .optional(
                "signature",
                .string(.signedTransaction),
                "Where the wallet gives it beside the transaction, as those of Sui do."
            ),
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
