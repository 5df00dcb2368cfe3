import HTTP
import Kernel
import Logging
import Metrics
import Observability
import Synchronization
import Testing
import Traces

/// A small API whose routes show every feature, for the tests.
struct DemoAPI {
    enum Payment: Entity { static let idPrefix = "pay" }

    struct Tokens: Authenticator {
        func principal(bearer token: String, request: APIRequest) async throws -> Principal {
            switch token {
            case "writer": Principal(user: ID(7), permissions: ["payments:read", "payments:write"])
            case "program", "another-program":
                Principal(user: ID(7), permissions: ["payments:read"], key: "key_" + token, assurance: .signature)
            case "reader": Principal(user: ID(8), permissions: ["payments:read"])
            default: throw Problem.unauthenticated
            }
        }
    }

    enum Refusal: Error, ProblemConvertible {
        case insufficientFunds
        var problem: Problem { Problem(422, "insufficient_funds", "There isn't enough money in the account.") }
    }

    struct Unforeseen: Error {}

    static let payment = JSONSchema.object(
        [
            .required("id", .id(of: Payment.self)), .required("payee", .username), .required("amount", .amount),
            .required("asset", .asset), .optional("note", .nullable(.text(0...140))),
        ],
        named: "Payment"
    )

    static let newPayment = JSONSchema.object(
        [
            .required("payee", .username, "Who gets it."), .required("amount", .amount), .required("asset", .asset),
            .optional("note", .nullable(.text(0...140))),
        ],
        named: "NewPayment"
    )

    let clock = ManualClock(Timestamp(seconds: 1_800_000_000))
    let log = MemorySink()
    let registry = PrometheusRegistry()
    let signer = CursorSigner(key: Array(repeating: 9, count: 32))
    let isReady = ReadySwitch()

    /// How many times a handler that counts has run.
    final class ReadySwitch: Sendable {
        let value = Atomic(true)
    }

    static let tight = RateLimitClass("tight", quota: 3, windowSeconds: 10)

    func make(
        _ extra: [Route] = [],
        serverURL: String? = nil,
        networkLimit: RateLimitClass = .network
    ) -> API {
        let (log, isReady, registry) = (log, isReady, registry)
        var services = API.Services(
            authenticator: Tokens(),
            clock: clock,
            ids: IDGenerator(clock: clock),
            logger: Logger(label: "http") { JSONLogHandler(label: $0, sink: log) },
            metrics: registry
        )
        services.networkLimit = networkLimit
        return API(
            routes + extra,
            description: APIDescription(
                title: "Demo </script>",
                version: "1.0.0",
                text: "For tests.",
                serverURL: serverURL
            ),
            operations: Operations(
                checks: [
                    Operations.ReadinessCheck("switch") {
                        if !isReady.value.load(ordering: .relaxed) { throw Unforeseen() }
                    }
                ],
                metrics: { registry.text() }
            ),
            services: services
        )
    }

    private var routes: [Route] { [create, read, list, remove, webhook, limited, failing, signOut] }

    private var create: Route {
        Route(
            .post,
            "/v1/payments",
            operationID: "createPayment",
            summary: "Pay somebody",
            tag: "Payments",
            access: .permission("payments:write"),
            isIdempotent: true,
            body: .json(DemoAPI.newPayment),
            responses: [201: ResponseShape("The payment.", DemoAPI.payment, headers: [.location])],
            problems: [422: ["insufficient_funds"]]
        ) { request in
            if request.body["payee"]?.stringValue == "poor" { throw Refusal.insufficientFunds }
            let id = ID<Payment>(1).wire
            return .created(
                ["id": .string(id), "key": .string(request.idempotencyKey ?? ""), "body": request.body],
                location: "/v1/payments/\(id)"
            )
        }
    }

