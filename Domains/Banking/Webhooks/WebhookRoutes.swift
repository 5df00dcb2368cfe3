import HTTP
import Kernel
import Webhooks

/// `POST /v1/webhooks/{provider}`: where providers tell us what happened.
///
/// There is one route for each provider that has keys; for the others there is nothing, that is 404.
struct WebhookRoutes: Sendable {
    /// Senders give up after 5 s at the least (MoonPay), so that an answer later than that is none.
    static let timeoutSeconds = 5

    private let sources: [WebhookSource]
    private let intake: WebhookIntake

    /// Routes for sources; the caller guarantees distinct names.
    init(_ sources: [WebhookSource], into intake: WebhookIntake) { (self.sources, self.intake) = (sources, intake) }

    /// The routes, without a rate limit: a signature is cheaper to check than a request is to count.
    var routes: [Route] {
        sources.flatMap { source in
            source.callsByQuery ? [post(source), get(source)] : [post(source)]
        }
    }

    private func post(_ source: WebhookSource) -> Route {
        let hasPart = source.intentPaths != nil
        return Route(
            .post,
            PathTemplate("/v1/webhooks/\(source.name)" + (hasPart ? "/{intent}" : "")),
            operationID: "receive\(WebhookRoutes.word(source.name))Webhook",
            summary: "Take a webhook of the provider \(source.name)",
            description: WebhookRoutes.description(source),
            tag: "Webhooks",
            access: .public,
            parameters: hasPart
                ? [.path("intent", .text(1...120), "What the widget of the intent was started with.")] : [],
            body: .raw(mediaType: "application/json"),
            responses: WebhookRoutes.responses,
            problems: WebhookRoutes.problems,
            rateLimit: nil,
            timeoutSeconds: WebhookRoutes.timeoutSeconds
        ) { [intake] request in
            try await intake.receive(request, from: source, part: request.text("intent"))
        }
    }

    private func get(_ source: WebhookSource) -> Route {
        Route(
            .get,
            PathTemplate("/v1/webhooks/\(source.name)"),
            operationID: "receive\(WebhookRoutes.word(source.name))Query",
            summary: "Take a webhook of the provider \(source.name) that has its words in the query",
            description: WebhookRoutes.description(source),
            tag: "Webhooks",
            access: .public,
            parameters: WebhookRoutes.queryNames.map { .query($0, .text(1...255), "As the provider sends it.") },
            responses: WebhookRoutes.responses,
            problems: WebhookRoutes.problems,
            rateLimit: nil,
            timeoutSeconds: WebhookRoutes.timeoutSeconds
        ) { [intake] request in
            try await intake.receive(request, from: source)
        }
    }

    /// What MoonPay puts into queries.
    private static let queryNames = [
        "externalCustomerId", "externalTransactionId", "transactionId", "transactionStatus", "customerId", "type",
    ]

    private static func word(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }

    private static func description(_ source: WebhookSource) -> String {
        let headers = source.signatureHeaders.map { "`\($0)`" }.joined(separator: ", ")
        return "The signature (\(headers)) is checked over the bytes as they came. 200 says that the event is kept, "
            + "`duplicate` that it was here before, `conflict` that it was here before with another body, which an "
            + "operator looks at. Anything else: send it again."
    }

    private static let responses = [
        200: ResponseShape(
            "The event is kept.",
            .object(
                [.required("status", .oneOf(["stored", "duplicate", "conflict"]))],
                named: "WebhookReceipt"
            )
        )
    ]

    private static let problems: [Int: [String]] = {
        var problems: [Int: [String]] = [
            400: ["invalid_payload", "duplicate_keys", "wrong_mode"], 429: ["overloaded"],
            503: ["database_unavailable", "database_busy", "shutting_down"],
        ]
        for problem in SignatureVerdict.allCases.compactMap(\.problem)
        where problems[problem.status]?.contains(problem.code) != true {
            problems[problem.status, default: []].append(problem.code)
        }
        return problems
    }()
}
