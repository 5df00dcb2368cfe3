import HTTP
import Kernel

/// Reading transactions: lists, one, and why it is as it is.
struct TransactionRoutes: Sendable {
    let transactions: Transactions
    let explanation: TransactionExplanation
    let signer: CursorSigner

    var routes: [Route] { [list, get, explain] }

    private var list: Route {
        Route(
            .get,
            "/v1/banking/transactions",
            operationID: "listTransactions",
            summary: "List transactions",
            description: "Newest first: what the customer started, and payments to the customer.",
            tag: "Transactions",
            access: .permission("banking:read"),
            parameters: Parameter.paging + [
                .query("kind", .oneOf(BankTransaction.Kind.self), "Only of that kind."),
                .query("status", .oneOf(TransactionStatus.self), "Only in that status."),
                .query("asset", .asset, "Only of that asset."),
                .query("from", .instant, "Created at or after."),
                .query("to", .instant, "Created before."),
            ],
            responses: [
                200: ResponseShape(
                    "A page.",
                    .page(of: BankTransaction.schema, named: "TransactionPage"),
                    headers: [.link]
                )
            ],
            problems: [422: ["bad_cursor"]]
        ) { request in
            let user = try request.requirePrincipal().user
            let page = try Page(request, signer: signer)
            let filter = TransactionFilter(
                kind: request.text("kind").flatMap { BankTransaction.Kind(rawValue: $0) },
                status: request.text("status").flatMap { TransactionStatus(rawValue: $0) },
                asset: request.text("asset").flatMap { Asset(code: $0) },
                from: request.text("from").flatMap { Timestamp($0) },
                to: request.text("to").flatMap { Timestamp($0) }
            )
            let entries = try await transactions.list(of: user, filter, page)
            return page.response(
                entries,
                position: { Cursor(instant: $0.createdAt, id: $0.id.value) },
                encode: { $0.json(for: user) }
            )
        }
    }

    private var get: Route {
        Route(
            .get,
            "/v1/banking/transactions/{id}",
            operationID: "getTransaction",
            summary: "Read a transaction",
            tag: "Transactions",
            access: .permission("banking:read"),
            parameters: [TransactionRoutes.id],
            responses: [200: ResponseShape("The transaction.", BankTransaction.schema, headers: [.etag])]
        ) { request in
            let user = try request.requirePrincipal().user
            let transaction = try await transactions.get(try request.id("id"), for: user)
            return .ok(transaction.json(for: user)).tagged(EntityTag(version: transaction.version))
        }
    }

    private var explain: Route {
        Route(
            .get,
            "/v1/banking/transactions/{id}/explain",
            operationID: "explainTransaction",
            summary: "Explain a transaction",
            description: """
                One timeline of status changes, provider events, compliance answers, ledger legs with balances before \
                and \
                after, and the reservation; and the fee lines with the rules that made them.
                """,
            tag: "Transactions",
            access: .permission("banking:read"),
            parameters: [TransactionRoutes.id],
            responses: [200: ResponseShape("The explanation.", TransactionRoutes.explanationSchema)]
        ) { request in
            let user = try request.requirePrincipal().user
            let transaction = try await transactions.get(try request.id("id"), for: user)
            // The payee of a payment sees that it came, not what it cost the payer.
            guard transaction.user == user else { throw Problem.notFound }
            return .ok(try await explanation.explain(transaction))
        }
    }

    private static let id = Parameter.path("id", .id(of: BankTransaction.self), "The transaction.")

    private static let explanationSchema = JSONSchema.object(
        [
            .required("transaction", BankTransaction.schema),
            .required(
                "fees",
                .array(of: .any, count: 0...1_000),
                "Each line with rule, version, base, rate, raw and rounded amount."
            ),
            .required("timeline", .array(of: .any, count: 0...10_000), "Entries with `at` and `kind`, oldest first."),
        ],
        named: "Explanation"
    )
}

extension BankTransaction {
    /// The transaction as that user may see it: the payee of a payment isn't told the payer's fee.
    func json(for user: ID<User>) -> JSON {
        guard self.user != user, case .object(let members) = json else { return json }
        let shown = members.filter { $0.name != "fee" && $0.name != "counterparty" }
        return .object(
            shown + [
                .init("fee", .string(Money.zero(amount.asset).wire)), .init("counterparty", .string(self.user.wire)),
            ]
        )
    }
}
