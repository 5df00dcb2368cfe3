import DomainKit
import HTTP
import Kernel

extension Deposits {
    /// `POST /v1/banking/deposits`.
    func routes(defaultProvider: String, providers: [String]) -> [Route] {
        [
            Route(
                .post,
                "/v1/banking/deposits",
                operationID: "createDeposit",
                summary: "Add money",
                description: """
                    Fees come out of the amount. The answer says what to do at the provider; the provider's webhook \
                    completes the deposit.
                    """,
                tag: "Deposits",
                access: .permission("banking:move"),
                isIdempotent: true,
                body: .json(Deposits.body(providers)),
                responses: [
                    202: ResponseShape(
                        "The provider must act now.",
                        BankTransaction.schema,
                        headers: [.location, .replayed],
                        links: [.init(to: "getTransaction", parameter: "id", from: "/id")]
                    )
                ],
                problems: MovementProblems.all
            ) { request in
                let body = request.body
                let order = Order(
                    amount: try MovementRequest.amount(in: body),
                    account: body["to"]?.stringValue ?? "checking",
                    source: body["source"]?.stringValue.flatMap { ID<BankAccount>(wire: $0) },
                    provider: body["provider"]?.stringValue ?? defaultProvider
                )
                return try await idempotently(request, ledger, journal.ids) { try await start(order, request) }
            }
        ]
    }

    private static func body(_ providers: [String]) -> JSONSchema {
        .object(
            [
                .required("amount", .positiveAmount, "What the customer pays the provider."),
                .required("asset", .asset),
                .optional("to", .oneOf(["checking", "savings"]), "The account credited; checking unless given."),
                .optional("source", .id(of: BankAccount.self), "The linked card or bank account that pays."),
                .optional("provider", .oneOf(providers)),
            ],
            named: "NewDeposit"
        )
    }
}
