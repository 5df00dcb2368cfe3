import DomainKit
import HTTP
import Kernel

extension Ramps {
    /// `POST /v1/banking/purchases` and `POST /v1/banking/sales`.
    func routes(defaultProvider: String, providers: [String]) -> [Route] {
        [
            route(
                "/v1/banking/purchases",
                "createPurchase",
                "Buy crypto to your own wallet",
                .purchase,
                "NewPurchase",
                defaultProvider,
                providers
            ),
            route(
                "/v1/banking/sales",
                "createSale",
                "Sell crypto from your own wallet",
                .sale,
                "NewSale",
                defaultProvider,
                providers
            ),
        ]
    }

    private func route(
        _ path: PathTemplate,
        _ operationID: String,
        _ summary: String,
        _ kind: BankTransaction.Kind,
        _ schema: String,
        _ defaultProvider: String,
        _ providers: [String]
    ) -> Route {
        Route(
            .post,
            path,
            operationID: operationID,
            summary: summary,
            description: """
                Between you and the provider, whose page the answer names: you pay or are paid there, and the crypto \
                goes to or comes from a wallet that you have verified. It never stands on an account here. With the \
                status `in_review` it goes on, and the transaction names the page, or fails, when it has been looked at.
                """,
            tag: "Ramps",
            access: .permission(kind == .sale ? "banking:withdraw" : "banking:move", stepUp: kind == .sale),
            isIdempotent: true,
            body: .json(
                .object(
                    [
                        .required("amount", .positiveAmount, "How much crypto."),
                        .required("asset", .asset),
                        .required("wallet", .id(of: OwnWallet.self), "A verified wallet of yours."),
                        .optional("provider", .oneOf(providers)),
                    ],
                    named: schema
                )
            ),
            responses: [
                202: ResponseShape(
                    "The provider must act now.",
                    BankTransaction.schema,
                    headers: [.location, .replayed],
                    links: [.init(to: "getTransaction", parameter: "id", from: "/id")]
                )
            ],
            problems: MovementProblems.all.merging([422: ["wallet_not_verified"]]) { $0 + $1 }
        ) { request in
            let body = request.body
            guard let wallet = body["wallet"]?.stringValue.flatMap({ ID<OwnWallet>(wire: $0) }) else {
                throw Problem.malformed("bad_format", in: "/wallet")
            }
            let order = Order(
                kind: kind,
                amount: try MovementRequest.amount(in: body),
                wallet: wallet,
                provider: body["provider"]?.stringValue ?? defaultProvider
            )
            return try await idempotently(request, ledger, journal.ids) { try await start(order, request) }
        }
    }
}
