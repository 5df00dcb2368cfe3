import DomainKit
import HTTP
import Kernel

extension Payments {
    /// `POST /v1/banking/payments`.
    var routes: [Route] {
        [
            Route(
                .post,
                "/v1/banking/payments",
                operationID: "createPayment",
                summary: "Send money to another customer",
                description: """
                    The payee gets the amount; the payer pays the fees on top. Done when answered, unless with 202: \
                    then amount and fees are reserved until it has been looked at.
                    """,
                tag: "Payments",
                access: .permission("banking:move"),
                isIdempotent: true,
                body: .json(Payments.body),
                responses: [
                    201: ResponseShape(
                        "The completed payment.",
                        BankTransaction.schema,
                        headers: [.location, .replayed],
                        links: [.init(to: "getTransaction", parameter: "id", from: "/id")]
                    ),
                    202: ResponseShape(
                        "The payment, which is looked at first.",
                        BankTransaction.schema,
                        headers: [.location, .replayed],
                        links: [.init(to: "getTransaction", parameter: "id", from: "/id")]
                    ),
                ],
                problems: MovementProblems.all.merging([404: ["payee_not_found"]]) { $0 + $1 }
            ) { request in
                let body = request.body
                let order = Order(
                    payee: body["payee"]?.stringValue ?? "",
                    amount: try MovementRequest.amount(in: body),
                    account: body["from"]?.stringValue ?? "checking",
                    memo: body["memo"]?.stringValue
                )
                return try await idempotently(request, ledger, journal.ids) { try await pay(order, request) }
            }
        ]
    }

    private static let body = JSONSchema.object(
        [
            .required("payee", .text(1...254), "A user id, an e-mail address or `@username`."),
            .required("amount", .positiveAmount, "What the payee gets."),
            .required("asset", .asset),
            .optional("from", .oneOf(["checking", "savings"]), "The payer's account; checking unless given."),
            .optional("memo", .text(1...140), "Shown to both."),
        ],
        named: "NewPayment"
    )
}
