import DomainKit
import HTTP
import Kernel

extension Withdrawals {
    /// `POST /v1/banking/withdrawals`.
    func routes(defaultProvider: String, providers: [String]) -> [Route] {
        [
            Route(
                .post,
                "/v1/banking/withdrawals",
                operationID: "createWithdrawal",
                summary: "Withdraw to a bank account",
                description: """
                    Amount and fees are reserved at once, and leave when the provider has paid out. With the status \
                    `in_review` it goes on, or fails and frees them, when it has been looked at.
                    """,
                tag: "Withdrawals",
                access: .permission("banking:withdraw", stepUp: true),
                isIdempotent: true,
                body: .json(Withdrawals.body(providers)),
                responses: [
                    202: ResponseShape(
                        "The money is reserved; the provider must act now.",
                        BankTransaction.schema,
                        headers: [.location, .replayed],
                        links: [.init(to: "getTransaction", parameter: "id", from: "/id")]
                    )
                ],
                problems: MovementProblems.all
            ) { request in
                let body = request.body
                guard let destination = body["destination"]?.stringValue.flatMap({ ID<BankAccount>(wire: $0) }) else {
                    throw Problem.malformed("bad_format", in: "/destination")
                }
                let order = Order(
                    amount: try MovementRequest.amount(in: body),
                    account: body["from"]?.stringValue ?? "checking",
                    destination: destination,
                    provider: body["provider"]?.stringValue ?? defaultProvider
                )
                return try await idempotently(request, ledger, journal.ids) { try await start(order, request) }
            }
        ]
    }

    private static func body(_ providers: [String]) -> JSONSchema {
        .object(
            [
                .required("amount", .positiveAmount, "What arrives at the bank account."),
                .required("asset", .asset),
                .required("destination", .id(of: BankAccount.self), "A verified bank account of type `wire`."),
                .optional("from", .oneOf(["checking", "savings"]), "The account debited; checking unless given."),
                .optional("provider", .oneOf(providers)),
            ],
            named: "NewWithdrawal"
        )
    }
}