    private var read: Route {
        Route(
            .get,
            "/v1/payments/{id}",
            operationID: "getPayment",
            summary: "One payment",
            tag: "Payments",
            access: .permission("payments:read"),
            parameters: [.path("id", .id(of: Payment.self), "The payment.")],
            responses: [200: ResponseShape("The payment.", .any, headers: [.etag])]
        ) { request in
            guard try request.id("id", of: Payment.self) == ID(1) else { throw Problem.notFound }
            return .ok([
                "user": .string(try request.requirePrincipal().user.description),
                "trace": .string("\(request.trace?.traceID ?? "")"),
                "agent": .string(request.userAgent ?? ""), "address": .string(request.remoteAddress),
            ]).tagged(EntityTag(version: 3))
        }
    }

    private var list: Route {
        let signer = signer
        return Route(
            .get,
            "/v1/payments",
            operationID: "listPayments",
            summary: "Payments",
            tag: "Payments",
            access: .permission("payments:read"),
            parameters: Parameter.paging + [
                .query("asset", .asset, "Only this asset."), .query("open", .bool, "Only open ones."),
            ],
            responses: [
                200: ResponseShape("A page.", .page(of: .integer(0...1000), named: "Payments"), headers: [.link])
            ]
        ) { request in
            let page = try Page(request, signer: signer)
            let rest = (1...60).reversed().filter { number in page.after.map { UInt128(number) < $0.id } ?? true }
            return page.response(
                Array(rest.prefix(page.limit + 1)),
                position: { Cursor(instant: Timestamp(seconds: Int64($0)), id: UInt128($0)) },
                encode: { .integer($0) }
            )
        }
    }

    private var remove: Route {
        Route(
            .delete,
            "/v1/payments/{id}",
            operationID: "removePayment",
            summary: "Remove",
            tag: "Payments",
            access: .permission("payments:write"),
            precondition: .required,
            parameters: [.path("id", .id(of: Payment.self), "The payment.")],
            responses: [204: ResponseShape("Gone.")]
        ) { request in
            try request.requireMatch(EntityTag(version: 3))
            return .noContent
        }
    }

    private var webhook: Route {
        Route(
            .post,
            "/v1/webhooks/{provider}",
            operationID: "receiveWebhook",
            summary: "Webhook",
            tag: "Webhooks",
            access: .public,
            parameters: [.path("provider", .oneOf(["stripe"]), "Who.")],
            body: .raw(mediaType: "application/json"),
            responses: [200: ResponseShape("Stored.", .any)],
            rateLimit: nil
        ) { request in .ok(["bytes": .integer(request.rawBody.count)]) }
    }

    private var limited: Route {
        Route(
            .get,
            "/v1/limited",
            operationID: "limited",
            summary: "Limited",
            tag: "Other",
            access: .public,
            responses: [204: ResponseShape("Fine.")],
            rateLimit: DemoAPI.tight
        ) { _ in .noContent }
    }

    private var failing: Route {
        Route(
            .get,
            "/v1/failing",
            operationID: "failing",
            summary: "Fails",
            tag: "Other",
            access: .public,
            responses: [200: ResponseShape("Never.", .any)]
        ) { _ in throw Unforeseen() }
    }

    private var signOut: Route {
        Route(
            .post,
            "/v1/sign-out",
            operationID: "signOut",
            summary: "Sign out",
            tag: "Other",
            access: .authenticated,
            responses: [204: ResponseShape("Done.")]
        ) { _ in .noContent }
    }
}

extension APIResponse {
    /// The body as JSON.
    func json() throws -> JSON { try JSON.parse(encodedBody()?.bytes ?? []) }

    /// The problem's code.
    func code() throws -> String? { try json()["code"]?.stringValue }

    /// The faults as `pointer code`.
    func faults() throws -> [String] {
        try json()["errors"]?.elements?.map {
            "\($0["pointer"]?.stringValue ?? "") \($0["code"]?.stringValue ?? "")"
        } ?? []
    }
}
